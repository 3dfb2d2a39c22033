//! From the values of a Parquet column to those of ours.

use cofferdam_sdk::{ColumnData, Zone};
use parquet::{basic::Type as Physical, data_type::Int96, schema::types::ColumnDescriptor};

use super::{
    annotation::{Annotation, Unit},
    decimal::{to_digits, to_i128, with_point},
};
use crate::{
    columns::{Column, push_bit, push_decimal, push_variable},
    kind::{Kind, PRECISION_MAX},
    source::draft::RowFault,
    text::{is_json, write_float, write_integer},
};

/// A value as Parquet has it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Boolean(bool),
    Integer(i64),
    Int96(Int96),
    Float(f64),
    Bytes(&'a [u8]),
}

/// What is done with each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Convert {
    Boolean,
    Integer,
    /// 32 bits of a number without a sign.
    Unsigned32,
    /// As text, for no type of ours holds them all.
    Unsigned64,
    Float,
    Float16,
    Date,
    Time(Unit),
    Timestamp(Unit),
    Decimal,
    /// As text: more digits than our type has.
    WideDecimal {
        scale: usize,
    },
    Text,
    Json,
    Bytes,
    Uuid,
    /// As text, taken for another type as the configuration says.
    ByText,
}

/// What a column becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conversion {
    pub(crate) convert: Convert,
    pub(crate) kind: Kind,
    pub(crate) logical_type: Option<&'static str>,
}

impl Conversion {
    pub(crate) fn of(column: &ColumnDescriptor) -> Self {
        let annotation = Annotation::of(column);
        let plain = |convert, kind| Self { convert, kind, logical_type: None };
        let named = |convert, name| Self { convert, kind: Kind::Text, logical_type: Some(name) };
        match (column.physical_type(), annotation) {
            (Physical::BOOLEAN, _) => plain(Convert::Boolean, Kind::Boolean),
            (Physical::INT96, _) => plain(Convert::Timestamp(Unit::Nanos), Kind::Timestamp(Zone::Local)),
            (Physical::FLOAT | Physical::DOUBLE, _) => plain(Convert::Float, Kind::Float64),
            (_, Annotation::Decimal { precision, scale }) => Self::decimal(precision, scale),
            (Physical::INT32, Annotation::Unsigned) => plain(Convert::Unsigned32, Kind::Int64),
            (Physical::INT64, Annotation::Unsigned) => named(Convert::Unsigned64, "uint64"),
            (Physical::INT32, Annotation::Date) => plain(Convert::Date, Kind::Date),
            (Physical::INT32 | Physical::INT64, Annotation::Time(unit, zone)) => {
                plain(Convert::Time(unit), Kind::Time(zone))
            }
            (Physical::INT64, Annotation::Timestamp(unit, zone)) => {
                plain(Convert::Timestamp(unit), Kind::Timestamp(zone))
            }
            (Physical::INT32 | Physical::INT64, _) => plain(Convert::Integer, Kind::Int64),
            (_, Annotation::Text) => plain(Convert::Text, Kind::Text),
            (_, Annotation::Json) => plain(Convert::Json, Kind::Json),
            (Physical::FIXED_LEN_BYTE_ARRAY, Annotation::Uuid) => named(Convert::Uuid, "uuid"),
            (Physical::FIXED_LEN_BYTE_ARRAY, Annotation::Float16) => plain(Convert::Float16, Kind::Float64),
            _ => plain(Convert::Bytes, Kind::Bytes),
        }
    }

    fn decimal(precision: i32, scale: i32) -> Self {
        let (digits, places) = (u8::try_from(precision), u8::try_from(scale));
        match (digits, places) {
            (Ok(precision), Ok(scale)) if (1..=PRECISION_MAX).contains(&precision) && scale <= precision => {
                let kind = Kind::Decimal { precision, scale };
                Self { convert: Convert::Decimal, kind, logical_type: None }
            }
            _ => {
                let scale = usize::try_from(scale).unwrap_or_default();
                let convert = Convert::WideDecimal { scale };
                Self { convert, kind: Kind::Text, logical_type: Some("decimal") }
            }
        }
    }

    /// The same values as another type; `None` where their text does not say what they are.
    pub(crate) fn by_text(self, kind: Kind) -> Option<Self> {
        if kind == self.kind {
            return Some(self);
        }
        let has_plain_text = match self.convert {
            Convert::Boolean | Convert::Integer | Convert::Unsigned32 | Convert::Float => true,
            Convert::Text | Convert::Json | Convert::Bytes => true,
            // The number as it is stored.
            Convert::Date | Convert::Time(_) | Convert::Timestamp(_) => kind == Kind::Int64,
            _ => false,
        };
        has_plain_text.then_some(Self { convert: Convert::ByText, kind, logical_type: None })
    }

    /// Append a value to a column of this kind.
    pub(crate) fn push(&self, value: Value<'_>, column: &mut Column) -> Result<(), RowFault> {
        match self.push_data(value, column)? {
            Pushed::Data => column.end_row(),
            Pushed::Row => {}
        }
        Ok(())
    }

