//! Those that give tokens, for the server: what a command asks of them on a terminal, asked for whoever came over HTTP.

use api::{Blame, ConnectorFault};
use async_trait::async_trait;
use manifest::{AddressGrant, CredentialAsk};
use records::OpenedCredential;
use serde_json::Value;

use super::give_back::given_back;
use super::settings::Settings;
use crate::arguments::Network;
use crate::problem::Problems;

/// Speaks with those that give tokens, over egress.
pub(crate) struct Providers {
    network: Network,
}

impl Providers {
    pub(crate) fn new(network: Network) -> Self {
        Self { network }
    }
}

#[async_trait]
impl api::Providers for Providers {
    fn settings(&self, ask: &CredentialAsk, addresses: &[AddressGrant]) -> Value {
        Settings { ask: ask.clone(), addresses: addresses.to_vec(), authority: None }.to_value()
    }

    async fn give_back(&self, credential: &OpenedCredential) -> Result<bool, ConnectorFault> {
        given_back(credential, &self.network).await.map_err(fault)
    }
}

/// What is wrong is the other side's, or the way there: what was entered and what is asked for was judged before.
fn fault(problems: Problems) -> ConnectorFault {
    let first = problems.into_all().into_iter().next();
    let (code, message, hint) = first.map_or_else(Default::default, |problem| {
        let hint = problem.hints.first().map(|hint| hint.text.clone()).unwrap_or_default();
        let words = std::iter::once(problem.message).chain(problem.causes).collect::<Vec<_>>();
        (problem.code, words.join(": "), hint)
    });
    ConnectorFault { blame: Blame::System, code, message, hint, retry_after_ms: None }
}
