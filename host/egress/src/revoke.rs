//! The end of a client's right to be connected, whatever it is doing.

use tokio_util::sync::CancellationToken;

/// Revokes one client. Holding it keeps nothing alive.
#[derive(Clone, Debug)]
pub struct Revoker(pub(crate) CancellationToken);

impl Revoker {
    /// Closes every connection of the client at once, also under a response that is being read, and refuses what it asks
    /// from now on. There is no way back: a new grant makes a new client.
    pub fn revoke(&self) {
        self.0.cancel();
    }
}
