//! Chunks of row errors: one run, stream and schema; compressed, about as large as an engine's value may be.
//!
//! `rows: batches | row errors, one after the other`, all in the compact form, packed. The rows of the batches, one batch
//! behind the other, are those of the row errors that have one, in their order. There is a batch for each source batch of
//! which rows were rejected, so that each row is kept as it was, bit by bit, and many of them cost little.

mod encode;
mod open;

pub(crate) use encode::{Encoded, Encoding, encode};

use crate::codec::{self, unreadable};
use crate::error::Error;
use crate::tables::ERROR_CHUNKS;
use pipeline::model::{Batch, Operation, Rows};
use pipeline::records::{KeptRow, RejectedBy, RowCopy, RowError};
use pipeline::rows;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::Found;

/// What a packed chunk may be, so that sealed it fits an engine's value of 64 KiB. One row may be larger: storage cuts it.
pub(crate) const CHUNK_BYTES_MAX: usize = 62 << 10;
/// Codes are a connector's words: beyond so many different ones, a chunk's index names none.
const CODES_MAX: usize = 32;

/// One row error as it is stored; in a chunk its row is elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredError<Row = RowCopy> {
    /// Its place in the stage: never changes, and makes its number in the run.
    pub(crate) offset: u32,
    /// How often the row was tried, from 1.
    pub(crate) tries: u32,
    /// The run that tried last, where it was not the first.
    pub(crate) tried_by: Option<u64>,
    pub(crate) index: u64,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retryable: bool,
    pub(crate) by: RejectedBy,
    pub(crate) operation: Option<Operation>,
    pub(crate) attempt: u32,
    pub(crate) row: Row,
    pub(crate) fields: Vec<String>,
}

/// What a chunk says of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum StoredRow {
    /// It is the next one of the batches.
    Next,
    /// What is kept instead.
    None(RowCopy),
}

/// What the index says of a chunk, so that most questions need not open it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChunkIndex {
    pub(crate) unit: String,
    pub(crate) stream: String,
    /// Names the schema.
    pub(crate) schema: u64,
    /// Rises when the chunk is written anew.
    pub(crate) revision: u32,
    /// Offsets of the first and the last.
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) rows: u32,
    /// Codes and how many rows have each; none: there are too many different ones.
    pub(crate) codes: Option<BTreeMap<String, u32>>,
    /// Offsets of those whose key was accepted since, and by which run.
    pub(crate) superseded: BTreeMap<u32, u64>,
    pub(crate) created_ms: u64,
}

/// A chunk ready to be stored.
pub(crate) struct EncodedChunk {
    pub(crate) index: ChunkIndex,
    pub(crate) packed: Vec<u8>,
    /// Offset and key of the row errors that have one.
    pub(crate) keys: Vec<(u32, Vec<u8>)>,
}

impl<Row> StoredError<Row> {
    /// The same with its row elsewhere, or here again.
    fn with_row<Other>(self, row: impl FnOnce(Row) -> Other) -> StoredError<Other> {
        let Self { offset, tries, tried_by, index, code, message, .. } = self;
        let Self { retryable, by, operation, attempt, fields, .. } = self;
        let row = row(self.row);
        StoredError {
            offset,
            tries,
            tried_by,
            index,
            code,
            message,
            retryable,
            by,
            operation,
            attempt,
            row,
            fields,
        }
    }
}

/// The row errors of a chunk.
pub(crate) fn decode(found: &Found) -> Result<Vec<StoredError>, Error> {
    let (version, known) = (found.schema_version, ERROR_CHUNKS.schema_version);
    if version != known {
        return Err(unreadable(ERROR_CHUNKS, &format!("it is of version {version}, and {known} is known")));
    }
    let raw = codec::unpack(ERROR_CHUNKS, found.value.expose())?;
    let broken = |error: postcard::Error| unreadable(ERROR_CHUNKS, &error);
    let (batches, mut rest) = postcard::take_from_bytes::<Vec<Batch>>(&raw).map_err(broken)?;
    let mut rows = batches.into_iter().flat_map(rows_of);
    let mut errors = Vec::new();
    while !rest.is_empty() {
        let (error, behind) = postcard::take_from_bytes::<StoredError<StoredRow>>(rest).map_err(broken)?;
        let row = match &error.row {
            StoredRow::Next => rows.next().map(RowCopy::Row),
            StoredRow::None(copy) => Some(copy.clone()),
        };
        let row = row.ok_or_else(|| unreadable(ERROR_CHUNKS, &"it has fewer rows than row errors"))?;
        errors.push(error.with_row(|_| row));
        rest = behind;
    }
    Ok(errors)
}

/// Rows of columns share their batch. Lines would be looked for from its start each time, so each gets its own.
fn rows_of(batch: Batch) -> Vec<KeptRow> {
    let all = 0..batch.row_count();
    match &batch.rows {
        Rows::Columns(_) => {
            let batch = Arc::new(batch);
            all.filter_map(|row| KeptRow::new(Arc::clone(&batch), row)).collect()
        }
        Rows::JsonLines(_) => {
            let lines = rows::singles(&batch, &all.collect::<Vec<u32>>());
            lines.into_iter().map(KeptRow::alone).collect()
        }
    }
}

/// A chunk written anew, with the index that fits it.
pub(crate) fn encode_again(
    errors: &[StoredError],
    index: &ChunkIndex,
) -> Result<(ChunkIndex, Vec<u8>), Error> {
    let packed = encode::pack_again(errors)?;
    let offsets = || errors.iter().map(|error| error.offset);
    let mut superseded = index.superseded.clone();
    superseded.retain(|offset, _| errors.binary_search_by_key(offset, |error| error.offset).is_ok());
    let index = ChunkIndex {
        revision: index.revision + 1,
        first: offsets().min().unwrap_or_default(),
        last: offsets().max().unwrap_or_default(),
        rows: u32::try_from(errors.len()).unwrap_or(u32::MAX),
        codes: count_codes(errors.iter().map(|error| error.code.as_str())),
        superseded,
        ..index.clone()
    };
    Ok((index, packed))
}

fn count_codes<'a>(codes: impl Iterator<Item = &'a str>) -> Option<BTreeMap<String, u32>> {
    let mut counted: BTreeMap<String, u32> = BTreeMap::new();
    for code in codes {
        if let Some(rows) = counted.get_mut(code) {
            *rows += 1;
        } else if counted.len() < CODES_MAX {
            counted.insert(code.to_owned(), 1);
        } else {
            return None;
        }
    }
    Some(counted)
}

impl StoredError {
    /// As the port gives it back.
    pub(crate) fn into_row_error(self) -> RowError {
        let Self { index, code, message, retryable, by, operation, attempt, row, fields, .. } = self;
        RowError { index, code, message, retryable, by, operation, attempt, row, fields, key: None }
    }
}
