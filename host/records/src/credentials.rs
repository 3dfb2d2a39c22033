//! Credentials as an administrator entered them, sealed: what each is for, who entered it, and its fields.
//!
//! What is told of a credential and what is secret about it are two records, so that listing opens no secret. The secrets of
//! each generation lie under a key of their own: what is revoked is deleted, and so erased by storage, and not overwritten.
//! Knows no kinds and no requests: which fields there are, and which of them are secret, is said by whoever enters them.

mod binding;
mod enter;
mod fields;
mod read;
mod redeem;
mod revoke;
mod update;

pub use binding::CredentialBinding;
pub use enter::EnteredCredential;
pub use fields::CredentialFields;
pub use read::{KeptCredential, OpenedCredential};
pub use update::{CredentialUpdate, UpdateCause};

use crate::error::Error;
use crate::tables::Key;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept of a credential beside its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CredentialRecord {
    pub(crate) name: String,
    pub(crate) binding: CredentialBinding,
    #[serde(default)]
    pub(crate) settings: serde_json::Value,
    pub(crate) public: BTreeMap<String, String>,
    pub(crate) secret: BTreeSet<String>,
    pub(crate) generation: u64,
    pub(crate) entered_ms: u64,
    pub(crate) entered_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refreshed_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) redeeming_ms: Option<u64>,
}

pub(crate) fn record_key(name: &str) -> Key {
    Key::default().name(name)
}

pub(crate) fn secrets_key(name: &str, generation: u64) -> Key {
    Key::default().name(name).number(generation)
}

/// A generation that no earlier credential of this name can have had: whoever still holds one of those changes nothing.
fn first_generation() -> Result<u64, Error> {
    let random: [u8; 8] =
        vault::random_bytes().map_err(vault::SealError::from).map_err(storage::Error::from)?;
    // Room for all that follow, in numbers that JSON can carry.
    Ok(u64::from_be_bytes(random) >> 16)
}
