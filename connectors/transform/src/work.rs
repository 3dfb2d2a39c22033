//! One batch between two steps: columns, the rows that are left, and what was rejected.

use cofferdam_sdk::{
    Batch, Column, ColumnData, Columns, ColumnsView, Error, Field, Operation, Output, Reject, Result,
    RowOperations, Rows, StreamSchema, Transformed,
};

use crate::take::{fixed, take};

/// One batch between two steps.
#[derive(Debug)]
pub(crate) struct Work {
    columns: Vec<Column>,
    rows: u32,
    operations: RowOperations,
    /// The index in the input of each row that is left; none: all are.
    origin: Option<Vec<u32>>,
    rejected: Vec<Reject>,
}

impl Work {
    /// The batch as it came; `fields` are those that its columns must be of.
    pub(crate) fn new(batch: Batch, fields: usize) -> Result<Self> {
        let Rows::Columns(Columns { row_count, columns, .. }) = batch.rows else {
            return Err(Error::bug(format!(
                "`{}` comes as JSON lines, asked for were columns",
                batch.stream
            )));
        };
        if columns.len() != fields {
            let message =
                format!("`{}` comes with {} columns, planned were {fields}", batch.stream, columns.len());
            return Err(Error::bug(message));
        }
        Ok(Self {
            columns,
            rows: row_count,
            operations: batch.operations,
            origin: None,
            rejected: Vec::new(),
        })
    }

    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    pub(crate) fn operation(&self, row: u32) -> Option<Operation> {
        self.operations.get(row)
    }

    /// Reject a row that is left; the caller keeps the others.
    pub(crate) fn reject(&mut self, row: u32, code: &str, message: String) {
        let origin = match &self.origin {
            Some(origin) => origin.get(row as usize).copied().unwrap_or(row),
            None => row,
        };
        self.rejected.push(Reject::new(origin, code, message));
    }

    /// Keep only these rows, named in rising order.
    pub(crate) fn keep(&mut self, kept: &[u32]) {
        if kept.len() == self.rows as usize {
            return;
        }
        self.columns =
            std::mem::take(&mut self.columns).into_iter().map(|column| take(column, kept)).collect();
        self.origin = Some(match &self.origin {
            Some(origin) => fixed(origin, kept),
            None => kept.to_vec(),
        });
        if let RowOperations::Each(bytes) = &mut self.operations {
            *bytes = fixed(bytes, kept);
        }
        // No more than there were.
        self.rows = kept.len() as u32;
    }

    /// Look at the columns at these places; only they are checked. The fields are theirs.
    pub(crate) fn view<T>(
        &mut self,
        places: &[usize],
        fields: &[Field],
        look: impl FnOnce(&ColumnsView<'_>, &mut Self) -> T,
    ) -> Result<T> {
        let columns = places.iter().map(|place| self.lend(*place)).collect();
        let columns = Columns { row_count: self.rows, columns, children: Vec::new() };
        let looked = ColumnsView::new(fields, &columns).map(|view| look(&view, self));
        for (place, column) in places.iter().zip(columns.columns) {
            self.put(*place, column);
        }
        looked
    }

    fn lend(&mut self, place: usize) -> Column {
        let empty = Column { validity: None, presence: None, data: ColumnData::Int64(Vec::new()) };
        self.columns
            .get_mut(place)
            .map_or_else(|| empty.clone(), |column| std::mem::replace(column, empty.clone()))
    }

    /// Put a column at a place; past the last one it is added.
    pub(crate) fn put(&mut self, place: usize, column: Column) {
        match self.columns.get_mut(place) {
            Some(there) => *there = column,
            None => self.columns.push(column),
        }
    }

    pub(crate) fn drop_column(&mut self, place: usize) {
        if place < self.columns.len() {
            self.columns.remove(place);
        }
    }

    /// What became of the batch.
    pub(crate) fn finish(self, schema: &StreamSchema) -> Transformed {
        let mut outputs = Vec::new();
        if self.rows > 0 {
            let origin = self.origin.unwrap_or_else(|| (0..self.rows).collect());
            let columns = Columns { row_count: self.rows, columns: self.columns, children: Vec::new() };
            outputs.push(Output { batch: Batch::with_operations(schema, self.operations, columns), origin });
        }
        Transformed { outputs, rejected: self.rejected }
    }
}
