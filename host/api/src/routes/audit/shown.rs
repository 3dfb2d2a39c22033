//! Entries, checkpoints and proofs as they are shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use control::{Outcome, PersonalFields, Proof, ReadEntry, Remembered};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An entry of an audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownEntry {
    /// Its number, from 0.
    number: u64,
    at_ms: u64,
    /// What was done.
    act: String,
    /// The id of who did it.
    actor: String,
    /// The id of what it was done to.
    subject: String,
    /// Whether it was done.
    was_refused: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
    /// What tells who somebody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    personal: Option<ShownPersonal>,
}

/// What tells who somebody is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownPersonal {
    /// The person's id.
    person: String,
    /// None: they were made unreadable.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<String, String>>,
}

/// How far a log has come, signed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownCheckpoint {
    /// To be kept elsewhere.
    pub(crate) checkpoint: String,
    /// By which it is judged. To be kept elsewhere too.
    pub(crate) key: String,
}

/// A checkpoint that was kept elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    #[schema(max_length = 4096)]
    pub(crate) checkpoint: String,
}

/// Hashes that prove something, in base64.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownProof {
    size: u64,
    path: Vec<String>,
}

/// What a log is, held against a checkpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub(crate) enum Compared {
    /// The log begins with what the checkpoint saw.
    Fits,
    /// The log has fewer entries than it once had: an old copy was put back.
    Restored { entries: u64, remembered: u64 },
    /// Entries that the checkpoint saw are others now.
    Rewritten { remembered: u64 },
}

impl From<ReadEntry> for ShownEntry {
    fn from(entry: ReadEntry) -> Self {
        let ReadEntry { number, at_ms, act, actor, subject, outcome, details, personal } = entry;
        let personal = match personal {
            PersonalFields::None => None,
            PersonalFields::Of(of) => Some(ShownPersonal { person: of.person, fields: Some(of.fields) }),
            PersonalFields::Shredded { person } => Some(ShownPersonal { person, fields: None }),
        };
        Self {
            number,
            at_ms,
            act,
            actor,
            subject,
            was_refused: outcome == Outcome::Refused,
            details,
            personal,
        }
    }
}

impl ShownProof {
    pub(crate) fn of(proof: &Proof) -> Self {
        Self { size: proof.size, path: proof.path.iter().map(|hash| STANDARD.encode(hash)).collect() }
    }
}

impl From<Remembered> for Compared {
    fn from(remembered: Remembered) -> Self {
        match remembered {
            Remembered::Fits => Self::Fits,
            Remembered::Restored { entries, remembered } => Self::Restored { entries, remembered },
            Remembered::Rewritten { remembered } => Self::Rewritten { remembered },
        }
    }
}
