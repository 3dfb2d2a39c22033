//! Chunks of row errors: one run, stream and schema; compressed, about as large as an engine's value may be.

use crate::codec::{self, unreadable};
use crate::error::Error;
use crate::tables::{ERROR_CHUNKS, ERROR_SCHEMAS};
use pipeline::model::{Operation, StreamSchema};
use pipeline::records::{RejectedBy, RowCopy, RowError, RowErrorChunk};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a packed chunk may be, so that sealed it fits an engine's value of 64 KiB. One row may be larger: storage cuts it.
pub(crate) const CHUNK_BYTES_MAX: usize = 62 << 10;
/// Before packing. Where rows hardly differ, a chunk would else hold a hundred thousand of them.
const RAW_BYTES_MAX: usize = 512 << 10;
/// What packing is guessed to save, before the first chunk has shown it.
const FIRST_RATIO: usize = 2;
/// Codes are a connector's words: beyond so many different ones, a chunk's index names none.
const CODES_MAX: usize = 32;

/// One row error as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredError {
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
    pub(crate) row: RowCopy,
    pub(crate) fields: Vec<String>,
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

/// All row errors of a commit, ready to be stored.
#[derive(Default)]
pub(crate) struct Encoded {
    pub(crate) chunks: Vec<EncodedChunk>,
    pub(crate) schemas: BTreeMap<u64, Arc<StreamSchema>>,
    pub(crate) rows: u32,
}

/// What every chunk of a commit has in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoding {
    pub(crate) row_bytes_max: usize,
    pub(crate) now_ms: u64,
}

/// Packs row errors in their order. Takes long for many: not for a task that others wait for.
pub(crate) fn encode(given: Vec<RowErrorChunk>, encoding: Encoding) -> Result<Encoded, Error> {
    let mut encoded = Encoded::default();
    let mut open: Option<OpenChunk> = None;
    let mut ratio = FIRST_RATIO;
    for RowErrorChunk { unit, schema, errors, .. } in given {
        let fingerprint = fingerprint(&schema)?;
        if open.as_ref().is_some_and(|open| (open.schema, &open.unit) != (fingerprint, &unit)) {
            open.take().map_or(Ok(()), |open| open.close(&mut encoded, &mut ratio, encoding))?;
        }
        for error in errors {
            let chunk = open.get_or_insert_with(|| OpenChunk {
                unit: unit.clone(),
                stream: schema.stream.clone(),
                schema: fingerprint,
                parts: Vec::new(),
                raw: Vec::new(),
            });
            chunk.push(error, encoded.rows, encoding)?;
            encoded.rows += 1;
            if chunk.raw.len() >= (CHUNK_BYTES_MAX * ratio).min(RAW_BYTES_MAX) {
                open.take().map_or(Ok(()), |open| open.close(&mut encoded, &mut ratio, encoding))?;
            }
        }
        encoded.schemas.entry(fingerprint).or_insert_with(|| Arc::new(schema));
    }
    open.map_or(Ok(()), |open| open.close(&mut encoded, &mut ratio, encoding))?;
    Ok(encoded)
}

/// Row errors on their way into a chunk.
struct OpenChunk {
    unit: String,
    stream: String,
    schema: u64,
    parts: Vec<Part>,
    raw: Vec<u8>,
}

/// What the index needs of one of them.
struct Part {
    offset: u32,
    code: String,
    key: Option<Vec<u8>>,
    /// Where it ends in the raw bytes.
    end: usize,
}

impl OpenChunk {
    fn push(&mut self, error: RowError, offset: u32, encoding: Encoding) -> Result<(), Error> {
        let RowError { index, code, message, retryable, by, operation, attempt, row, fields, key } = error;
        let row = within(row, encoding.row_bytes_max);
        let stored = StoredError {
            offset,
            tries: 1,
            tried_by: None,
            index,
            code,
            message,
            retryable,
            by,
            operation,
            attempt,
            row,
            fields,
        };
        append(&mut self.raw, &stored)?;
        self.parts.push(Part { offset, code: stored.code, key, end: self.raw.len() });
        Ok(())
    }