    fn push_data(&self, value: Value<'_>, column: &mut Column) -> Result<Pushed, RowFault> {
        let rows = column.row_count();
        match (self.convert, value, column.data_mut()) {
            (Convert::Boolean, Value::Boolean(value), ColumnData::Boolean(bits)) => {
                push_bit(bits, rows, value)
            }
            (Convert::Integer, Value::Integer(value), ColumnData::Int64(values)) => values.push(value),
            (Convert::Unsigned32, Value::Integer(value), ColumnData::Int64(values)) => {
                values.push(value & i64::from(u32::MAX));
            }
            (Convert::Unsigned64, Value::Integer(value), ColumnData::Text(values)) => {
                push_variable(values, value.cast_unsigned().to_string().as_bytes());
            }
            (Convert::Float, Value::Float(value), ColumnData::Float64(values)) => values.push(value),
            (Convert::Float16, Value::Bytes(bytes), ColumnData::Float64(values)) => {
                let bytes = <[u8; 2]>::try_from(bytes).map_err(|_| self.broken())?;
                values.push(half::f16::from_le_bytes(bytes).to_f64());
            }
            (Convert::Date, Value::Integer(days), ColumnData::Date(values)) => {
                values.push(i32::try_from(days).map_err(|_| self.broken())?);
            }
            (Convert::Time(unit), Value::Integer(count), ColumnData::Time(values)) => {
                values.push(micros(count.into(), unit)?);
            }
            (Convert::Timestamp(unit), value, ColumnData::Timestamp(values)) => match value {
                Value::Integer(count) => values.push(micros(count.into(), unit)?),
                Value::Int96(value) => values.push(micros(nanos(value), unit)?),
                _ => return Err(self.broken()),
            },
            (Convert::Decimal, value, ColumnData::Decimal(words)) => push_decimal(words, self.digits(value)?),
            (Convert::WideDecimal { scale }, value, ColumnData::Text(values)) => {
                let digits = match value {
                    Value::Integer(value) => to_digits(&value.to_be_bytes()),
                    Value::Bytes(bytes) => to_digits(bytes),
                    _ => return Err(self.broken()),
                };
                push_variable(values, with_point(digits, scale).as_bytes());
            }
            (Convert::Text, Value::Bytes(bytes), ColumnData::Text(values)) => {
                push_variable(values, text(bytes)?.as_bytes());
            }
            (Convert::Json, Value::Bytes(bytes), ColumnData::Json(values)) => match text(bytes)? {
                text if is_json(text) => push_variable(values, bytes),
                _ => return Err(RowFault::new("not_json", "the value is no JSON")),
            },
            (Convert::Bytes, Value::Bytes(bytes), ColumnData::Bytes(values)) => push_variable(values, bytes),
            (Convert::Uuid, Value::Bytes(bytes), ColumnData::Text(values)) => {
                push_variable(values, uuid(bytes).as_bytes());
            }
            (Convert::ByText, value, _) => return self.push_by_text(value, column),
            _ => return Err(self.broken()),
        }
        Ok(Pushed::Data)
    }

    fn push_by_text(&self, value: Value<'_>, column: &mut Column) -> Result<Pushed, RowFault> {
        let mut buffer = Vec::new();
        match value {
            Value::Boolean(value) => buffer.extend_from_slice(value.to_string().as_bytes()),
            Value::Integer(value) => write_integer(&mut buffer, value),
            Value::Float(value) => write_float(&mut buffer, value),
            Value::Bytes(bytes) => buffer.extend_from_slice(text(bytes)?.as_bytes()),
            Value::Int96(_) => return Err(self.broken()),
        }
        if column.push_text(&buffer) {
            return Ok(Pushed::Row);
        }
        let shown: String = String::from_utf8_lossy(&buffer).chars().take(100).collect();
        Err(RowFault::new("wrong_type", format!("`{shown}` is no {}", self.kind)))
    }

    fn digits(&self, value: Value<'_>) -> Result<i128, RowFault> {
        let number = match value {
            Value::Integer(value) => Some(value.into()),
            Value::Bytes(bytes) => to_i128(bytes),
            _ => return Err(self.broken()),
        };
        let Kind::Decimal { precision, .. } = self.kind else { return Err(self.broken()) };
        let fits = |number: &i128| {
            10_u128.checked_pow(precision.into()).is_some_and(|limit| number.unsigned_abs() < limit)
        };
        number.filter(fits).ok_or_else(|| {
            RowFault::new("out_of_range", format!("a decimal with more than the declared {precision} digits"))
        })
    }

    fn broken(&self) -> RowFault {
        RowFault::new("wrong_type", format!("the stored value is no {}", self.kind))
    }
}

/// Whether the row of the column was ended too.
enum Pushed {
    Data,
    Row,
}

fn text(bytes: &[u8]) -> Result<&str, RowFault> {
    std::str::from_utf8(bytes).map_err(|_| RowFault::new("not_utf8", "the text is not UTF-8"))
}

/// As microseconds. What is finer is never cut off in silence.
fn micros(count: i128, unit: Unit) -> Result<i64, RowFault> {
    let micros = match unit {
        Unit::Millis => count * 1000,
        Unit::Micros => count,
        Unit::Nanos if count % 1000 == 0 => count / 1000,
        Unit::Nanos => {
            let message =
                format!("{count} nanoseconds are no whole microseconds; as `int64` they can be read");
            return Err(RowFault::new("precision_loss", message));
        }
    };
    i64::try_from(micros)
        .map_err(|_| RowFault::new("out_of_range", format!("{micros} microseconds are too many")))
}

/// Nanoseconds of the day and the Julian day, of which 2,440,588 is 1970-01-01.
fn nanos(value: Int96) -> i128 {
    let &[low, high, day] = value.data() else { return 0 };
    let in_day = (i128::from(high) << 32) | i128::from(low);
    (i128::from(day) - 2_440_588) * 86_400_000_000_000 + in_day
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
