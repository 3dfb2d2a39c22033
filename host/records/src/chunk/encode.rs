//! Packs row errors in their order: the rejected rows of one source batch are gathered at once.

use super::open::OpenChunk;
use super::{CHUNK_BYTES_MAX, EncodedChunk, StoredError, StoredRow};
use crate::codec::{Packer, unreadable};
use crate::error::Error;
use crate::tables::{ERROR_CHUNKS, ERROR_SCHEMAS};
use pipeline::model::{Batch, StreamSchema};
use pipeline::records::{KeptRow, RowCopy, RowError, RowErrorChunk};
use pipeline::rows;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Before packing. Where rows hardly differ, a chunk would else hold a hundred thousand of them.
const RAW_BYTES_MAX: usize = 512 << 10;
/// What packing is guessed to save, before the first chunk has shown it.
const FIRST_RATIO: usize = 2;

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
    let mut encoder = Encoder {
        encoding,
        encoded: Encoded::default(),
        packer: Packer::new(ERROR_CHUNKS)?,
        open: None,
        raw_bytes_max: CHUNK_BYTES_MAX * FIRST_RATIO,
    };
    given.into_iter().try_for_each(|chunk| encoder.add(chunk))?;
    encoder.close()?;
    Ok(encoder.encoded)
}

struct Encoder {
    encoding: Encoding,
    encoded: Encoded,
    packer: Packer,
    open: Option<OpenChunk>,
    /// When a chunk is closed, by how well the one before it was packed.
    raw_bytes_max: usize,
}

impl Encoder {
    fn add(&mut self, chunk: RowErrorChunk) -> Result<(), Error> {
        let RowErrorChunk { unit, schema, errors, .. } = chunk;
        let fingerprint = fingerprint(&schema)?;
        let fits = |open: &OpenChunk| (open.schema, &open.unit) == (fingerprint, &unit);
        if !self.open.as_ref().is_some_and(fits) {
            self.close()?;
        }
        let runs: Vec<usize> = errors.chunk_by(share_a_batch).map(<[RowError]>::len).collect();
        let mut errors = errors.into_iter();
        for run in runs {
            let of_one_batch: Vec<RowError> = errors.by_ref().take(run).collect();
            self.add_some(of_one_batch, || OpenChunk::new(&unit, &schema.stream, fingerprint))?;
        }
        self.encoded.schemas.entry(fingerprint).or_insert_with(|| Arc::new(schema));
        Ok(())
    }

    /// Row errors whose rows are all of one batch.
    fn add_some(&mut self, errors: Vec<RowError>, open: impl Fn() -> OpenChunk) -> Result<(), Error> {
        let mut gathered = Gathered::of(&errors, self.encoding.row_bytes_max);
        let (mut waiting, mut bytes) = (0..0, 0);
        for error in errors {
            let row = match error.row {
                RowCopy::Row(_) => match gathered.sizes.next().unwrap_or_default() {
                    size if size > self.encoding.row_bytes_max => StoredRow::None(too_large(size)),
                    size => {
                        waiting.end += 1;
                        bytes += size;
                        StoredRow::Next
                    }
                },
                RowCopy::Raw(bytes) if bytes.len() > self.encoding.row_bytes_max => {
                    StoredRow::None(too_large(bytes.len()))
                }
                copy => StoredRow::None(copy),
            };
            let chunk = self.open.get_or_insert_with(&open);
            chunk.push(first_try(RowError { row: RowCopy::GivenUp, ..error }, row, self.encoded.rows))?;
            self.encoded.rows += 1;
            if chunk.byte_count() + bytes >= self.raw_bytes_max {
                chunk.push_rows(gathered.rows(waiting.clone()), bytes);
                (waiting, bytes) = (waiting.end..waiting.end, 0);
                self.close()?;
            }
        }
        if let Some(chunk) = self.open.as_mut().filter(|_| !waiting.is_empty()) {
            chunk.push_rows(gathered.rows(waiting), bytes);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let raw = open.byte_count();
        let packed = open.close(&mut self.encoded.chunks, &mut self.packer, self.encoding.now_ms)?;
        // An eighth less, so that the next chunk seldom comes out too large and has to be packed again.
        let fits = raw.saturating_mul(CHUNK_BYTES_MAX) / packed.max(1) / 8 * 7;
        self.raw_bytes_max = fits.clamp(CHUNK_BYTES_MAX, RAW_BYTES_MAX);
        Ok(())
    }
}

/// The rows of some row errors, copied out of their batch.
struct Gathered {
    batch: Option<Batch>,
    /// Of each row error that has a row, in their order; also of those that are too large, which are not in the batch.
    sizes: std::vec::IntoIter<usize>,
}

impl Gathered {
    fn of(errors: &[RowError], row_bytes_max: usize) -> Self {
        let kept = || errors.iter().filter_map(|error| kept_row(error).map(KeptRow::place));
        let Some((batch, _)) = kept().next() else {
            return Self { batch: None, sizes: Vec::new().into_iter() };
        };
        let mut batch = rows::take(batch, &kept().map(|(_, row)| row).collect::<Vec<u32>>());
        let sizes = rows::sizes(&batch);
        if sizes.iter().any(|size| *size > row_bytes_max) {
            let small = (0..).zip(&sizes).filter(|(_, size)| **size <= row_bytes_max).map(|(row, _)| row);
            batch = rows::take(&batch, &small.collect::<Vec<u32>>());
        }
        Self { batch: Some(batch), sizes: sizes.into_iter() }
    }

