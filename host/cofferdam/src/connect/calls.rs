//! Requests of this command to the URLs that a provider is called at: through egress, as all that leaves this machine.

use std::sync::Arc;

use egress::{Authorities, Egress, Entry, Ledger, OwnCalls};
use grants::{Basis, Rights};
use manifest::{Asks, Grants, Role};

use super::settings::Settings;
use crate::arguments::Network;
use crate::host::ways_out;
use crate::problem::Problems;

/// Calls a provider for one credential.
pub(crate) struct Calls {
    calls: OwnCalls,
    credential: String,
}

impl Calls {
    /// Addresses that egress refuses, such as this machine's, are dialed only where the sync grants them. Whom the connection
    /// trusts is trusted here too.
    pub(crate) fn new(
        settings: &Settings,
        network: &Network,
        told: Arc<dyn Ledger>,
    ) -> Result<Self, Problems> {
        let grants = Grants { addresses: settings.addresses.clone(), ..Grants::default() };
        let rights = Rights::new(&Basis {
            document: grants::Document::Sync,
            role: Role::Source,
            name: "source",
            connector: "",
            asks: &Asks::default(),
            grants: &grants,
            organization: None,
            host: None,
        });
        let egress = Egress::new(ways_out(network))?;
        let authority = settings.authority.as_ref().map(|pem| Authorities::from_pem(pem.as_bytes()));
        let authorities = authority.transpose()?.unwrap_or_default();
        let calls = egress.own_calls(Arc::new(rights), told, authorities);
        Ok(Self { calls, credential: settings.ask.name.clone() })
    }

    /// The whole answer. A redirect is one.
    pub(crate) async fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, egress::Error> {
        let answer = self.calls.send(&self.credential, request.map(Into::into)).await?;
        Ok(answer.map(|body| body.to_vec()))
    }
}

/// On a terminal, the person who waits sees what comes of it.
pub(super) struct Untold;

impl Ledger for Untold {
    fn record(&self, _: Entry) {}
}
