//! The head of an organization: what every change of it expects to be as it was.
//!
//! `epoch 16 | u64: since when something waits to be erased, in milliseconds; 0: nothing does`. The epoch is replaced
//! after the organization's key was rotated, so a change that was sealed under the former key cannot come behind the job
//! that seals anew; and when the organization is deleted, so nothing comes behind that either.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vault::{SealError, random_bytes};

use crate::error::Error;
use crate::storage::Storage;

/// The head of an organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    epoch: [u8; 16],
    pub(crate) erase_since_ms: Option<u64>,
}

impl Head {
    /// One of another epoch, in which nothing waits.
    pub(crate) fn fresh() -> Result<Self, Error> {
        Ok(Self { epoch: random_bytes().map_err(SealError::from)?, erase_since_ms: None })
    }

    /// The same, in which something waits.
    pub(crate) fn to_be_erased(self, since_ms: u64) -> Self {
        Self { erase_since_ms: Some(since_ms.max(1)), ..self }
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        [self.epoch.as_slice(), &self.erase_since_ms.unwrap_or(0).to_be_bytes()].concat()
    }

    /// An organization that has no head has an empty one.
    pub(crate) fn decode(bytes: Option<&[u8]>) -> Result<Self, Error> {
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        let format = || Error::Format { found: bytes.first().copied().unwrap_or_default() };
        let (epoch, since) = bytes.split_first_chunk().ok_or_else(format)?;
        let since: &[u8; 8] = since.try_into().map_err(|_| format())?;
        let since_ms = u64::from_be_bytes(*since);
        Ok(Self { epoch: *epoch, erase_since_ms: (since_ms != 0).then_some(since_ms) })
    }
}

/// Heads as they were last seen, so that a change need not read its own. One that is outdated makes the change conflict.
#[derive(Default)]
pub(crate) struct Heads(Mutex<HashMap<String, Option<Vec<u8>>>>);

impl Heads {
    fn seen(&self) -> MutexGuard<'_, HashMap<String, Option<Vec<u8>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn forget(&self, organization: &str) {
        self.seen().remove(organization);
    }
}

impl Storage {
    /// The head as it is stored.
    pub(crate) async fn head(&self, organization: &str) -> Result<Option<Vec<u8>>, Error> {
        let seen = self.heads.seen().get(organization).cloned();
        if let Some(head) = seen {
            return Ok(head);
        }
        let head = self.stored(&Self::head_key(organization)?).await?;
        self.heads.seen().insert(organization.to_owned(), head.clone());
        Ok(head)
    }
}
