//! Builds one column by appending values.

use super::bits::{SparseBits, push_bit, truncate_bits};
use crate::{Column, ColumnData, DataType, DecimalType, Field, VarData};

/// One column being built.
///
/// Pushing never fails at the call: a value of another type is remembered and reported by
/// [`ColumnsBuilder::finish`](super::ColumnsBuilder::finish), so that a row is written without a `?` per value.
#[derive(Debug)]
pub struct ColumnBuilder {
    name: String,
    data_type: DataType,
    nullable: bool,
    data: ColumnData,
    rows: usize,
    validity: SparseBits,
    presence: SparseBits,
    fault: Option<String>,
}

macro_rules! push_fixed {
    ($(#[$doc:meta])* $name:ident, $case:ident, $value:ty) => {
        $(#[$doc])*
        #[inline]
        pub fn $name(&mut self, value: $value) {
            match &mut self.data {
                ColumnData::$case(values) => {
                    values.push(value);
                    self.end_value();
                }
                _ => self.mismatch(stringify!($name)),
            }
        }
    };
}

macro_rules! push_variable {
    ($(#[$doc:meta])* $name:ident, $case:ident, $value:ty) => {
        $(#[$doc])*
        #[inline]
        pub fn $name(&mut self, value: &$value) {
            let value: &[u8] = value.as_ref();
            match &mut self.data {
                ColumnData::$case(values) => {
                    values.data.extend_from_slice(value);
                    let end = i32::try_from(values.data.len());
                    values.offsets.push(end.unwrap_or(i32::MAX));
                    self.end_value();
                    if end.is_err() {
                        self.note("more than 2 GiB".to_owned());
                    }
                }
                _ => self.mismatch(stringify!($name)),
            }
        }
    };
}

impl ColumnBuilder {
    pub(super) fn new(field: &Field) -> Self {
        let (data, fault) = match empty_data(&field.data_type) {
            Some(data) => (data, None),
            None => (ColumnData::Int64(Vec::new()), Some(format!("{} is reserved", field.data_type.name()))),
        };
        Self {
            name: field.name.clone(),
            data_type: field.data_type.clone(),
            nullable: field.nullable,
            data,
            rows: 0,
            validity: SparseBits::default(),
            presence: SparseBits::default(),
            fault,
        }
    }

    push_fixed!(
        /// A 64-bit integer.
        push_i64, Int64, i64
    );
    push_fixed!(
        /// A 64-bit float; NaN and infinities are legal in columns.
        push_f64, Float64, f64
    );
    push_fixed!(
        /// Days since 1970-01-01; see [`Date`](crate::Date).
        push_date, Date, i32
    );
    push_fixed!(
        /// Microseconds since midnight; see [`Time`](crate::Time).
        push_time, Time, i64
    );
    push_fixed!(
        /// Microseconds since 1970-01-01T00:00:00; see [`Timestamp`](crate::Timestamp).
        push_timestamp, Timestamp, i64
    );
    push_variable!(
        /// Text.
        push_str, Text, str
    );
    push_variable!(
        /// Bytes.
        push_bytes, Bytes, [u8]
    );
    push_variable!(
        /// One JSON value, as text. That it is one is not looked at here; the host does.
        push_json, Json, str
    );

    /// A boolean.
    #[inline]
    pub fn push_bool(&mut self, value: bool) {
        match &mut self.data {
            ColumnData::Boolean(bytes) => {
                push_bit(bytes, self.rows, value);
                self.end_value();
            }
            _ => self.mismatch("push_bool"),
        }
    }

    /// A decimal number without its point: 12.34 of scale 2 is 1234.
    pub fn push_decimal(&mut self, unscaled: i128) {
        let DataType::Decimal(DecimalType { precision, .. }) = self.data_type else {
            return self.mismatch("push_decimal");
        };
        if !crate::values::fits(unscaled, precision) {
            self.note(format!("{unscaled} has more than {precision} digits"));
        }
        if let ColumnData::Decimal(words) = &mut self.data {
            // Two's complement: the low word first.
            words.extend([unscaled as u64, (unscaled >> 64) as u64]);
        }
        self.end_value();
    }

    /// No value.
    #[inline]
    pub fn push_null(&mut self) {
        if !self.nullable {
            self.note("null in a field that is not nullable".to_owned());
        }
        self.push_filler();
        self.validity.push(false);
        self.presence.push(true);
    }

    /// Not part of this row: the destination leaves the field untouched. Not the same as null.
    #[inline]
    pub fn push_absent(&mut self) {
        self.push_filler();
        self.validity.push(true);
        self.presence.push(false);
    }

    /// The type of the column.
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// How many values there are, nulls and absent ones too.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// Bytes of values, offsets and bitmaps.
    pub fn byte_count(&self) -> usize {
        data_bytes(&self.data) + self.validity.byte_count() + self.presence.byte_count()
    }

    #[inline]
    fn end_value(&mut self) {
        self.rows += 1;
        self.validity.push(true);
        self.presence.push(true);
    }

    fn push_filler(&mut self) {
        match &mut self.data {
            ColumnData::Boolean(bytes) => push_bit(bytes, self.rows, false),
            ColumnData::Int64(values) | ColumnData::Time(values) | ColumnData::Timestamp(values) => {
                values.push(0)
            }
            ColumnData::Float64(values) => values.push(0.0),
            ColumnData::Decimal(words) => words.extend([0, 0]),
            ColumnData::Text(values) | ColumnData::Bytes(values) | ColumnData::Json(values) => {
                values.offsets.push(values.offsets.last().copied().unwrap_or_default());
            }
            ColumnData::Date(values) => values.push(0),
            ColumnData::List(_) | ColumnData::Struct(_) => {}
        }
        self.rows += 1;
    }

    #[cold]
    fn mismatch(&mut self, push: &str) {
        self.note(format!("`{push}` into a column of type {}", self.data_type.name()));
        self.push_filler();
        self.validity.push(true);
        self.presence.push(true);
    }

    #[cold]
    fn note(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        match &mut self.data {
            ColumnData::Boolean(bytes) => truncate_bits(bytes, rows),
            ColumnData::Int64(values) | ColumnData::Time(values) | ColumnData::Timestamp(values) => {
                values.truncate(rows);
            }
            ColumnData::Float64(values) => values.truncate(rows),
            ColumnData::Decimal(words) => words.truncate(rows * 2),
            ColumnData::Text(values) | ColumnData::Bytes(values) | ColumnData::Json(values) => {
                values.offsets.truncate(rows + 1);
                let end = values.offsets.last().copied().unwrap_or_default();
                values.data.truncate(usize::try_from(end).unwrap_or_default());
            }
            ColumnData::Date(values) => values.truncate(rows),
            ColumnData::List(_) | ColumnData::Struct(_) => {}
        }
        self.rows = rows;
        self.validity.truncate(rows);
        self.presence.truncate(rows);
    }

    /// The column, or what was wrong with a value.
    pub(super) fn finish(self) -> Result<Column, String> {
        match self.fault {
            Some(fault) => Err(format!("column `{}`: {fault}", self.name)),
            None => Ok(Column {
                validity: self.validity.finish(),
                presence: self.presence.finish(),
                data: self.data,
            }),
        }
    }
}

fn empty_data(data_type: &DataType) -> Option<ColumnData> {
    let variable = || VarData { offsets: vec![0], data: Vec::new() };
    Some(match data_type {
        DataType::Boolean => ColumnData::Boolean(Vec::new()),
        DataType::Int64 => ColumnData::Int64(Vec::new()),
        DataType::Float64 => ColumnData::Float64(Vec::new()),
        DataType::Decimal(_) => ColumnData::Decimal(Vec::new()),
        DataType::Text => ColumnData::Text(variable()),
        DataType::Bytes => ColumnData::Bytes(variable()),
        DataType::Json => ColumnData::Json(variable()),
        DataType::Date => ColumnData::Date(Vec::new()),
        DataType::Time(_) => ColumnData::Time(Vec::new()),
        DataType::Timestamp(_) => ColumnData::Timestamp(Vec::new()),
        DataType::List(_) | DataType::Struct(_) => return None,
    })
}

pub(super) fn data_bytes(data: &ColumnData) -> usize {
    match data {
        ColumnData::Boolean(bytes) => bytes.len(),
        ColumnData::Int64(values) | ColumnData::Time(values) | ColumnData::Timestamp(values) => {
            values.len() * 8
        }
        ColumnData::Float64(values) => values.len() * 8,
        ColumnData::Decimal(words) => words.len() * 8,
        ColumnData::Text(values) | ColumnData::Bytes(values) | ColumnData::Json(values) => {
            values.offsets.len() * 4 + values.data.len()
        }
        ColumnData::Date(values) => values.len() * 4,
        ColumnData::List((offsets, _)) => offsets.len() * 4,
        ColumnData::Struct(members) => members.len() * 4,
    }
}
