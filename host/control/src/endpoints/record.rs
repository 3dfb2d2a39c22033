//! An endpoint as it is stored, and what goes with its sync.

use super::DAY_MS;
use crate::error::Error;
use crate::keeper::{INSTALLATION, Keeper, decode, encode};
use crate::secret::TokenDigest;
use crate::tables::{ENDPOINTS, EVENT_TOKENS, Key};
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Revision};
use zeroize::Zeroize;

/// What the installation keeps of an endpoint. It stays when the endpoint is off: messages may wait still.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct EndpointRecord {
    pub(super) created_ms: u64,
    /// The newest first. None of them: the endpoint is off.
    pub(super) tokens: Vec<KeptToken>,
    pub(super) has_secret: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct KeptToken {
    pub(super) digest: TokenDigest,
    pub(super) made_ms: u64,
    /// Until when it is good; none: until it is rotated.
    pub(super) until_ms: Option<u64>,
}

/// Of which endpoint a token is.
#[derive(Serialize, Deserialize)]
pub(super) struct TokenRecord {
    pub(super) organization: String,
    pub(super) sync: String,
    pub(super) until_ms: Option<u64>,
}

/// The keys by which senders sign, the newest first.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct KeptSecrets {
    pub(super) secrets: Vec<KeptSecret>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeptSecret {
    pub(super) text: String,
    pub(super) until_ms: Option<u64>,
}

impl Drop for KeptSecret {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

/// Up to where the messages of an endpoint are numbered. Everything that accepts one expects it, so nothing comes of a sync
/// that is gone.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct HeadRecord {
    /// The number of the next message; the first one is 1.
    pub(super) next: u64,
}

impl KeptToken {
    pub(super) fn holds(&self, now_ms: u64) -> bool {
        self.until_ms.is_none_or(|until_ms| now_ms < until_ms)
    }

    /// Adds to a change that it is known of which endpoint this token is.
    pub(super) fn put(&self, change: Change, (organization, sync): (&str, &str)) -> Result<Change, Error> {
        let (organization, sync) = (organization.to_owned(), sync.to_owned());
        let record = TokenRecord { organization, sync, until_ms: self.until_ms };
        // Storage rounds the end of a life down to the day.
        let life = self.until_ms.map_or(Life::Standing, |until_ms| Life::Until(until_ms + 2 * DAY_MS));
        Ok(change.put(EVENT_TOKENS, self.digest.bytes(), life, encode(EVENT_TOKENS, &record)?))
    }
}

impl EndpointRecord {
    pub(super) async fn read(
        keeper: &Keeper,
        organization: &str,
        sync: &str,
    ) -> Result<Option<(Self, Revision)>, Error> {
        keeper.read(INSTALLATION, ENDPOINTS, &Key::of(organization).id(sync)).await
    }

    /// Adds it to a change; `seen`: as it is expected to be, none: not there.
    pub(super) fn put(
        &self,
        change: Change,
        (organization, sync): (&str, &str),
        seen: Option<&Revision>,
    ) -> Result<Change, Error> {
        let at = Key::of(organization).id(sync);
        let value = encode(ENDPOINTS, self)?;
        Ok(change.expect(ENDPOINTS, at.clone(), seen).put(ENDPOINTS, at, Life::Standing, value))
    }
}

/// Adds to the change by which a sync goes that its endpoint goes too.
pub(crate) async fn retire(
    keeper: &Keeper,
    change: Change,
    (organization, sync): (&str, &str),
) -> Result<Change, Error> {
    let Some((record, seen)) = EndpointRecord::read(keeper, organization, sync).await? else {
        return Ok(change);
    };
    let at = Key::of(organization).id(sync);
    let change = change.expect(ENDPOINTS, at.clone(), Some(&seen)).delete(ENDPOINTS, at);
    Ok(record.tokens.iter().fold(change, |change, token| change.delete(EVENT_TOKENS, token.digest.bytes())))
}

/// Under what the tokens of a stored endpoint are looked up.
pub(crate) fn digests_of(stored: &[u8]) -> Result<Vec<TokenDigest>, Error> {
    let record: EndpointRecord = decode(ENDPOINTS, stored)?;
    Ok(record.tokens.into_iter().map(|token| token.digest).collect())
}
