//! Requests of this command to the URLs that a provider is called at: through egress, as all that leaves this machine.

use std::sync::Arc;

use egress::{Egress, Entry, Ledger, OwnCalls};
use grants::{Basis, Rights};
use manifest::{AddressGrant, Asks, Grants, Role};

use crate::arguments::Network;
use crate::host::ways_out;
use crate::problem::Problems;

/// Calls a provider for one credential.
pub(crate) struct Calls {
    calls: OwnCalls,
    credential: String,
}

impl Calls {
    /// Addresses that egress refuses, such as this machine's, are dialed only where the sync grants them.
    pub(crate) fn new(
        credential: &str,
        addresses: &[AddressGrant],
        network: &Network,
    ) -> Result<Self, Problems> {
        let grants = Grants { addresses: addresses.to_vec(), ..Grants::default() };
        let rights = Rights::new(&Basis {
            role: Role::Source,
            name: "source",
            connector: "",
            asks: &Asks::default(),
            grants: &grants,
            organization: None,
            host: None,
        });
        let egress = Egress::new(ways_out(network))?;
        let calls = egress.own_calls(Arc::new(rights), Arc::new(Untold));
        Ok(Self { calls, credential: credential.to_owned() })
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

/// The person who waits sees what comes of it.
struct Untold;

impl Ledger for Untold {
    fn record(&self, _: Entry) {}
}
