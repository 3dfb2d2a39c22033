//! The credentials of one client.

use std::sync::Arc;

use manifest::CredentialAsk;

use super::port::Credentials;

/// A credential that was granted.
#[derive(Clone)]
pub struct Placed {
    /// What the manifest says of it, resolved: its kind, its settings, its audience.
    pub ask: CredentialAsk,
    /// The name under which it is kept.
    pub stored: String,
}

/// What a client places on its requests.
#[derive(Clone)]
pub struct Settings {
    /// Each credential that was granted. One that is revealed is placed by the guest, and by nobody here.
    pub placed: Vec<Placed>,
    /// Where they are kept.
    pub store: Arc<dyn Credentials>,
    /// Told of each value before it is sent. What servers send back is scrubbed by it.
    pub watch: scrub::Watch,
}
