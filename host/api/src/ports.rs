//! What the API needs and cannot do: whatever runs a connector, and whatever leaves this machine. Done by whoever has the
//! engine and the way out.

use async_trait::async_trait;
use bytes::Bytes;
use control::CatalogStream;
use manifest::{AddressGrant, CredentialAsk};
use records::{CredentialFields, OpenedCredential, Preview};
use serde_json::Value;
use std::fmt;

/// Whoever runs connectors. Each call has a time limit of its own there.
#[async_trait]
pub trait Connectors: Send + Sync {
    /// Judges a component and compiles it, so that its first run need not. Nothing of it is run. What one organization asks for
    /// is done one after the other.
    ///
    /// # Errors
    /// What is wrong with it.
    async fn inspect(&self, organization: &str, component: Bytes) -> Result<Inspected, ConnectorFault>;

    /// Asks the connector of a connection whether it can do its work.
    ///
    /// # Errors
    /// Why it cannot.
    async fn check(&self, organization: &str, connection: &str) -> Result<(), ConnectorFault>;

    /// What there is at the other end of a connection.
    ///
    /// # Errors
    /// Why nobody can tell.
    async fn discover(
        &self,
        organization: &str,
        connection: &str,
    ) -> Result<Vec<CatalogStream>, ConnectorFault>;

    /// The first rows of each stream of a sync, at most `rows` of each, through its transforms. Nothing is moved.
    ///
    /// # Errors
    /// Why there are none.
    async fn preview(
        &self,
        organization: &str,
        sync: &str,
        rows: usize,
    ) -> Result<Vec<Preview>, ConnectorFault>;

    /// Answers a request by which another system asks whether the event endpoint of a sync is ours. The connector reaches
    /// nothing meanwhile.
    ///
    /// # Errors
    /// Why there is no answer.
    async fn answer_challenge(
        &self,
        organization: &str,
        sync: &str,
        challenge: Challenge,
    ) -> Result<ChallengeAnswer, ConnectorFault>;
}

/// A request by which another system asks whether an event endpoint is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// In capitals.
    pub method: String,
    /// Path and query after the endpoint's token.
    pub path: String,
    /// Those that the connector may see, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// What is answered to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// Headers, as the connector wishes.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Whoever speaks with those that give tokens, for the host alone: no connector has a part in it.
#[async_trait]
pub trait Providers: Send + Sync {
    /// How a credential is used, as it is to be kept beside it: whoever uses, renews or revokes it later reads it there.
    fn settings(&self, ask: &CredentialAsk, way: &Way) -> Value;

    /// The page on which a user consents that the host gets tokens. Nothing is sent anywhere.
    ///
    /// # Errors
    /// When there is no such page.
    fn ask_consent(&self, of: &Consenting) -> Result<AskedConsent, ConnectorFault>;

    /// Turns the code that came back into tokens.
    ///
    /// # Errors
    /// Why there are none.
    async fn redeem(&self, of: Consenting, answer: ConsentAnswer) -> Result<ConsentTokens, ConnectorFault>;

    /// Tells whoever gave a token that it is not to be taken any more; false: there is no way for that.
    ///
    /// # Errors
    /// Why they could not be told.
    async fn give_back(&self, credential: &OpenedCredential) -> Result<bool, ConnectorFault>;
}

/// How those that give tokens are reached for a connection: as an admin lets the connection itself go.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// Addresses at which they may be called although egress would refuse them.
    pub addresses: Vec<AddressGrant>,
    /// Certificates of authorities of the connection's own, in PEM form.
    pub authority: Option<String>,
}

/// For what a user is to consent.
pub struct Consenting {
    /// With the configuration's values in it.
    pub ask: CredentialAsk,
    /// How the provider is reached.
    pub way: Way,
    /// What a person has entered for it, such as the client's id.
    pub fields: CredentialFields,
    /// Where the user is sent back to.
    pub redirect: String,
}

/// A page on which a user consents.
pub struct AskedConsent {
    /// Where the browser is to be sent.
    pub url: String,
    /// By which the answer is known. Nobody can guess it.
    pub state: String,
    /// Without which the code is worth nothing (PKCE).
    pub verifier: String,
    /// Who must answer, where the manifest says it.
    pub issuer: Option<String>,
}

/// What came back with the browser.
pub struct ConsentAnswer {
    /// What the provider gave.
    pub code: String,
    /// Of [`AskedConsent`].
    pub verifier: String,
}

/// What consent brings.
pub struct ConsentTokens {
    /// All fields of the credential: those that were entered, and the tokens.
    pub fields: CredentialFields,
    /// When what is sent ends by itself, where that is known.
    pub expires_ms: Option<u64>,
}

/// What a component says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Of its bytes: SHA-256 in hexadecimal digits.
    pub digest: String,
    /// The text of its manifest.
    pub manifest: String,
}

/// Whose doing it is that something did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Who asks: what was sent or configured is wrong.
    Caller,
    /// The connector.
    Connector,
    /// The system at the other end.
    System,
    /// This host.
    Host,
}

/// Why something did not work that needs a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorFault {
    /// Whose doing it is.
    pub blame: Blame,
    /// The stable code, which has a page.
    pub code: String,
    /// What happened, in words that may be shown to whoever asked.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// After what time trying again could help, in milliseconds; none: it cannot, or nobody knows.
    pub retry_after_ms: Option<u64>,
}

impl fmt::Display for ConnectorFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for ConnectorFault {}
