//! Reading: what a source offers, what is asked of it, what it brings.

use super::{Batch, StreamSchema, wire};
use serde::{Deserialize, Serialize};

/// What a source itself does with a selection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushdown {
    /// Leaves out fields that were not selected.
    pub fields: bool,
    /// Returns only rows for which every condition holds.
    pub filter: bool,
    /// Stops after so many rows.
    pub limit: bool,
}

/// One object type of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// Its schema, keys, operations and layout.
    pub schema: StreamSchema,
    /// The read group; none: a group of its own, with the stream's name.
    pub group: Option<String>,
    /// Fields by which the source can move on, most significant first.
    pub cursor_fields: Vec<String>,
    /// Whether a run opened with the last checkpoint returns only what is new.
    pub incremental: bool,
    /// What the source does with a selection.
    pub pushdown: Pushdown,
    /// A hint for progress, never trusted.
    pub estimated_rows: Option<u64>,
    /// For people.
    pub description: Option<String>,
}

impl StreamInfo {
    /// The name of the read group in which this stream is read.
    pub fn group_name(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.schema.stream)
    }
}

/// Streams that are read together, at one position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadGroup {
    /// Its name.
    pub name: String,
    /// Whether pages say where transactions end.
    pub marks_transactions: bool,
}

/// What a source has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Its streams.
    pub streams: Vec<StreamInfo>,
    /// The groups that need saying.
    pub groups: Vec<ReadGroup>,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    IsNull,
    IsNotNull,
}

/// `field comparison value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The field's name.
    pub field: String,
    /// The comparison.
    pub comparison: Comparison,
    /// One JSON value, as text.
    pub value: String,
}

/// What to read of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The stream's name.
    pub stream: String,
    /// The fields wanted, in this order; none: all.
    pub fields: Option<Vec<String>>,
    /// All must hold.
    pub filter: Vec<Condition>,
    /// At most so many rows.
    pub limit: Option<u64>,
}

/// What a reader is opened for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRead {
    /// The read group.
    pub group: String,
    /// The selected streams of it.
    pub selections: Vec<Selection>,
    /// What the rows of each selected stream will look like: its schema with the fields that the source was asked for, in that
    /// order. Not told to the connector: whoever implements the port holds its pages against it.
    pub schemas: Vec<StreamSchema>,
    /// Where an earlier reader of this group was; one JSON value, as text.
    pub checkpoint: Option<String>,
}

/// How much one page may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageBudget {
    /// Rows of all batches of the page.
    pub max_rows: u32,
    /// Bytes of all batches of the page.
    pub max_bytes: u32,
    /// Milliseconds within which the connector should come back.
    pub deadline_ms: u32,
}

/// Which row the source rejects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectedRow {
    /// Bytes that never became a row.
    Raw(#[serde(with = "wire::bytes")] Vec<u8>),
    /// A row that stands in a batch of this page.
    At {
        /// Index of the batch in its page.
        batch: u32,
        /// Index of the row in its batch.
        row: u32,
    },
}

/// A row that the source itself must reject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReject {
    /// The stream's name.
    pub stream: String,
    /// Which row.
    pub row: RejectedRow,
    /// Stable, for machines.
    pub code: String,
    /// For people.
    pub message: String,
    /// Whether reading the row again later could help.
    pub retryable: bool,
}

/// What one call brings. An empty page is legal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Rows.
    pub batches: Vec<Batch>,
    /// Rows that the source rejects.
    pub rejects: Vec<SourceReject>,
    /// Everything before this position is in the pages that the host has; one JSON value, as text.
    pub checkpoint: Option<String>,
    /// Whether a transaction of the other system ends here.
    pub transaction_end: bool,
}

/// What `next` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// Rows, maybe none.
    Page(Page),
    /// Call again after so many milliseconds.
    Wait(u32),
    /// These streams look different from the next page on.
    SchemaChanged(Vec<StreamSchema>),
    /// All has been read.
    End,
}
