//! The other side of the port: answers what a test has given. With true connectors it is tried where the server is started.

use crate::ports::{
    AskedConsent, Challenge, ChallengeAnswer, ConnectorFault, Connectors, ConsentAnswer, ConsentTokens,
    Consenting, Inspected, Providers, Way,
};
use async_trait::async_trait;
use bytes::Bytes;
use control::CatalogStream;
use manifest::CredentialAsk;
use records::{OpenedCredential, Preview};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};
use vault::Plaintext;

/// What connectors answer, for whatever connection.
#[derive(Default)]
pub(crate) struct GivenConnectors {
    pub(crate) streams: Mutex<Vec<CatalogStream>>,
    pub(crate) previews: Mutex<Vec<Preview>>,
    /// Answered by every call, where there is one.
    pub(crate) fault: Mutex<Option<ConnectorFault>>,
}

impl GivenConnectors {
    fn works(&self) -> Result<(), ConnectorFault> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Connectors for GivenConnectors {
    /// The bytes are the text of a manifest, up to a zero.
    async fn inspect(&self, _: &str, component: Bytes) -> Result<Inspected, ConnectorFault> {
        self.works()?;
        let manifest = component.split(|byte| *byte == 0).next().unwrap_or_default();
        let digest = Sha256::digest(&component).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Inspected { digest, manifest: String::from_utf8(manifest.to_vec()).unwrap() })
    }

    async fn check(&self, _: &str, _: &str) -> Result<(), ConnectorFault> {
        self.works()
    }

    async fn discover(&self, _: &str, _: &str) -> Result<Vec<CatalogStream>, ConnectorFault> {
        self.works()?;
        Ok(self.streams.lock().unwrap().clone())
    }

    async fn preview(&self, _: &str, _: &str, _: usize) -> Result<Vec<Preview>, ConnectorFault> {
        self.works()?;
        Ok(self.previews.lock().unwrap().clone())
    }

    /// What was asked comes back as what nobody would want to show a browser.
    async fn answer_challenge(
        &self,
        _: &str,
        sync: &str,
        challenge: Challenge,
    ) -> Result<ChallengeAnswer, ConnectorFault> {
        self.works()?;
        assert!(sync.starts_with("syn_"));
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let kind = if challenge.path.contains("json") { "application/json" } else { "text/html" };
        let headers =
            vec![header("content-type", kind), header("set-cookie", "a=b"), header("location", "/")];
        let status = if challenge.path.contains("moved") { 302 } else { 203 };
        Ok(ChallengeAnswer { status, headers, body: format!("{challenge:?}").into_bytes() })
    }
}

/// The other side of the other port: remembers what it is told.
#[derive(Default)]
pub(crate) struct GivenProviders {
    /// Names of credentials that were given back.
    pub(crate) given_back: Mutex<Vec<String>>,
    /// Answered by every call, where there is one.
    pub(crate) fault: Mutex<Option<ConnectorFault>>,
}

#[async_trait]
impl Providers for GivenProviders {
    fn settings(&self, ask: &CredentialAsk, way: &Way) -> Value {
        json!({ "ask": ask, "addresses": way.addresses, "authority": way.authority })
    }

    fn ask_consent(&self, of: &Consenting) -> Result<AskedConsent, ConnectorFault> {
        let state = format!("{:032x}", fastrand::u128(..));
        let url = format!("https://id.mail.example/authorize?redirect={}&state={state}", of.redirect);
        let verifier = "CANARY-verifier".to_owned();
        Ok(AskedConsent { url, state, verifier, issuer: Some("https://id.mail.example".into()) })
    }

    async fn redeem(&self, of: Consenting, answer: ConsentAnswer) -> Result<ConsentTokens, ConnectorFault> {
        if let Some(fault) = self.fault.lock().unwrap().clone() {
            return Err(fault);
        }
        let token = format!("CANARY-access {} {}", answer.code, answer.verifier);
        let mut fields = of.fields;
        fields.secret.insert("access_token".into(), Plaintext::new(token.into_bytes()));
        Ok(ConsentTokens { fields, expires_ms: Some(20_001 * 86_400_000) })
    }

    async fn give_back(&self, credential: &OpenedCredential) -> Result<bool, ConnectorFault> {
        if let Some(fault) = self.fault.lock().unwrap().clone() {
            return Err(fault);
        }
        self.given_back.lock().unwrap().push(credential.kept.name.clone());
        Ok(credential.kept.binding.kind == "oauth2")
    }
}

mod told {
    use super::super::world::World;
    use crate::ports::{Blame, ConnectorFault};
    use crate::refusal::Refusal;
    use bytes::Bytes;
    use http::StatusCode;

    /// Whose doing it is decides the status; what is ours is told to nobody but the log.
    #[tokio::test]
    async fn a_fault_of_a_connector_is_told_by_whose_doing_it_is() {
        let world = World::new().await;
        for (blame, status) in [
            (Blame::Caller, StatusCode::UNPROCESSABLE_ENTITY),
            (Blame::Connector, StatusCode::BAD_GATEWAY),
            (Blame::System, StatusCode::BAD_GATEWAY),
            (Blame::Host, StatusCode::INTERNAL_SERVER_ERROR),
        ] {
            let said = |text: &str| text.to_owned();
            *world.connectors.fault.lock().unwrap() = Some(ConnectorFault {
                blame,
                code: said("CD0401"),
                message: said("it is no component"),
                hint: said("build it again"),
                retry_after_ms: None,
            });
            let fault = world.parts.connectors.inspect("org", Bytes::new()).await.unwrap_err();
            let refusal = Refusal::from(fault);
            assert_eq!((refusal.status, &*refusal.code), (status, "CD0401"));
            let is_ours = blame == Blame::Host;
            assert_eq!(refusal.message.contains("it is no component"), !is_ours);
            assert_eq!(refusal.hint == "build it again", !is_ours);
            assert_eq!(refusal.cause.is_some(), is_ours);
        }
    }
}
