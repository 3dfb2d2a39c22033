//! What is kept of rejected rows, beside the reason.

use super::spec::RowData;
use crate::model::{Batch, StreamSchema};
use crate::records::{KeptRow, RowCopy, RowError};
use crate::rows::{self, Keys};
use std::sync::Arc;

/// Of one row.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) copy: RowCopy,
    pub(super) fields: Vec<String>,
    pub(super) key: Option<Vec<u8>>,
}

impl Kept {
    /// Of a row that is not there any more.
    pub(super) fn nothing(row_data: RowData) -> Self {
        let copy = if row_data == RowData::Off { RowCopy::Withheld } else { RowCopy::GivenUp };
        Self { copy, ..Self::withheld() }
    }

    /// Of a row that holds a secret, maybe in its key.
    pub(super) fn withheld() -> Self {
        Self { copy: RowCopy::Withheld, fields: Vec::new(), key: None }
    }
}

/// Of these rows of a batch, whose indexes rise and are within it. The rows share it.
pub(super) fn kept(batch: &Arc<Batch>, schema: &StreamSchema, rows: &[u32], row_data: RowData) -> Vec<Kept> {
    let mut kept: Vec<Kept> = if row_data == RowData::Off {
        let named = |fields| Kept { fields, ..Kept::nothing(row_data) };
        rows::field_names(batch, schema, rows).into_iter().map(named).collect()
    } else {
        let shared = |row: &u32| {
            let row = KeptRow::new(Arc::clone(batch), *row)?;
            Some(Kept { copy: RowCopy::Row(row), fields: Vec::new(), key: None })
        };
        rows.iter().filter_map(shared).collect()
    };
    if let Some(keys) = Keys::new(schema) {
        let found = |row, key: &[u8]| {
            let place = rows.binary_search(&row).ok();
            if let Some(one) = place.and_then(|place| kept.get_mut(place)) {
                one.key = Some(key.to_vec());
            }
        };
        keys.each(batch, rows.iter().copied(), found);
    }
    kept
}

/// Frees the batch that these row errors share, all of one: they share what is left of it, of which the size is told.
pub(super) fn gathered(errors: &mut [RowError]) -> usize {
    let mut shared = None;
    let mut rows = Vec::new();
    for error in errors.iter() {
        if let RowCopy::Row(row) = &error.row {
            let (batch, row) = row.place();
            shared = Some(Arc::clone(batch));
            rows.push(row);
        }
    }
    let Some(shared) = shared else { return 0 };
    let left = Arc::new(rows::take(&shared, &rows));
    let kept = errors.iter_mut().filter(|error| matches!(error.row, RowCopy::Row(_)));
    for (place, error) in (0..).zip(kept) {
        error.row = KeptRow::new(Arc::clone(&left), place).map_or(RowCopy::GivenUp, RowCopy::Row);
    }
    left.byte_count()
}
