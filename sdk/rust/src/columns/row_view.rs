//! One row across all columns.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value as Json};

use super::{cell::Cell, view::ColumnView};
use crate::{Error, Result, Value};

/// One row of a batch of columns. Serde writes it as an object without the absent fields.
#[derive(Debug, Clone, Copy)]
pub struct RowView<'a> {
    columns: &'a [ColumnView<'a>],
    row: usize,
}

impl<'a> RowView<'a> {
    pub(super) fn new(columns: &'a [ColumnView<'a>], row: usize) -> Self {
        Self { columns, row }
    }

    /// The index of the row in its batch.
    pub fn index(&self) -> usize {
        self.row
    }

    /// Names and values, in the order of the schema.
    pub fn cells(&self) -> impl Iterator<Item = (&'a str, Cell<'a>)> + use<'a> {
        let row = self.row;
        self.columns.iter().map(move |column| (column.field().name.as_str(), column.cell(row)))
    }

    /// The value at this place as a Rust value.
    pub fn get<T: Value>(&self, column: usize) -> Result<T> {
        let found = self.columns.get(column);
        let cell = found.map_or(Cell::Absent, |column| column.cell(self.row));
        T::from_cell(cell).ok_or_else(|| {
            let name = found.map_or("?", |column| column.field().name.as_str());
            Error::data(format!("row {}: `{name}` cannot be {cell:?} here", self.row))
        })
    }

    /// The row as a JSON object.
    pub fn to_object(&self) -> Result<Map<String, Json>> {
        match serde_json::to_value(self) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) => Err(Error::bug("a row that is no object")),
            Err(fault) => Err(Error::data(format!("row {}: {fault}", self.row))),
        }
    }
}

impl Serialize for RowView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (name, cell) in self.cells().filter(|(_, cell)| *cell != Cell::Absent) {
            object.serialize_entry(name, &cell)?;
        }
        object.end()
    }
}
