//! Rejected rows, and what is kept of them.

use super::KeptRow;
use crate::model::{Operation, StreamSchema};
use serde::{Deserialize, Serialize};

/// Who rejected a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectedBy {
    /// The source.
    Source,
    /// The host: a value without a form in the layout that is wanted, an operation that the destination does not know.
    Host,
    /// The transform at this place, from 0.
    Transform(u32),
    /// The destination, when the row was written or when it was committed.
    Destination,
}

/// What is kept of the row itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowCopy {
    /// The source row, by the schema of its chunk: reprocessing is bit-exact.
    Row(KeptRow),
    /// Bytes that never became a row, base64 in JSON.
    Raw(#[serde(with = "crate::model::wire_bytes")] Vec<u8>),
    /// Nothing: the row was rejected so long after it was read that its copy had been given up for memory; or its rejection
    /// came to light only after a crash, and there were more such rows than are kept.
    GivenUp,
    /// Nothing: the sync says that no row data is kept (`row_data = "off"`), or the row holds a secret
    /// ([`ROW_CODE`](crate::secrets::ROW_CODE)).
    Withheld,
    /// Nothing: the row is larger than what is kept of one. A run never says this; whoever keeps the records may.
    TooLarge {
        /// How large it was.
        bytes: u64,
    },
}

/// One rejected row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowError {
    /// Counts the rows of the stream in this run, from 0, in the order in which the source gave them.
    pub index: u64,
    /// Stable, for machines.
    pub code: String,
    /// For people; may quote the row. Empty where no row data is kept.
    pub message: String,
    /// Whether the same row could be taken at a later time.
    pub retryable: bool,
    /// Who rejected it.
    pub by: RejectedBy,
    /// What the row asked for; none for bytes that never became a row.
    pub operation: Option<Operation>,
    /// The attempt of the run in which it happened, from 1.
    pub attempt: u32,
    /// The row.
    pub row: RowCopy,
    /// The declared fields that the row had. Filled only where no row data is kept, so that something is said of it.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Names the row by its key fields, the same bytes for the same key in every run and layout, and different bytes for
    /// different keys. None for rows without a key, or in which a field of it is missing or null. These are values of the
    /// row in the clear: an implementation of [`RunRecords`](super::RunRecords) makes keyed hashes of them, for
    /// [`OpenKeys`](super::OpenKeys), and neither stores them nor gives them back.
    #[serde(default, with = "crate::model::wire_optional_bytes")]
    pub key: Option<Vec<u8>>,
}

/// Rejected rows of one stream, one version of its schema and one commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowErrorChunk {
    /// The run.
    pub run: u64,
    /// The commit unit.
    pub unit: String,
    /// By which the rows are laid out; its name is the stream's.
    pub schema: StreamSchema,
    /// The rows.
    pub errors: Vec<RowError>,
}

impl RowErrorChunk {
    /// As they may be kept in memory: without keys, and without the batches in which their rows came.
    pub(super) fn detach(chunks: &mut [Self]) {
        for error in chunks.iter_mut().flat_map(|chunk| &mut chunk.errors) {
            error.key = None;
            if let RowCopy::Row(row) = &mut error.row {
                *row = KeptRow::alone(row.to_batch());
            }
        }
    }
}
