//! What was counted.

use std::fmt;

use cofferdam_sdk::{Operation, RowOperations};

/// What was counted of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Rows of each operation: insert, update, upsert, delete.
    pub rows: [u64; 4],
    /// Rows that were rejected when they were written. They stand among the rows too.
    pub rejected: u64,
    /// Bytes of the batches.
    pub bytes: u64,
    /// Values; all zero unless they are touched.
    pub values: Values,
}

/// What was counted of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Values {
    /// Those that are neither null nor absent.
    pub present: u64,
    /// Nulls.
    pub null: u64,
    /// Absent ones; in JSON lines they cannot be seen.
    pub absent: u64,
    /// A sum over all of them, for which each had to be read. It depends on the layout.
    pub sum: u64,
}

impl Values {
    /// A value, or something made of it.
    #[inline]
    pub(crate) fn add(&mut self, value: u64) {
        self.present += 1;
        self.sum = self.sum.wrapping_add(value);
    }
}

impl Totals {
    /// Rows of all operations.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.rows.iter().sum()
    }

    pub(crate) fn add_rows(&mut self, operations: &RowOperations, count: u32) {
        match operations {
            RowOperations::All(operation) => self.add_row(*operation, count.into()),
            RowOperations::Each(_) => {
                let operations = (0..count).filter_map(|row| operations.get(row));
                operations.for_each(|operation| self.add_row(operation, 1));
            }
        }
    }

    fn add_row(&mut self, operation: Operation, count: u64) {
        if let Some(rows) = self.rows.get_mut(operation as usize) {
            *rows += count;
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} rows", self.row_count())?;
        let named = ["insert", "update", "upsert", "delete"].into_iter().zip(self.rows);
        let parts: Vec<_> = named
            .filter(|(_, rows)| *rows > 0)
            .map(|(operation, rows)| format!("{operation} {rows}"))
            .collect();
        if !parts.is_empty() {
            write!(formatter, " ({})", parts.join(", "))?;
        }
        let Values { present, null, absent, .. } = self.values;
        let (rejected, bytes) = (self.rejected, self.bytes);
        write!(
            formatter,
            ", {rejected} rejected, {bytes} bytes, {present} values, {null} null, {absent} absent"
        )
    }
}
