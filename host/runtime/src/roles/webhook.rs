//! Messages and challenges as the host holds them, and what each version of the contract makes of them.

use async_trait::async_trait;
use pipeline::failure::Failure;
use pipeline::model::{Catalog, Page, StreamSchema};
use serde::{Deserialize, Serialize};

/// One message of an event endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Rises with each message; the checkpoint of the pages made from it.
    pub sequence: u64,
    /// The headers that the manifest allows, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request by which another system asks whether an endpoint is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The method.
    pub method: String,
    /// Path and query after the endpoint's token.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeAnswer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A connector that understands messages, behind one version of the contract. Each call is made in a fresh instance.
#[async_trait]
pub(crate) trait WebhookPort: Send + Sync {
    /// See [`Webhook::discover`](super::Webhook::discover).
    async fn discover(&self) -> Result<Catalog, Failure>;

    /// See [`Webhook::rows`](super::Webhook::rows).
    async fn rows(&self, messages: Vec<Message>, schemas: &[StreamSchema]) -> Result<Page, Failure>;

    /// See [`Webhook::answer_challenge`](super::Webhook::answer_challenge).
    async fn answer_challenge(&self, challenge: Challenge) -> Result<ChallengeAnswer, Failure>;
}
