//! What an operator sets once for the process, and what differs for each client.

use std::sync::Arc;

use crate::tls::Trust;
use crate::{Caps, Client, Gate, Ledger, Resolver, Result, SystemResolver};

/// The settings of the process.
#[derive(Clone)]
pub struct Settings {
    /// Trust the certificates that the operating system trusts.
    pub system_roots: bool,
    /// Certificates of further authorities to trust, each text in PEM form with one or more of them.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Looks names up.
    pub resolver: Arc<dyn Resolver>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { system_roots: true, extra_roots_pem: Vec::new(), resolver: Arc::new(SystemResolver) }
    }
}

/// The settings of one client.
#[derive(Clone)]
pub struct ClientSettings {
    /// Decides what may be reached.
    pub rights: Arc<dyn Gate>,
    /// Keeps what was done.
    pub ledger: Arc<dyn Ledger>,
    /// Bounds what may be used.
    pub caps: Caps,
}

/// The only way out of the process. Made once; makes clients.
#[derive(Clone)]
pub struct Egress {
    trust: Arc<Trust>,
    resolver: Arc<dyn Resolver>,
}

impl Egress {
    /// Fails when a certificate in the settings cannot be used. The system's certificates are read at the first
    /// connection that needs them: a run that opens none does not pay for them.
    pub fn new(settings: Settings) -> Result<Self> {
        let trust = Trust::new(settings.system_roots, &settings.extra_roots_pem)?;
        Ok(Self { trust: Arc::new(trust), resolver: settings.resolver })
    }

    /// A client for one connection and one run. Its kept connections and TLS sessions are shared with no other client.
    pub fn client(&self, settings: ClientSettings) -> Client {
        Client::new(Arc::clone(&self.trust), Arc::clone(&self.resolver), settings)
    }
}
