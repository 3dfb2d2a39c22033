//! Somebody comes to an endpoint: first the token is looked at, then, when the body was read, the signature.

use super::EventError;
use super::lane::{Left, Numbered};
use super::messages::EventMessage;
use super::record::{KeptSecrets, TokenRecord};
use super::{Endpoints, signature};
use crate::error::Error;
use crate::keeper::INSTALLATION;
use crate::secret::{Secret, TokenKind};
use crate::tables::{ENDPOINT_SECRETS, EVENT_TOKENS, Key};
use crate::zones::Entrance;
use manifest::{BodyChallenge, WebhookAsk};
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use std::sync::Arc;

/// For so long a message that comes again is known, where its time is not signed.
const WINDOW_MS: u64 = 10 * 60 * 1_000;
/// A longer word is none that anybody asks for.
const WORD_BYTES_MAX: usize = 4 << 10;
/// A longer word is no id.
const ID_BYTES_MAX: usize = 256;

/// An endpoint that somebody may leave messages at, if they are signed as it wants.
#[derive(Debug, Clone)]
pub struct OpenEndpoint {
    /// Whose it is.
    pub organization: String,
    /// The sync whose runs move what is left here.
    pub sync: String,
    ask: Arc<WebhookAsk>,
}

impl OpenEndpoint {
    /// The headers that the connector may see.
    #[must_use]
    pub fn seen(&self, headers: Vec<(String, String)>) -> Vec<(String, String)> {
        headers.into_iter().filter(|(name, _)| self.ask.headers.contains(name)).collect()
    }
}

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Every header in its order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A message that was accepted: it is durable, and a run will come for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its number.
    pub sequence: u64,
    /// It had come before, and was not queued again.
    pub is_known: bool,
}

impl Endpoints {
    /// Looks at a token, and from where it comes.
    ///
    /// # Errors
    /// [`EventError::BadToken`] whatever is wrong, or when storage cannot be read.
    pub async fn open(&self, token: &Secret, address: IpAddr) -> Result<OpenEndpoint, Error> {
        let digest = TokenKind::Event.digest(token).ok_or(Error::Event(EventError::BadToken))?;
        let organizations = self.organizations();
        let found = organizations.keeper.read(INSTALLATION, EVENT_TOKENS, &digest.bytes()).await?;
        let (record, _): (TokenRecord, _) = found.ok_or(Error::Event(EventError::BadToken))?;
        let TokenRecord { organization, sync, until_ms } = record;
        let now_ms = organizations.keeper.now_ms();
        if until_ms.is_some_and(|until_ms| now_ms >= until_ms) {
            return Err(Error::Event(EventError::BadToken));
        }
        // Of another region, or being deleted.
        organizations.get(&organization).await.map_err(hide)?;
        if !organizations.zones(&organization).await?.allow(Entrance::Events, address) {
            return Err(Error::Event(EventError::BadToken));
        }
        let ask = self
            .ask_of(&organization, &sync)
            .await
            .map_err(hide)?
            .ok_or(Error::Event(EventError::BadToken))?;
        Ok(OpenEndpoint { organization, sync, ask })
    }

    /// Accepts a message. When it answers, the message is durable and a run was asked for.
    ///
    /// # Errors
    /// [`EventError::BadSignature`], [`EventError::Full`], [`EventError::BadToken`] when the sync goes meanwhile, or when storage
    /// refuses.
    pub async fn accept(&self, at: &OpenEndpoint, arrived: Arrived) -> Result<Accepted, Error> {
        let organizations = self.organizations();
        let now_ms = organizations.keeper.now_ms();
        let is_signed = self.check_signature(at, &arrived, now_ms).await?;
        let id = self.id_of(at, &arrived.headers, is_signed);
        let Arrived { headers, body } = arrived;
        let headers = at.seen(headers);
        let message = EventMessage { sequence: 0, received_ms: now_ms, headers, body };
        let lane = self.lane(&at.organization, &at.sync);
        let left = lane.leave(&organizations.keeper, Left { message, id }).await;
        if matches!(left, Err(Error::Event(EventError::BadToken))) {
            self.forget_lane(&at.organization, &at.sync);
        }
        let Numbered { sequence, is_known } = left?;
        let note = async || self.queue.note_event(&at.organization, &at.sync).await.map(|_| ());
        lane.note(&organizations.keeper, sequence, note).await.map_err(hide)?;
        Ok(Accepted { sequence, is_known })
    }

    /// The word that is to be sent back where a message only asks whether the endpoint is ours; none: it is a message.
    ///
    /// # Errors
    /// [`EventError::BadSignature`], or when storage cannot be read.
    pub async fn answer(&self, at: &OpenEndpoint, arrived: &Arrived) -> Result<Option<String>, Error> {
        let Some(word) = at.ask.challenge.as_ref().and_then(|challenge| asked(challenge, &arrived.body))
        else {
            return Ok(None);
        };
        self.check_signature(at, arrived, self.organizations().keeper.now_ms()).await?;
        Ok(Some(word))
    }

    /// Whether the message is signed; a key that was entered must have signed it.
    async fn check_signature(
        &self,
        at: &OpenEndpoint,
        arrived: &Arrived,
        now_ms: u64,
    ) -> Result<bool, Error> {
        let organizations = self.organizations();
        let owner = organizations.owner(&at.organization);
        let found = organizations.keeper.read(&owner, ENDPOINT_SECRETS, &Key::of(&at.sync)).await?;
        let Some((kept, _)): Option<(KeptSecrets, _)> = found else { return Ok(false) };
        let bad = |reason| Error::Event(EventError::BadSignature { reason });
        // Entered for a version of the connector that said how; nobody is let in because another one does not.
        let scheme = at.ask.signature.as_ref().ok_or(bad("the connector does not say how it is signed"))?;
        let holding =
            kept.secrets.iter().filter(|secret| secret.until_ms.is_none_or(|until_ms| now_ms < until_ms));
        let holding: Vec<_> = holding.collect();
        signature::verify(scheme, &holding, (&arrived.headers, &arrived.body), now_ms).map_err(bad)?;
        Ok(true)
    }

    /// By which a message is known when it comes again, and for how long. A time that is signed may be off on either side, so
    /// that a message holds for twice as long.
    fn id_of(
        &self,
        at: &OpenEndpoint,
        headers: &signature::Headers,
        is_signed: bool,
    ) -> Option<([u64; 2], u64)> {
        let id = signature::only(headers, at.ask.id_header()?)?;
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return None;
        }
        let tolerance_ms = at.ask.signature.as_ref().and_then(|scheme| scheme.tolerance_ms());
        let window_ms = tolerance_ms.filter(|_| is_signed).map_or(0, |tolerance_ms| 2 * tolerance_ms + 1);
        let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
        let mut words = digest
            .chunks_exact(8)
            .map(|word| word.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)));
        Some(([words.next()?, words.next()?], window_ms.max(WINDOW_MS)))
    }
}

/// The word that is asked for. A body that is no JSON, or that has no such word, is a message.
fn asked(challenge: &BodyChallenge, body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| body.get(name)?.as_str();
    let is_word = |word: &&str| word.len() <= WORD_BYTES_MAX && !word.contains(char::is_control);
    let word = text(&challenge.answer).filter(is_word)?;
    (text(&challenge.field)? == challenge.value).then(|| word.to_owned())
}

/// That there was something is nothing for who has no token that holds.
fn hide(error: Error) -> Error {
    match error {
        Error::UnknownOrganization { .. } | Error::OtherRegion { .. } | Error::UnknownObject { .. } => {
            Error::Event(EventError::BadToken)
        }
        error => error,
    }
}
