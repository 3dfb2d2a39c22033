//! Builds columns value by value.

use super::cell::Cell;
use crate::model::{Column, ColumnData, DataType, VarData};

/// A bitmap that grows; LSB-first.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    pub(super) fn push(&mut self, value: bool) {
        if self.count.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let (true, Some(last)) = (value, self.bytes.last_mut()) {
            *last |= 1 << (self.count % 8);
        }
        self.count += 1;
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// One column that grows.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    data: ColumnData,
    booleans: Bits,
    validity: Bits,
    presence: Bits,
    any_null: bool,
    any_absent: bool,
}

impl ColumnBuilder {
    pub(super) fn new(data_type: DataType) -> Self {
        let var = || VarData { offsets: vec![0], data: Vec::new() };
        let data = match data_type {
            DataType::Boolean => ColumnData::Boolean(Vec::new()),
            DataType::Int64 => ColumnData::Int64(Vec::new()),
            DataType::Float64 => ColumnData::Float64(Vec::new()),
            DataType::Decimal { .. } => ColumnData::Decimal(Vec::new()),
            DataType::Text => ColumnData::Text(var()),
            DataType::Bytes => ColumnData::Bytes(var()),
            DataType::Json => ColumnData::Json(var()),
            DataType::Date => ColumnData::Date(Vec::new()),
            DataType::Time(_) => ColumnData::Time(Vec::new()),
            DataType::Timestamp(_) => ColumnData::Timestamp(Vec::new()),
        };
        Self {
            data,
            booleans: Bits::default(),
            validity: Bits::default(),
            presence: Bits::default(),
            any_null: false,
            any_absent: false,
        }
    }

    /// Appends one value; a value of another type than the column's is appended as null (the callers convert before).
    pub(super) fn push(&mut self, cell: &Cell<'_>) {
        let (present, value) = match cell {
            Cell::Absent => (false, false),
            Cell::Null => (true, false),
            _ => (true, true),
        };
        self.any_absent |= !present;
        self.any_null |= present && !value;
        self.presence.push(present);
        self.validity.push(value);
        self.push_data(cell);
    }

    fn push_data(&mut self, cell: &Cell<'_>) {
        match (&mut self.data, cell) {
            (ColumnData::Boolean(_), Cell::Boolean(value)) => self.booleans.push(*value),
            (ColumnData::Boolean(_), _) => self.booleans.push(false),
            (ColumnData::Int64(values), Cell::Int64(value)) => values.push(*value),
            (ColumnData::Time(values), Cell::Time(value)) => values.push(*value),
            (ColumnData::Timestamp(values), Cell::Timestamp(value)) => values.push(*value),
            (ColumnData::Int64(values) | ColumnData::Time(values) | ColumnData::Timestamp(values), _) => {
                values.push(0)
            }
            (ColumnData::Float64(values), Cell::Float64(value)) => values.push(*value),
            (ColumnData::Float64(values), _) => values.push(0.0),
            (ColumnData::Decimal(words), Cell::Decimal(value)) => push_decimal(words, *value),
            (ColumnData::Decimal(words), _) => push_decimal(words, 0),
            (ColumnData::Date(days), Cell::Date(value)) => days.push(*value),
            (ColumnData::Date(days), _) => days.push(0),
            (ColumnData::Text(var), Cell::Text(text)) => push_var(var, text.as_bytes()),
            (ColumnData::Json(var), Cell::Json(text)) => push_var(var, text.as_bytes()),
            (ColumnData::Bytes(var), Cell::Bytes(bytes)) => push_var(var, bytes),
            (ColumnData::Text(var) | ColumnData::Json(var) | ColumnData::Bytes(var), _) => push_var(var, &[]),
        }
    }

    pub(super) fn finish(self) -> Column {
        let data = match self.data {
            ColumnData::Boolean(_) => ColumnData::Boolean(self.booleans.finish()),
            other => other,
        };
        Column {
            validity: (self.any_null || self.any_absent).then(|| self.validity.finish()),
            presence: self.any_absent.then(|| self.presence.finish()),
            data,
        }
    }
}

fn push_decimal(words: &mut Vec<u64>, value: i128) {
    let bits = value.cast_unsigned();
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
    words.extend([bits as u64, (bits >> 64) as u64]);
}

/// A batch is at most 16 MiB, so that an offset always fits; one that would not is a repeat of the last.
fn push_var(var: &mut VarData, bytes: &[u8]) {
    let last = var.offsets.last().copied().unwrap_or(0);
    match i32::try_from(var.data.len() + bytes.len()) {
        Ok(end) => {
            var.data.extend_from_slice(bytes);
            var.offsets.push(end);
        }
        Err(_) => var.offsets.push(last),
    }
}