    /// These of them; often all.
    fn rows(&mut self, wanted: Range<u32>) -> Option<Batch> {
        if self.batch.as_ref().is_some_and(|batch| wanted == (0..batch.row_count())) {
            return self.batch.take();
        }
        self.batch.as_ref().map(|batch| rows::take(batch, &wanted.collect::<Vec<u32>>()))
    }
}

fn kept_row(error: &RowError) -> Option<&KeptRow> {
    if let RowCopy::Row(row) = &error.row { Some(row) } else { None }
}

fn share_a_batch(first: &RowError, second: &RowError) -> bool {
    match (kept_row(first), kept_row(second)) {
        (Some(first), Some(second)) => Arc::ptr_eq(first.place().0, second.place().0),
        (first, second) => first.is_none() && second.is_none(),
    }
}

fn too_large(bytes: usize) -> RowCopy {
    RowCopy::TooLarge { bytes: bytes as u64 }
}

/// With the key beside it, of which only a hash is stored.
fn first_try(error: RowError, row: StoredRow, offset: u32) -> (StoredError<StoredRow>, Option<Vec<u8>>) {
    let RowError { index, code, message, retryable, by, operation, attempt, fields, key, .. } = error;
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
    (stored, key)
}

/// Names a schema within a run.
fn fingerprint(schema: &StreamSchema) -> Result<u64, Error> {
    let json = serde_json::to_vec(schema).map_err(|error| unreadable(ERROR_SCHEMAS, &error))?;
    let hash = blake3::hash(&json);
    Ok(hash.as_bytes().first_chunk().copied().map_or(0, u64::from_be_bytes))
}

/// Row errors that were decoded, packed as one chunk whatever its size.
pub(super) fn pack_again(errors: &[StoredError]) -> Result<Vec<u8>, Error> {
    let mut open = OpenChunk::new("", "", 0);
    let row = |error: &StoredError| {
        if let RowCopy::Row(row) = &error.row { Some(row.clone()) } else { None }
    };
    let kept: Vec<KeptRow> = errors.iter().filter_map(row).collect();
    for some in kept.chunk_by(|first, second| Arc::ptr_eq(first.place().0, second.place().0)) {
        let Some((batch, _)) = some.first().map(KeptRow::place) else { continue };
        let wanted: Vec<u32> = some.iter().map(|row| row.place().1).collect();
        open.push_rows(Some(rows::take(batch, &wanted)), 0);
    }
    for error in errors {
        let stored = error.clone().with_row(|copy| match copy {
            RowCopy::Row(_) => StoredRow::Next,
            copy => StoredRow::None(copy),
        });
        open.push((stored, None))?;
    }
    open.pack(&mut Packer::new(ERROR_CHUNKS)?)
}
