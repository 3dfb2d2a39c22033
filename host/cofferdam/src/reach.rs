//! What one connection reaches of the world: hosts through egress, directories of this machine; and how both are taken back.

mod directories;

use std::sync::Arc;
use std::time::Duration;

use egress::{Authorities, Caps, Client, ClientSettings, Narrowing};
use grants::Rights;
use manifest::{Asks, Authority};
use runtime::{HttpOut, Limits, NoHttp, Stop, Stopper};

use crate::document::text_of;
use crate::granted::Credentials;
use crate::hold::Hold;
use crate::host::Host;
use crate::part::Loaded;
use crate::problem::{Problem, Problems};

pub(crate) use directories::directories;

/// What a connection reaches.
pub(crate) struct Reach {
    pub(crate) http: Arc<dyn HttpOut>,
    /// Raised when it loses a directory.
    pub(crate) cut_off: Stop,
    /// What can be taken back from it; of a replay nothing, for it reaches nothing.
    pub(crate) hold: Option<Arc<Hold>>,
}

/// What a connection may have, and how much of it.
pub(crate) struct Having {
    pub(crate) asks: Asks,
    pub(crate) rights: Rights,
    pub(crate) credentials: Credentials,
}

impl Reach {
    /// Nothing leaves a replay, so it needs no certificate either.
    pub(crate) fn nothing() -> Self {
        Self { http: Arc::new(NoHttp), cut_off: Stop::never(), hold: None }
    }

    pub(crate) fn new(
        host: &Host,
        loaded: &Loaded<'_>,
        having: Having,
        limits: &Limits,
    ) -> Result<Self, Problems> {
        let Having { asks, rights, credentials } = having;
        let Loaded { role, said, .. } = loaded;
        let (client, gate) = way_out(host, said, &rights, credentials, caps(limits))?;
        let (cutter, cut_off) = Stopper::new();
        let hold = Hold {
            document: host.components.document(),
            role: *role,
            name: said.name.clone(),
            connector: loaded.inspection().manifest.name.clone(),
            file: said.connector.clone(),
            asks,
            grants: said.grants.clone(),
            first: rights,
            gate,
            revoker: client.revoker(),
            cutter,
        };
        Ok(Self { http: Arc::new(client), cut_off, hold: Some(Arc::new(hold)) })
    }
}

/// The client of a connection, and the gate that can be made narrower while it runs.
fn way_out(
    host: &Host,
    said: &manifest::Connection,
    rights: &Rights,
    credentials: Credentials,
    caps: Caps,
) -> Result<(Client, Arc<Narrowing>), Problems> {
    let gate = Arc::new(Narrowing::new(Arc::new(rights.clone())));
    let client = ClientSettings {
        authorities: authorities(&said.name, &said.grants)?,
        credentials: credentials.settings,
        ..ClientSettings::new(Arc::clone(&gate) as _, host.traffic.ledger(&said.name), caps)
    };
    Ok((host.shared.egress.client(client), gate))
}

/// Whom the connection trusts beside those whom this machine trusts, in PEM.
pub(crate) fn authority(part: &str, grants: &manifest::Grants) -> Result<Option<String>, Problems> {
    let Some(tls) = &grants.tls else { return Ok(None) };
    let (pem, place) = match &tls.ca {
        Authority::File(path) => {
            let place = format!("`tls.ca` of `{part}` names the file `{}`", path.display());
            (text_of("the authority", path)?, place)
        }
        Authority::Pem(pem) => (pem.clone(), format!("it is that of `{part}`")),
    };
    match Authorities::from_pem(pem.as_bytes()) {
        Ok(_) => Ok(Some(pem)),
        Err(error) => Err(Problem::from(error).caused_by(place).into()),
    }
}

fn authorities(part: &str, grants: &manifest::Grants) -> Result<Authorities, Problems> {
    let pem = authority(part, grants)?;
    Ok(pem.map(|pem| Authorities::from_pem(pem.as_bytes())).transpose()?.unwrap_or_default())
}

/// The caps of egress from the connector's limits; what has no limit of its own keeps the default.
fn caps(limits: &Limits) -> Caps {
    Caps {
        request_body_bytes: limits.request_bytes,
        response_body_bytes: limits.response_bytes,
        total_bytes_out: limits.bytes_out,
        total_bytes_in: limits.bytes_in,
        requests: limits.requests,
        requests_per_second: limits.requests_per_second,
        concurrent_requests: limits.concurrent_requests,
        total_timeout: Duration::from_millis(limits.request_ms),
        ..Caps::default()
    }
}
