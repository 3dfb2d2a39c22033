//! What an operator sets once for the process, and what differs for each client.

use std::sync::Arc;
use std::time::SystemTime;

use crate::credential::Broker;
use crate::outlet::Outlet;
use crate::tls::Trust;
use crate::{
    Authorities, Caps, Client, Dns, DnsResolver, Gate, Ledger, OwnCalls, Proxy, Resolver, Result, credential,
};

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
    /// Through which all connections go; none: straight. The environment's variables are never asked.
    pub proxy: Option<Proxy>,
    /// What is kept at one time of the bodies of all requests of all clients, to be signed or sent again. One that does not fit in
    /// beside the others is treated like one that is too large.
    pub all_kept_bodies_bytes: u64,
}

/// Four clients that keep as much as each may: a machine with many tenants has memory for them, and an upload that meets the
/// limit fails alone, and can be tried again.
const ALL_KEPT_BODIES_BYTES: u64 = 256 << 20;

impl Default for Settings {
    fn default() -> Self {
        Self {
            system_roots: true,
            extra_roots_pem: Vec::new(),
            resolver: Arc::new(DnsResolver::new(Dns::default())),
            clock: Arc::new(SystemTime::now),
            proxy: None,
            all_kept_bodies_bytes: ALL_KEPT_BODIES_BYTES,
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
    /// Whom this client trusts beside those whom the process trusts.
    pub authorities: Authorities,
}

impl ClientSettings {
    /// A client without credentials, which trusts nobody of its own.
    #[must_use]
    pub fn new(rights: Arc<dyn Gate>, ledger: Arc<dyn Ledger>, caps: Caps) -> Self {
        Self { rights, ledger, caps, credentials: None, authorities: Authorities::default() }
    }
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
            proxy: settings.proxy,
            refreshes: Arc::default(),
            clock: settings.clock,
            room: credential::Room::of_process(settings.all_kept_bodies_bytes),
        };
        Ok(Self { outlet })
    }

    /// A client for one connection and one run. Its kept connections and TLS sessions are shared with no other client.
    pub fn client(&self, mut settings: ClientSettings) -> Client {
        let broker = settings.credentials.take().map(|credentials| {
            let (rights, ledger) = (Arc::clone(&settings.rights), Arc::clone(&settings.ledger));
            let (authorities, secrets) = (settings.authorities.clone(), credentials.watch.clone());
            let calls = OwnCalls::new(&self.outlet, rights, ledger, authorities, secrets);
            Broker::new(credentials, calls, self.outlet.clone(), &settings.caps)
        });
        Client::new(self.outlet.clone(), settings, broker, scrub::Watch::new())
    }

    /// Requests of the host itself, as to a token endpoint. `addresses` judges what names resolve to; that the URL may
    /// be called is the caller's part.
    pub fn own_calls(
        &self,
        addresses: Arc<dyn Gate>,
        ledger: Arc<dyn Ledger>,
        authorities: Authorities,
    ) -> OwnCalls {
        OwnCalls::new(&self.outlet, addresses, ledger, authorities, scrub::Watch::new())
    }
}
