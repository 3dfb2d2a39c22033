//! Plans and reports: what a destination and a transform answer.

use super::{Batch, Layout, Layouts, Operations, Reject, StreamSchema};
use serde::{Deserialize, Serialize};

/// What to do with the rows that are there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Leave them; add ours.
    #[default]
    Append,
    /// Update rows with the same key.
    Upsert,
    /// As upsert, and deletions are carried over.
    Mirror,
    /// At the last commit of this generation ours take the place of all that was there.
    Replace,
}

/// A set of modes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `Mode`")]
pub struct Modes {
    pub append: bool,
    pub upsert: bool,
    pub mirror: bool,
    pub replace: bool,
}

impl Modes {
    /// Whether `mode` is in the set.
    pub fn contains(self, mode: Mode) -> bool {
        match mode {
            Mode::Append => self.append,
            Mode::Upsert => self.upsert,
            Mode::Mirror => self.mirror,
            Mode::Replace => self.replace,
        }
    }
}

/// What a destination can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// `committed` tells the truth after a crash.
    pub exactly_once: bool,
    /// One commit makes all streams of the unit visible together.
    pub transactions: bool,
    /// An older fence is refused once a newer one was seen.
    pub fences: bool,
    /// A commit may reject rows that `write` took, and `committed` tells them again.
    pub late_rejects: bool,
    /// Layouts it understands.
    pub layouts: Layouts,
    /// Modes it knows.
    pub modes: Modes,
    /// Operations it knows.
    pub operations: Operations,
}

impl Capabilities {
    /// Whether it says again after a crash what its last commit rejected.
    pub fn tells_late_rejects(self) -> bool {
        self.exactly_once && self.late_rejects
    }
}

/// One stream that will be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPlan {
    /// What its rows look like.
    pub schema: StreamSchema,
    /// What to do with the rows that are there.
    pub mode: Mode,
    /// Counts the refills of a replace.
    pub generation: u64,
}

/// What becomes of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldFate {
    /// Kept as it is.
    Stored,
    /// Kept as something else; no value is lost by it.
    Converted(String),
    /// Kept as something else; values may lose by it.
    Narrowed(String),
    /// Not kept, and why.
    Dropped(String),
    /// The stream cannot be written because of this field, and why.
    Refused(String),
}

/// The verdict on one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldVerdict {
    /// The field's name.
    pub field: String,
    /// What becomes of it.
    pub fate: FieldFate,
}

/// The verdict on one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamVerdict {
    /// The stream's name.
    pub stream: String,
    /// The layout in which its batches are wanted.
    pub layout: Layout,
    /// One for each field of the plan, in its order.
    pub fields: Vec<FieldVerdict>,
}

/// Which rows of a batch were not taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteReport {
    /// The refused rows.
    pub rejected: Vec<Reject>,
}

/// A row that was taken by `write` and cannot be kept after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateReject {
    /// The number that `write` was given.
    pub batch: u64,
    /// The row and why.
    pub reject: Reject,
}

/// What a commit answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitReport {
    /// Rows that could not be kept.
    pub rejected: Vec<LateReject>,
}

/// The last commit of a unit that is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCommit {
    /// Its token.
    pub token: String,
    /// What it answered.
    pub report: CommitReport,
}

/// What comes out of a transform, known before rows flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransformPlan {
    /// Streams that may come out.
    pub outputs: Vec<StreamSchema>,
    /// Layouts in which input is understood.
    pub input_layouts: Layouts,
}

/// Rows that come out of a transform, and whence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The rows.
    pub batch: Batch,
    /// For each row the index of the input row from which it was made.
    pub origin: Vec<u32>,
}

/// What became of one input batch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Transformed {
    /// Rows that come out.
    pub outputs: Vec<Output>,
    /// Input rows that are rejected, each whole.
    pub rejected: Vec<Reject>,
}
