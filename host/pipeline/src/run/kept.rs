//! What is kept of rejected rows, beside the reason.

use super::spec::RowData;
use crate::model::{Batch, StreamSchema};
use crate::records::RowCopy;
use crate::rows::{self, Keys};

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

/// Of these rows of a batch, whose indexes rise.
pub(super) fn kept(batch: &Batch, schema: &StreamSchema, rows: &[u32], row_data: RowData) -> Vec<Kept> {
    let mut kept: Vec<Kept> = if row_data == RowData::Off {
        let named = |fields| Kept { fields, ..Kept::nothing(row_data) };
        rows::field_names(batch, schema, rows).into_iter().map(named).collect()
    } else {
        let copied = |copy| Kept { copy: RowCopy::Row(copy), fields: Vec::new(), key: None };
        rows::singles(batch, rows).into_iter().map(copied).collect()
    };
    if let Some(keys) = Keys::new(schema) {
        let place = |row: u32| rows.binary_search(&row).ok();
        let found = |row, key: &[u8]| {
            if let Some(one) = place(row).and_then(|place| kept.get_mut(place)) {
                one.key = Some(key.to_vec());
            }
        };
        keys.each(batch, |row| place(row).is_some(), found);
    }
    kept
}
