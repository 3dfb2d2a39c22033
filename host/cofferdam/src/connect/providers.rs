//! Those that give tokens, for the server: what a command asks of them on a terminal, asked for whoever came over HTTP.

use std::sync::Arc;
use std::time::Duration;

use api::{AskedConsent, Blame, ConnectorFault, ConsentAnswer, ConsentTokens, Consenting, Way};
use async_trait::async_trait;
use egress::{Entry, Ledger, Outcome};
use manifest::credential::OAuth2;
use manifest::{CredentialAsk, CredentialKind};
use measures::Measures;
use records::OpenedCredential;
use serde_json::Value;

use super::Error;
use super::calls::Calls;
use super::code::{self, Begun, Code};
use super::consent;
use super::give_back::given_back;
use super::obtained::Obtained;
use super::settings::Settings;
use crate::arguments::Network;
use crate::problem::Problems;

/// Somebody waits before a browser.
const REDEEM_MAX: Duration = Duration::from_secs(30);

/// Speaks with those that give tokens, over egress.
pub(crate) struct Providers {
    network: Network,
    told: Arc<dyn Ledger>,
}

impl Providers {
    pub(crate) fn new(network: Network, measures: Arc<Measures>) -> Self {
        Self { network, told: Arc::new(Counted(measures)) }
    }

    async fn redeemed(&self, of: Consenting, answer: ConsentAnswer) -> Result<ConsentTokens, Problems> {
        let oauth2 = by_code(&of.ask)?;
        let settings = settings_of(of.ask.clone(), of.way);
        let calls = Arc::new(Calls::new(&settings, &self.network, Arc::clone(&self.told))?);
        let came = Code { code: answer.code, verifier: answer.verifier, redirect: of.redirect };
        let tokens = consent::read(&code::redeem(oauth2, &of.fields, came, calls).await?)?;
        let mut obtained = Obtained { fields: of.fields, expires_ms: None };
        obtained.add(tokens);
        Ok(ConsentTokens { fields: obtained.fields, expires_ms: obtained.expires_ms })
    }
}

#[async_trait]
impl api::Providers for Providers {
    fn settings(&self, ask: &CredentialAsk, way: &Way) -> Value {
        settings_of(ask.clone(), way.clone()).to_value()
    }

    fn ask_consent(&self, of: &Consenting) -> Result<AskedConsent, ConnectorFault> {
        let begun = by_code(&of.ask).and_then(|oauth2| {
            let page = oauth2.authorize_url.as_ref().map(|page| page.url()).unwrap_or_default();
            let Begun { url, state, verifier } = code::begin(oauth2, &of.fields, &page, &of.redirect)?;
            let issuer = oauth2.issuer.as_ref().map(|issuer| issuer.url());
            Ok(AskedConsent { url, state, verifier, issuer })
        });
        begun.map_err(|problems| fault(Blame::Caller, problems))
    }

    async fn redeem(&self, of: Consenting, answer: ConsentAnswer) -> Result<ConsentTokens, ConnectorFault> {
        let redeemed = tokio::time::timeout(REDEEM_MAX, self.redeemed(of, answer)).await;
        let late = |_| Err(Error::consent("it does not answer in time").into());
        redeemed.unwrap_or_else(late).map_err(|problems| fault(Blame::System, problems))
    }

    async fn give_back(&self, credential: &OpenedCredential) -> Result<bool, ConnectorFault> {
        let over = (&self.network, Arc::clone(&self.told));
        given_back(credential, over).await.map_err(|problems| fault(Blame::System, problems))
    }
}

/// Counts what is denied of these requests, as of those of connectors.
struct Counted(Arc<Measures>);

impl Ledger for Counted {
    fn record(&self, entry: Entry) {
        if let Outcome::Denied { code, .. } = entry.outcome {
            self.0.denials(code, 1);
        }
    }
}

fn settings_of(ask: CredentialAsk, Way { addresses, authority }: Way) -> Settings {
    Settings { ask, addresses, authority }
}

/// The settings of a credential that comes by a user's consent.
fn by_code(ask: &CredentialAsk) -> Result<&OAuth2, Problems> {
    match &ask.kind {
        CredentialKind::OAuth2(oauth2) => Ok(oauth2),
        _ => Err(Error::consent(format!("`{}` is nothing that a user consents to", ask.name)).into()),
    }
}

fn fault(blame: Blame, problems: Problems) -> ConnectorFault {
    let first = problems.into_all().into_iter().next();
    let (code, message, hint) = first.map_or_else(Default::default, |problem| {
        let hint = problem.hints.first().map(|hint| hint.text.clone()).unwrap_or_default();
        let words: Vec<String> = std::iter::once(problem.message).chain(problem.causes).collect();
        (problem.code, words.join(": "), hint)
    });
    ConnectorFault { blame, code, message, hint, retry_after_ms: None }
}
