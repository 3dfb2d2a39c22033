//! The key of a row as bytes, by which row errors of one row are found in other runs.
//!
//! For each key field, by name: the name, a byte for the type, the value; texts with their length before them. So different
//! keys never have the same bytes, and a key has the same bytes in each layout: what JSON may write in several ways (a
//! number, a decimal, an instant) is read by its type first. Only values of type json are taken by their text.

use super::cell::{Cell, of_column, of_json};
use super::json_line::{FieldIndex, ParsedLine, lines};
use crate::model::{Batch, Columns, DataType, JsonLines, Rows, StreamSchema, Zone};

/// How the rows of a stream are named.
#[derive(Debug)]
pub struct Keys<'s> {
    schema: &'s StreamSchema,
    fields: Vec<KeyField<'s>>,
}

#[derive(Debug)]
struct KeyField<'s> {
    place: usize,
    name: &'s str,
    data_type: DataType,
}

impl<'s> Keys<'s> {
    /// None for rows without a key, and where a field of it is not declared.
    pub fn new(schema: &'s StreamSchema) -> Option<Self> {
        let find = |key: &String| {
            let declared = &schema.schema.fields;
            let (place, field) = declared.iter().enumerate().find(|(_, field)| field.name == *key)?;
            Some(KeyField { place, name: &field.name, data_type: field.data_type })
        };
        let mut fields: Vec<KeyField<'s>> = schema.keys.iter().map(find).collect::<Option<_>>()?;
        // The same fields are the same key, in whichever order a source names them.
        fields.sort_by_key(|field| field.name);
        (!fields.is_empty()).then_some(Self { schema, fields })
    }

    /// Calls `found` for each of the wanted rows, whose indexes rise, that has a value in each field of the key; the bytes
    /// are those of [`RowError::key`](crate::records::RowError::key).
    pub fn each(&self, batch: &Batch, wanted: impl Iterator<Item = u32>, found: impl FnMut(u32, &[u8])) {
        match &batch.rows {
            Rows::Columns(given) => self.each_of_columns(given, wanted, found),
            Rows::JsonLines(given) => self.each_line(given, wanted, found),
        }
    }

    fn each_of_columns(
        &self,
        given: &Columns,
        wanted: impl Iterator<Item = u32>,
        mut found: impl FnMut(u32, &[u8]),
    ) {
        let columns: Option<Vec<_>> =
            self.fields.iter().map(|field| Some((field, given.columns.get(field.place)?))).collect();
        let Some(columns) = columns else { return };
        let mut key = Vec::new();
        for row in wanted.take_while(|row| *row < given.row_count) {
            key.clear();
            let whole =
                columns.iter().all(|(field, column)| field.write(&mut key, &of_column(column, row as usize)));
            if whole {
                found(row, &key);
            }
        }
    }

    fn each_line(
        &self,
        given: &JsonLines,
        wanted: impl Iterator<Item = u32>,
        mut found: impl FnMut(u32, &[u8]),
    ) {
        let index = FieldIndex::new(&self.schema.schema.fields);
        let mut parsed = ParsedLine::new(&index);
        let mut key = Vec::new();
        let mut wanted = wanted.peekable();
        for (row, line) in (0..).zip(lines(given)).filter(|(row, _)| wanted.next_if_eq(row).is_some()) {
            // A line that cannot be read is rejected elsewhere; here it only has no key.
            if parsed.parse(line, &index).is_err() {
                continue;
            }
            key.clear();
            let whole = self.fields.iter().all(|field| {
                let raw = parsed.declared.get(field.place).copied().flatten().unwrap_or("null");
                of_json(raw, field.data_type).is_ok_and(|cell| field.write(&mut key, &cell))
            });
            if whole {
                found(row, &key);
            }
        }
    }
}

impl KeyField<'_> {
    /// False where the row has no value here.
    fn write(&self, key: &mut Vec<u8>, cell: &Cell<'_>) -> bool {
        if matches!(cell, Cell::Absent | Cell::Null) {
            return false;
        }
        write_bytes(key, self.name.as_bytes());
        key.push(tag(self.data_type));
        match cell {
            Cell::Absent | Cell::Null => {}
            Cell::Boolean(value) => key.push(u8::from(*value)),
            Cell::Int64(value) | Cell::Time(value) | Cell::Timestamp(value) => {
                key.extend_from_slice(&value.to_le_bytes());
            }
            Cell::Float64(value) => key.extend_from_slice(&one_form(*value).to_bits().to_le_bytes()),
            Cell::Decimal(value) => write_decimal(key, *value, self.data_type),
            Cell::Text(text) | Cell::Json(text) => write_bytes(key, text.as_bytes()),
            Cell::Bytes(bytes) => write_bytes(key, bytes),
            Cell::Date(days) => key.extend_from_slice(&days.to_le_bytes()),
        }
        true
    }
}

/// The numbers are part of what keyed hashes are made of: new types get new ones.
fn tag(data_type: DataType) -> u8 {
    match data_type {
        DataType::Boolean => 1,
        DataType::Int64 => 2,
        DataType::Float64 => 3,
        DataType::Decimal { .. } => 4,
        DataType::Text => 5,
        DataType::Bytes => 6,
        DataType::Json => 7,
        DataType::Date => 8,
        DataType::Time(Zone::Utc) => 9,
        DataType::Time(Zone::Local) => 10,
        DataType::Timestamp(Zone::Utc) => 11,
        DataType::Timestamp(Zone::Local) => 12,
    }
}

/// A value is far shorter than 4 GiB, as its batch is.
fn write_bytes(key: &mut Vec<u8>, bytes: &[u8]) {
    key.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    key.extend_from_slice(bytes);
}

/// Numbers that are equal have one form: zero has a sign, and what is no number has many patterns of bits.
fn one_form(value: f64) -> f64 {
    if value.is_nan() {
        f64::NAN
    } else if value == 0.0 {
        0.0
    } else {
        value
    }
}

/// Without zeros at its end: a stream may come to declare more digits after the point.
fn write_decimal(key: &mut Vec<u8>, mut value: i128, data_type: DataType) {
    let mut scale = if let DataType::Decimal { scale, .. } = data_type { scale } else { 0 };
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    key.push(scale);
    key.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests;
