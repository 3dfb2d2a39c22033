//! One value of one row, whatever its layout.

use super::date::{parse_date, parse_time, parse_timestamp};
use super::decimal::parse_decimal;
use super::{RowFault, codes};
use crate::model::{Column, ColumnData, DataType, VarData, bit};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// base64 as we write it (with padding) and as others may (without).
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Absent,
    Null,
    Boolean(bool),
    Int64(i64),
    Float64(f64),
    Decimal(i128),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Json(Cow<'a, str>),
    Date(i32),
    Time(i64),
    Timestamp(i64),
}

/// The value of a column at a row. A buffer that is too short reads as null: batches are validated before they come here.
pub(super) fn of_column(column: &Column, row: usize) -> Cell<'_> {
    if !column.is_present(row) {
        return Cell::Absent;
    }
    if !column.is_value(row) {
        return Cell::Null;
    }
    match &column.data {
        ColumnData::Boolean(bits) => Some(Cell::Boolean(bit(bits, row))),
        ColumnData::Int64(values) => values.get(row).copied().map(Cell::Int64),
        ColumnData::Float64(values) => values.get(row).copied().map(Cell::Float64),
        ColumnData::Decimal(words) => decimal_at(words, row).map(Cell::Decimal),
        ColumnData::Text(var) => text_at(var, row).map(Cell::Text),
        ColumnData::Bytes(var) => var.value(row).map(|bytes| Cell::Bytes(Cow::Borrowed(bytes))),
        ColumnData::Json(var) => text_at(var, row).map(Cell::Json),
        ColumnData::Date(days) => days.get(row).copied().map(Cell::Date),
        ColumnData::Time(micros) => micros.get(row).copied().map(Cell::Time),
        ColumnData::Timestamp(micros) => micros.get(row).copied().map(Cell::Timestamp),
    }
    .unwrap_or(Cell::Null)
}

/// Text of a validated batch is UTF-8, so that nothing is replaced here.
fn text_at(var: &VarData, row: usize) -> Option<Cow<'_, str>> {
    var.value(row).map(String::from_utf8_lossy)
}

fn decimal_at(words: &[u64], row: usize) -> Option<i128> {
    let first = row.checked_mul(2)?;
    let low = *words.get(first)?;
    let high = *words.get(first.checked_add(1)?)?;
    Some(((u128::from(high) << 64) | u128::from(low)).cast_signed())
}

/// A JSON value, as text without space around it, read as a value of a type.
pub(super) fn of_json(raw: &str, data_type: DataType) -> Result<Cell<'_>, RowFault> {
    if raw == "null" {
        return Ok(Cell::Null);
    }
    match data_type {
        DataType::Boolean => match raw {
            "true" => Ok(Cell::Boolean(true)),
            "false" => Ok(Cell::Boolean(false)),
            _ => Err(wrong_type(raw, data_type)),
        },
        DataType::Int64 => integer(raw).map(Cell::Int64),
        DataType::Float64 => float(raw).map(Cell::Float64),
        DataType::Decimal { precision, scale } => {
            let text = if raw.starts_with('"') {
                string(raw, data_type)?
            } else {
                Cow::Borrowed(number(raw, data_type)?)
            };
            parse_decimal(&text, precision, scale).map(Cell::Decimal)
        }
        DataType::Text => string(raw, data_type).map(Cell::Text),
        DataType::Bytes => {
            let text = string(raw, data_type)?;
            let bytes =
                BASE64.decode(text.as_bytes()).map_err(|_| RowFault::new(codes::WRONG_TYPE, "not base64"))?;
            Ok(Cell::Bytes(Cow::Owned(bytes)))
        }
        DataType::Json => Ok(Cell::Json(Cow::Borrowed(raw))),
        DataType::Date => parse_date(&string(raw, data_type)?).map(Cell::Date),
        DataType::Time(zone) => parse_time(&string(raw, data_type)?, zone).map(Cell::Time),
        DataType::Timestamp(zone) => parse_timestamp(&string(raw, data_type)?, zone).map(Cell::Timestamp),
    }
}

/// An integer also where it is written with a fraction of zeros or an exponent, as long as no digit can be lost.
fn integer(raw: &str) -> Result<i64, RowFault> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if let Ok(value) = raw.parse::<i64>() {
        return Ok(value);
    }
    let text = number(raw, DataType::Int64)?;
    let digits_only = !text.contains(['.', 'e', 'E']);
    let value: f64 = text.parse().map_err(|_| wrong_type(raw, DataType::Int64))?;
    if digits_only || value.abs() > EXACT_MAX {
        return Err(RowFault::new(codes::OUT_OF_RANGE, "does not fit 64 bits"));
    }
    if value.fract() != 0.0 {
        return Err(RowFault::new(codes::PRECISION_LOSS, "is not an integer"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "integral and within ±2^53")]
    Ok(value as i64)
}

fn float(raw: &str) -> Result<f64, RowFault> {
    let value: f64 =
        number(raw, DataType::Float64)?.parse().map_err(|_| wrong_type(raw, DataType::Float64))?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(RowFault::new(codes::OUT_OF_RANGE, "does not fit 64 bits"))
    }
}

fn number(raw: &str, data_type: DataType) -> Result<&str, RowFault> {
    match raw.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Ok(raw),
        _ => Err(wrong_type(raw, data_type)),
    }
}

/// The content of a JSON string; borrowed where nothing is escaped.
fn string(raw: &str, data_type: DataType) -> Result<Cow<'_, str>, RowFault> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.ok_or_else(|| wrong_type(raw, data_type))?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    // A lone surrogate is legal in JSON's grammar, but no text.
    serde_json::from_str::<String>(raw)
        .map(Cow::Owned)
        .map_err(|error| RowFault::new(codes::NOT_JSON, format!("a string that is no text: {error}")))
}

fn wrong_type(raw: &str, data_type: DataType) -> RowFault {
    let kind = match raw.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        _ => "a number",
    };
    RowFault::new(codes::WRONG_TYPE, format!("{kind} where `{data_type}` is declared"))
}