    /// Packed; in halves where it is too large for one chunk.
    fn close(self, encoded: &mut Encoded, ratio: &mut usize, encoding: Encoding) -> Result<(), Error> {
        let packed = codec::pack(ERROR_CHUNKS, &self.raw)?;
        *ratio = (self.raw.len() / packed.len().max(1)).max(1);
        if packed.len() > CHUNK_BYTES_MAX && self.parts.len() > 1 {
            let (front, back) = self.halves();
            front.close(encoded, ratio, encoding)?;
            return back.close(encoded, ratio, encoding);
        }
        let offsets = || self.parts.iter().map(|part| part.offset);
        let index = ChunkIndex {
            first: offsets().min().unwrap_or_default(),
            last: offsets().max().unwrap_or_default(),
            rows: u32::try_from(self.parts.len()).unwrap_or(u32::MAX),
            codes: count_codes(self.parts.iter().map(|part| part.code.as_str())),
            unit: self.unit,
            stream: self.stream,
            schema: self.schema,
            revision: 0,
            superseded: BTreeMap::new(),
            created_ms: encoding.now_ms,
        };
        let keys = self.parts.into_iter().filter_map(|part| Some((part.offset, part.key?))).collect();
        encoded.chunks.push(EncodedChunk { index, packed, keys });
        Ok(())
    }

    fn halves(self) -> (Self, Self) {
        let Self { unit, stream, schema, mut parts, mut raw } = self;
        let mut back_parts = parts.split_off(parts.len() / 2);
        let cut = parts.last().map_or(0, |part| part.end);
        let back_raw = raw.split_off(cut);
        back_parts.iter_mut().for_each(|part| part.end -= cut);
        let back =
            Self { unit: unit.clone(), stream: stream.clone(), schema, parts: back_parts, raw: back_raw };
        (Self { unit, stream, schema, parts, raw }, back)
    }
}

/// The row, unless it is larger than what is kept of one.
fn within(row: RowCopy, bytes_max: usize) -> RowCopy {
    let bytes = match &row {
        RowCopy::Row(batch) => batch.byte_count(),
        RowCopy::Raw(bytes) => bytes.len(),
        _ => 0,
    };
    if bytes > bytes_max { RowCopy::TooLarge { bytes: bytes as u64 } } else { row }
}

fn append(raw: &mut Vec<u8>, error: &StoredError) -> Result<(), Error> {
    *raw =
        postcard::to_extend(error, std::mem::take(raw)).map_err(|error| unreadable(ERROR_CHUNKS, &error))?;
    Ok(())
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

/// Names a schema within a run.
fn fingerprint(schema: &StreamSchema) -> Result<u64, Error> {
    let json = serde_json::to_vec(schema).map_err(|error| unreadable(ERROR_SCHEMAS, &error))?;
    let hash = blake3::hash(&json);
    Ok(hash.as_bytes().first_chunk().copied().map_or(0, u64::from_be_bytes))
}

/// The row errors of a chunk.
pub(crate) fn decode(packed: &[u8]) -> Result<Vec<StoredError>, Error> {
    let raw = codec::unpack(ERROR_CHUNKS, packed)?;
    let mut rest = raw.as_slice();
    let mut errors = Vec::new();
    while !rest.is_empty() {
        let (error, behind) =
            postcard::take_from_bytes(rest).map_err(|error| unreadable(ERROR_CHUNKS, &error))?;
        errors.push(error);
        rest = behind;
    }
    Ok(errors)
}

/// A chunk written anew, with the index that fits it.
pub(crate) fn encode_again(
    errors: &[StoredError],
    index: &ChunkIndex,
) -> Result<(ChunkIndex, Vec<u8>), Error> {
    let mut raw = Vec::new();
    errors.iter().try_for_each(|error| append(&mut raw, error))?;
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
    Ok((index, codec::pack(ERROR_CHUNKS, &raw)?))
}

impl StoredError {
    /// As the port gives it back.
    pub(crate) fn into_row_error(self) -> RowError {
        let Self { index, code, message, retryable, by, operation, attempt, row, fields, .. } = self;
        RowError { index, code, message, retryable, by, operation, attempt, row, fields, key: None }
    }
}
