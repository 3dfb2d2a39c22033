//! The columns of one batch, filled row by row.

use cofferdam_sdk::Columns;

use super::Column;
use crate::kind::Kind;

/// The columns of one batch. A row is whole with [`end_row`](Self::end_row) and gone with
/// [`abort_row`](Self::abort_row).
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    pub(crate) fn new(kinds: &[Kind]) -> Self {
        Self { columns: kinds.iter().map(|kind| Column::new(*kind)).collect(), rows: 0 }
    }

    /// Whole rows.
    pub(crate) fn row_count(&self) -> usize {
        self.rows
    }

    #[inline]
    pub(crate) fn column(&mut self, index: usize) -> Option<&mut Column> {
        self.columns.get_mut(index)
    }

    /// Whether this row already has a value in a column.
    pub(crate) fn has_value(&self, index: usize) -> bool {
        self.columns.get(index).is_some_and(|column| column.row_count() > self.rows)
    }

    /// The row is whole; columns that got no value are absent in it.
    pub(crate) fn end_row(&mut self) {
        self.rows += 1;
        for column in &mut self.columns {
            if column.row_count() < self.rows {
                column.push_absent();
            }
        }
    }

    /// So many rows were appended to every column.
    pub(crate) fn end_rows(&mut self, count: usize) {
        self.rows += count;
    }

    /// Take back what was appended of this row.
    pub(crate) fn abort_row(&mut self) {
        for column in &mut self.columns {
            column.truncate(self.rows);
        }
    }

    pub(crate) fn finish(self) -> Columns {
        Columns {
            row_count: u32::try_from(self.rows).unwrap_or(u32::MAX),
            columns: self.columns.into_iter().map(Column::finish).collect(),
            children: Vec::new(),
        }
    }
}
