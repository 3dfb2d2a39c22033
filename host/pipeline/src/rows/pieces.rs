//! Conversion in bounded memory.
//!
//! A layout can be far larger than the other: a line `{}` becomes a value in each of 4,096 columns, a bit becomes a key of
//! 256 bytes. A connector must not be able to fill the host's memory with that, so a batch is converted part by part.

use super::take::slice;
use super::{Converted, RowFault, codes, convert, split, take};
use crate::model::{Batch, DataType, Layout, Reject, Rows, StreamSchema};
use crate::validate::Limits;
use std::sync::Arc;

/// Bytes that one step may add beyond those of the values.
const ADDED_BYTES_MAX: usize = 4 << 20;

/// A part of a batch in the layout that is wanted.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The rows.
    pub batch: Arc<Batch>,
    /// The index that each of them has in the whole batch; none: the piece is the whole batch.
    pub rows: Option<Vec<u32>>,
    /// Rows of the whole batch that could not be converted.
    pub rejected: Vec<Reject>,
}

/// The batch in the layout that is wanted, in pieces that keep the contract's sizes. A batch that has the layout already
/// is handed on without a copy.
pub fn convert_in_pieces<'a>(
    batch: &'a Arc<Batch>,
    schema: &'a StreamSchema,
    layout: Layout,
    limits: &'a Limits,
) -> impl Iterator<Item = Piece> + Send + 'a {
    let count = batch.row_count();
    let same = matches!(
        (&batch.rows, layout),
        (Rows::Columns(_), Layout::Columns) | (Rows::JsonLines(_), Layout::JsonLines)
    );
    let step = if same { count.max(1) } else { rows_at_once(schema, layout) };
    let starts = (0..count).step_by(step as usize);
    starts.flat_map(move |start| {
        if same {
            return vec![Piece { batch: Arc::clone(batch), rows: None, rejected: Vec::new() }];
        }
        let end = start.saturating_add(step).min(count);
        let converted = if start == 0 && end == count {
            convert(batch, schema, layout)
        } else {
            convert(&slice(batch, start..end), schema, layout)
        };
        pieces(converted, start, limits)
    })
}

fn rows_at_once(schema: &StreamSchema, layout: Layout) -> u32 {
    let added: usize = schema
        .schema
        .fields
        .iter()
        .map(|field| match (layout, field.data_type) {
            (Layout::Columns, DataType::Decimal { .. }) => 16,
            (Layout::Columns, _) => 8,
            // The key with its quotes, its colon and a comma, and what a number grows by.
            (Layout::JsonLines, _) => field.name.len() + 20,
        })
        .sum();
    u32::try_from(ADDED_BYTES_MAX / (added + 1)).unwrap_or(u32::MAX).max(1)
}

fn pieces(converted: Converted, start: u32, limits: &Limits) -> Vec<Piece> {
    let nothing = take(&converted.batch, &[]);
    let count = converted.batch.row_count();
    let rows: Vec<u32> = match converted.kept {
        Some(kept) => kept.into_iter().map(|row| row + start).collect(),
        None => (start..start + count).collect(),
    };
    let mut rejected = converted.rejected;
    rejected.iter_mut().for_each(|reject| reject.row += start);
    let mut pieces = Vec::new();
    for (first, batch) in split(Arc::new(converted.batch), limits.batch_bytes_max) {
        let first = first as usize;
        let part = rows.get(first..first + batch.row_count() as usize).unwrap_or_default().to_vec();
        if let (Some(row), true) = (part.first(), batch.byte_count() > limits.row_bytes_max) {
            let message = format!("{} bytes in the layout that is wanted", batch.byte_count());
            rejected.push(RowFault::new(codes::ROW_TOO_LARGE, message).reject(*row));
            continue;
        }
        pieces.push(Piece { batch, rows: Some(part), rejected: Vec::new() });
    }
    match pieces.first_mut() {
        Some(piece) => piece.rejected = rejected,
        None => pieces.push(Piece { batch: Arc::new(nothing), rows: Some(Vec::new()), rejected }),
    }
    pieces
}
