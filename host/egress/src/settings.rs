//! What an operator sets once for the process, and what differs for each client.

use std::sync::Arc;
use std::time::SystemTime;

use crate::credential::Broker;
use crate::outlet::Outlet;
use crate::tls::Trust;
use crate::{Caps, Client, Gate, Ledger, OwnCalls, Resolver, Result, SystemResolver, credential};

/// Says what time it is.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The settings of the process.
#[derive(Clone)]
pub struct Settings {
    /// Trust the certificates that the operating system trusts.
    pub system_roots: bool,
    /// Certificates of further authorities to trust, each text in PEM form with one or more of them.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Looks names up.
    pub resolver: Arc<dyn Resolver>,
    /// Says when a request is signed, and when a token ends.
    pub clock: WallClock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            system_roots: true,
            extra_roots_pem: Vec::new(),
            resolver: Arc::new(SystemResolver),
            clock: Arc::new(SystemTime::now),
        }
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
    /// What is placed on its requests.
    pub credentials: Option<credential::Settings>,
}

/// The only way out of the process. Made once; makes clients.
#[derive(Clone)]
pub struct Egress {
    outlet: Outlet,
}

impl Egress {
    /// Fails when a certificate in the settings cannot be used. The system's certificates are read at the first
    /// connection that needs them: a run that opens none does not pay for them.
    pub fn new(settings: Settings) -> Result<Self> {
        let trust = Trust::new(settings.system_roots, &settings.extra_roots_pem)?;
        let outlet = Outlet {
            trust: Arc::new(trust),
            resolver: settings.resolver,
            refreshes: Arc::default(),
            clock: settings.clock,
        };
        Ok(Self { outlet })
    }

    /// A client for one connection and one run. Its kept connections and TLS sessions are shared with no other client.
    pub fn client(&self, settings: ClientSettings) -> Client {
        let ClientSettings { rights, ledger, caps, credentials } = settings;
        let broker = credentials.filter(|settings| !settings.placed.is_empty()).map(|settings| {
            let calls = self.own_calls(Arc::clone(&rights), Arc::clone(&ledger));
            Broker::new(settings, calls, self.outlet.clone(), caps.kept_body_bytes)
        });
        Client::new(self.outlet.clone(), rights, ledger, caps, broker)
    }

    /// Requests of the host itself, as to a token endpoint. `addresses` judges what names resolve to; that the URL may
    /// be called is the caller's part.
    pub fn own_calls(&self, addresses: Arc<dyn Gate>, ledger: Arc<dyn Ledger>) -> OwnCalls {
        OwnCalls::new(&self.outlet, addresses, ledger)
    }
}
