//! Builds the columns of one batch.

use super::column_builder::{ColumnBuilder, data_bytes};
use crate::{Columns, DataType, Error, Field, Result, Row};

/// Builds rows as columns.
///
/// ```
/// use cofferdam_sdk::{ColumnsBuilder, ColumnsView, DataType, Field, Schema};
///
/// let schema = Schema::new([Field::new("title", DataType::Text), Field::new("year", DataType::Int64).nullable()]);
/// let mut columns = ColumnsBuilder::new(&schema.fields);
/// for (title, year) in [("Metropolis", Some(1927)), ("unknown", None)] {
///     columns.column(0).push_str(title);
///     match year {
///         Some(year) => columns.column(1).push_i64(year),
///         None => columns.column(1).push_null(),
///     }
/// }
/// let columns = columns.finish()?;
///
/// let view = ColumnsView::new(&schema.fields, &columns)?;
/// assert_eq!(view.texts("title")?.iter().collect::<Vec<_>>(), [Some("Metropolis"), Some("unknown")]);
/// assert_eq!(view.i64s("year")?.iter().collect::<Vec<_>>(), [Some(1927), None]);
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
#[derive(Debug)]
pub struct ColumnsBuilder {
    columns: Vec<ColumnBuilder>,
    /// Takes what is pushed to a column that does not exist.
    stray: ColumnBuilder,
}

impl ColumnsBuilder {
    /// One column for each field, in their order.
    pub fn new(fields: &[Field]) -> Self {
        Self {
            columns: fields.iter().map(ColumnBuilder::new).collect(),
            stray: ColumnBuilder::new(&Field::new("", DataType::Int64)),
        }
    }

    /// The column at this place. What is pushed to a place that does not exist is an error of
    /// [`finish`](Self::finish).
    #[inline]
    pub fn column(&mut self, index: usize) -> &mut ColumnBuilder {
        self.columns.get_mut(index).unwrap_or(&mut self.stray)
    }

    /// All columns, to fill each of them as a whole.
    pub fn columns(&mut self) -> &mut [ColumnBuilder] {
        &mut self.columns
    }

    /// Add one typed row (see [`row!`](crate::row)); the fields must be those of [`Row::fields`].
    pub fn push<R: Row>(&mut self, row: &R) {
        row.append_to(self);
    }

    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.columns.first().map_or(0, ColumnBuilder::row_count)
    }

    /// Bytes of all values, offsets and bitmaps.
    pub fn byte_count(&self) -> usize {
        self.columns.iter().map(ColumnBuilder::byte_count).sum()
    }

    /// Keep only the first rows.
    pub(crate) fn truncate(&mut self, rows: usize) {
        for column in &mut self.columns {
            column.truncate(rows);
        }
    }

    /// The columns; an error if a value was not of its column's type or if the columns differ in length.
    pub fn finish(self) -> Result<Columns> {
        let rows = self.row_count();
        if let Some(column) = self.columns.iter().position(|column| column.row_count() != rows) {
            return Err(Error::bug(format!("column {column} has not {rows} rows as the first one has")));
        }
        if self.stray.row_count() > 0 {
            return Err(Error::bug(format!("a value for a column past the last of {}", self.columns.len())));
        }
        let row_count = u32::try_from(rows).map_err(|_| Error::bug("more rows than a batch can count"))?;
        let columns = self.columns.into_iter().map(|column| column.finish().map_err(Error::bug));
        Ok(Columns { row_count, columns: columns.collect::<Result<_>>()?, children: Vec::new() })
    }
}

impl Columns {
    /// Bytes of all values, offsets and bitmaps.
    pub fn byte_count(&self) -> usize {
        let bitmap = |bits: &Option<Vec<u8>>| bits.as_ref().map_or(0, Vec::len);
        let columns = self.columns.iter();
        columns
            .map(|column| data_bytes(&column.data) + bitmap(&column.validity) + bitmap(&column.presence))
            .sum()
    }
}
