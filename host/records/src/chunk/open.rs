//! A chunk that is being filled.

use super::{CHUNK_BYTES_MAX, ChunkIndex, EncodedChunk, StoredError, StoredRow, count_codes};
use crate::codec::{Packer, unreadable};
use crate::error::Error;
use crate::tables::ERROR_CHUNKS;
use pipeline::model::{Batch, RowOperations, Rows};
use pipeline::rows;
use std::collections::BTreeMap;

/// Row errors on their way into a chunk.
pub(super) struct OpenChunk {
    pub(super) unit: String,
    stream: String,
    pub(super) schema: u64,
    parts: Vec<Part>,
    /// The row errors, in the compact form.
    errors: Vec<u8>,
    /// Rows of those that have one.
    rows: Vec<Batch>,
    rows_bytes: usize,
}

/// What is to be known of one of them when the chunk is closed.
struct Part {
    offset: u32,
    code: String,
    key: Option<Vec<u8>>,
    has_row: bool,
    /// Where it ends among the row errors.
    end: usize,
}

impl OpenChunk {
    pub(super) fn new(unit: &str, stream: &str, schema: u64) -> Self {
        Self {
            unit: unit.to_owned(),
            stream: stream.to_owned(),
            schema,
            parts: Vec::new(),
            errors: Vec::new(),
            rows: Vec::new(),
            rows_bytes: 0,
        }
    }

    /// About how large it is, unpacked.
    pub(super) fn byte_count(&self) -> usize {
        self.errors.len() + self.rows_bytes
    }

    pub(super) fn push(&mut self, given: (StoredError<StoredRow>, Option<Vec<u8>>)) -> Result<(), Error> {
        let (error, key) = given;
        let errors = postcard::to_extend(&error, std::mem::take(&mut self.errors));
        self.errors = errors.map_err(|error| unreadable(ERROR_CHUNKS, &error))?;
        let StoredError { offset, code, row, .. } = error;
        self.parts.push(Part { offset, code, key, has_row: row == StoredRow::Next, end: self.errors.len() });
        Ok(())
    }

    /// The rows of row errors that were pushed, behind those that are there. Lines join the lines before them.
    pub(super) fn push_rows(&mut self, batch: Option<Batch>, bytes: usize) {
        let Some(batch) = batch else { return };
        self.rows_bytes += bytes;
        if let Some(last) = self.rows.last_mut()
            && is_alike(last, &batch)
            && let (Rows::JsonLines(lines), Rows::JsonLines(more)) = (&mut last.rows, &batch.rows)
        {
            lines.row_count += more.row_count;
            lines.data.extend_from_slice(&more.data);
            return;
        }
        self.rows.push(batch);
    }

    /// Packed, in halves where it is too large for one chunk. Answers how large it is then.
    pub(super) fn close(
        self,
        chunks: &mut Vec<EncodedChunk>,
        packer: &mut Packer,
        created_ms: u64,
    ) -> Result<usize, Error> {
        let packed = self.pack(packer)?;
        if packed.len() > CHUNK_BYTES_MAX && self.parts.len() > 1 {
            let (front, back) = self.halves();
            let front = front.close(chunks, packer, created_ms)?;
            return Ok(front + back.close(chunks, packer, created_ms)?);
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
            created_ms,
        };
        let keys = self.parts.into_iter().filter_map(|part| Some((part.offset, part.key?))).collect();
        let bytes = packed.len();
        chunks.push(EncodedChunk { index, packed, keys });
        Ok(bytes)
    }

    pub(super) fn pack(&self, packer: &mut Packer) -> Result<Vec<u8>, Error> {
        let raw = Vec::with_capacity(self.byte_count() + self.byte_count() / 4);
        let mut raw =
            postcard::to_extend(&self.rows, raw).map_err(|error| unreadable(ERROR_CHUNKS, &error))?;
        raw.extend_from_slice(&self.errors);
        packer.pack(&raw)
    }

    fn halves(self) -> (Self, Self) {
        let Self { unit, stream, schema, mut parts, mut errors, rows, rows_bytes } = self;
        let mut back_parts = parts.split_off(parts.len() / 2);
        let cut = parts.last().map_or(0, |part| part.end);
        let back_errors = errors.split_off(cut);
        back_parts.iter_mut().for_each(|part| part.end -= cut);
        let in_front = parts.iter().filter(|part| part.has_row).count();
        let (rows, back_rows) = split(rows, u32::try_from(in_front).unwrap_or(u32::MAX));
        let rows_bytes = rows_bytes / 2;
        let back = Self {
            unit: unit.clone(),
            stream: stream.clone(),
            schema,
            parts: back_parts,
            errors: back_errors,
            rows: back_rows,
            rows_bytes,
        };
        (Self { unit, stream, schema, parts, errors, rows, rows_bytes }, back)
    }
}

/// Whether the lines of both may stand in one batch without a change to any.
fn is_alike(first: &Batch, second: &Batch) -> bool {
    let one_for_all =
        matches!(first.operations, RowOperations::All(_)) && first.operations == second.operations;
    one_for_all && (&first.stream, first.schema_version) == (&second.stream, second.schema_version)
}

/// The first rows, so many, and the others.
fn split(batches: Vec<Batch>, mut in_front: u32) -> (Vec<Batch>, Vec<Batch>) {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    for batch in batches {
        let count = batch.row_count();
        match in_front {
            0 => back.push(batch),
            _ if in_front >= count => front.push(batch),
            _ => {
                front.push(rows::take(&batch, &(0..in_front).collect::<Vec<u32>>()));
                back.push(rows::take(&batch, &(in_front..count).collect::<Vec<u32>>()));
            }
        }
        in_front = in_front.saturating_sub(count);
    }
    (front, back)
}
