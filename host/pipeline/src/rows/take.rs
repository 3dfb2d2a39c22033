//! Some rows of a batch, in either layout.

use super::build::Bits;
use crate::model::{Batch, Column, ColumnData, Columns, JsonLines, RowOperations, Rows, VarData, bit};
use std::ops::Range;
use std::sync::Arc;

/// The rows at these indexes, in this order. Indexes past the end are left out.
pub fn take(batch: &Batch, rows: &[u32]) -> Batch {
    let count = batch.row_count();
    if rows.iter().any(|row| *row >= count) {
        let within: Vec<u32> = rows.iter().copied().filter(|row| *row < count).collect();
        return gather_batch(batch, &within);
    }
    gather_batch(batch, rows)
}

/// One row as a batch of its own, which keeps the schema version: this is how a row error keeps its row, bit by bit.
pub fn row(batch: &Batch, row: u32) -> Option<Batch> {
    (row < batch.row_count()).then(|| take(batch, &[row]))
}

/// Cuts a batch into parts of at most so many bytes (or one row), each with the index of its first row. A batch that fits
/// is not copied.
pub fn split(batch: Arc<Batch>, bytes_max: usize) -> Vec<(u32, Arc<Batch>)> {
    let mut parts = Vec::new();
    let mut waiting = vec![(0, batch)];
    while let Some((first, part)) = waiting.pop() {
        let count = part.row_count();
        if part.byte_count() <= bytes_max || count <= 1 {
            parts.push((first, part));
            continue;
        }
        let middle = count / 2;
        waiting.push((first + middle, Arc::new(slice(&part, middle..count))));
        waiting.push((first, Arc::new(slice(&part, 0..middle))));
    }
    parts
}

/// Rows that follow each other.
pub(super) fn slice(batch: &Batch, rows: Range<u32>) -> Batch {
    take(batch, &rows.collect::<Vec<u32>>())
}

fn gather_batch(batch: &Batch, rows: &[u32]) -> Batch {
    let operations = match &batch.operations {
        RowOperations::All(operation) => RowOperations::All(*operation),
        RowOperations::Each(bytes) => RowOperations::Each(gather(bytes, rows)),
    };
    let row_count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let rows = match &batch.rows {
        Rows::Columns(given) => {
            let columns = given.columns.iter().map(|column| gather_column(column, rows)).collect();
            Rows::Columns(Columns { row_count, columns })
        }
        Rows::JsonLines(given) => {
            Rows::JsonLines(JsonLines { row_count, data: gather_lines(&given.data, rows) })
        }
    };
    Batch { stream: batch.stream.clone(), schema_version: batch.schema_version, operations, rows }
}

/// The values at these indexes.
pub(super) fn gather<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    let mut taken = Vec::with_capacity(rows.len());
    for run in runs(rows) {
        taken.extend_from_slice(values.get(run).unwrap_or_default());
    }
    taken
}

fn gather_column(column: &Column, rows: &[u32]) -> Column {
    let bitmap = |bits: &Vec<u8>| gather_bits(bits, rows);
    let data = match &column.data {
        ColumnData::Boolean(bits) => ColumnData::Boolean(bitmap(bits)),
        ColumnData::Int64(values) => ColumnData::Int64(gather(values, rows)),
        ColumnData::Float64(values) => ColumnData::Float64(gather(values, rows)),
        ColumnData::Decimal(words) => ColumnData::Decimal(gather_words(words, rows)),
        ColumnData::Text(var) => ColumnData::Text(gather_var(var, rows)),
        ColumnData::Bytes(var) => ColumnData::Bytes(gather_var(var, rows)),
        ColumnData::Json(var) => ColumnData::Json(gather_var(var, rows)),
        ColumnData::Date(days) => ColumnData::Date(gather(days, rows)),
        ColumnData::Time(micros) => ColumnData::Time(gather(micros, rows)),
        ColumnData::Timestamp(micros) => ColumnData::Timestamp(gather(micros, rows)),
    };
    Column {
        validity: column.validity.as_ref().map(bitmap),
        presence: column.presence.as_ref().map(bitmap),
        data,
    }
}

fn gather_bits(bits: &[u8], rows: &[u32]) -> Vec<u8> {
    let mut taken = Bits::default();
    for row in rows {
        taken.push(bit(bits, *row as usize));
    }
    taken.finish()
}

fn gather_words(words: &[u64], rows: &[u32]) -> Vec<u64> {
    let mut taken = Vec::with_capacity(rows.len() * 2);
    for run in runs(rows) {
        taken.extend_from_slice(words.get(run.start * 2..run.end * 2).unwrap_or_default());
    }
    taken
}

fn gather_var(var: &VarData, rows: &[u32]) -> VarData {
    let mut taken = VarData { offsets: Vec::with_capacity(rows.len() + 1), data: Vec::new() };
    taken.offsets.push(0);
    for run in runs(rows) {
        let offsets = var.offsets.get(run.start..=run.end).unwrap_or_default();
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else { continue };
        let base = taken.offsets.last().copied().unwrap_or(0);
        taken.offsets.extend(offsets.iter().skip(1).map(|offset| base + (offset - first)));
        let bytes = usize::try_from(first).ok().zip(usize::try_from(last).ok());
        let bytes = bytes.and_then(|(first, last)| var.data.get(first..last));
        taken.data.extend_from_slice(bytes.unwrap_or_default());
    }
    taken
}

fn gather_lines(data: &[u8], rows: &[u32]) -> Vec<u8> {
    let mut starts = vec![0];
    starts.extend(memchr::memchr_iter(b'\n', data).map(|end| end + 1));
    let mut taken = Vec::new();
    for run in runs(rows) {
        if let (Some(&start), Some(&end)) = (starts.get(run.start), starts.get(run.end)) {
            taken.extend_from_slice(data.get(start..end).unwrap_or_default());
        }
    }
    taken
}

/// Ranges of indexes that follow each other, so that most rows are copied many at once.
fn runs(rows: &[u32]) -> impl Iterator<Item = Range<usize>> {
    rows.chunk_by(|before, after| before.checked_add(1) == Some(*after)).filter_map(|run| {
        let (first, last) = (*run.first()?, *run.last()?);
        Some(first as usize..last as usize + 1)
    })
}
