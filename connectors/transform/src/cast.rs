//! Values in another type. Nothing is lost silently: what has no exact form in the new type is a fault of its row.

use cofferdam_sdk::{
    Cell, ColumnBuilder, DataType, Date, DecimalType, LocalTime, LocalTimestamp, Time, Timestamp, Zone,
};
use serde_json::Value;

use crate::decimal;

const DAY_MICROS: i64 = 86_400_000_000;
/// Integers up to here are floats without loss.
pub(crate) const EXACT_INTEGER_MAX: u64 = 1 << 53;
/// How much of a value a message repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// Whether some values of one type have a form in the other; else why not.
pub(crate) fn check(from: &DataType, to: &DataType) -> Result<(), String> {
    let possible = match (from, to) {
        (DataType::Text | DataType::Json, _) | (_, DataType::Text | DataType::Json) => true,
        (_, DataType::Boolean) => matches!(from, DataType::Int64),
        (_, DataType::Int64) => {
            matches!(from, DataType::Boolean | DataType::Float64 | DataType::Decimal(_))
        }
        (_, DataType::Float64) => matches!(from, DataType::Int64 | DataType::Decimal(_)),
        (_, DataType::Decimal(_)) => {
            matches!(from, DataType::Int64 | DataType::Float64 | DataType::Decimal(_))
        }
        (_, DataType::Date) => matches!(from, DataType::Timestamp(_)),
        (DataType::Timestamp(one), DataType::Time(other)) => one == other,
        (DataType::Date, DataType::Timestamp(_)) => true,
        _ => false,
    };
    if possible || from == to {
        return Ok(());
    }
    let reason = match (from, to) {
        (DataType::Timestamp(_) | DataType::Time(_), DataType::Timestamp(_) | DataType::Time(_)) => {
            ": a local time is never converted silently"
        }
        (DataType::Int64, DataType::Timestamp(Zone::Utc)) => {
            ": it may count seconds or milliseconds; compute `timestamp(…)` of its seconds"
        }
        _ => "",
    };
    Err(format!("{} cannot become {}{reason}", from.name(), to.name()))
}

/// Append a value in the type of the column, or say why it has no form in it; then nothing was appended. The caller
/// sees to it that a null, JSON's one too, only comes for a column that may be null.
pub(crate) fn push(cell: Cell<'_>, column: &mut ColumnBuilder) -> Result<(), String> {
    match cell {
        Cell::Null => column.push_null(),
        Cell::Absent => column.push_absent(),
        Cell::Json(json) if *column.data_type() != DataType::Json => return push_json(json, column),
        _ => return push_value(cell, column).ok_or_else(|| fault(cell, column.data_type())),
    }
    Ok(())
}

fn push_value(cell: Cell<'_>, column: &mut ColumnBuilder) -> Option<()> {
    match column.data_type().clone() {
        DataType::Boolean => column.push_bool(boolean(cell)?),
        DataType::Int64 => column.push_i64(integer(cell)?),
        DataType::Float64 => column.push_f64(float(cell)?),
        DataType::Decimal(kind) => column.push_decimal(decimal(cell, kind)?),
        DataType::Text => match cell {
            Cell::Text(text) => column.push_str(text),
            _ => column.push_str(&text(cell)?),
        },
        DataType::Bytes => match cell {
            Cell::Text(text) => column.push_bytes(text.as_bytes()),
            _ => return None,
        },
        DataType::Json => column.push_json(&json(cell)?),
        DataType::Date => column.push_date(date(cell)?),
        DataType::Time(zone) => column.push_time(time(cell, zone)?),
        DataType::Timestamp(zone) => column.push_timestamp(timestamp(cell, zone)?),
        DataType::List(_) | DataType::Struct(_) => return None,
    }
    Some(())
}

/// A JSON value goes as what it is: a string as text, a number as a number.
fn push_json(json: &str, column: &mut ColumnBuilder) -> Result<(), String> {
    let value = serde_json::from_str(json).map_err(|error| format!("is not JSON: {error}"))?;
    let cell = match &value {
        Value::Null => Cell::Null,
        Value::Bool(value) => Cell::Boolean(*value),
        Value::String(text) => Cell::Text(text),
        // The digits as they stand: a number may be longer than any type of ours but text and decimal.
        Value::Number(number) => match number.as_i64() {
            Some(value) => Cell::Int64(value),
            None if number.is_u64() => return push(Cell::Text(&number.to_string()), column),
            None => Cell::Float64(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Array(_) | Value::Object(_) if *column.data_type() == DataType::Text => Cell::Text(json),
        Value::Array(_) | Value::Object(_) => return Err(fault(Cell::Text(json), column.data_type())),
    };
    push(cell, column)
}

fn boolean(cell: Cell<'_>) -> Option<bool> {
    match cell {
        Cell::Boolean(value) => Some(value),
        Cell::Int64(0) => Some(false),
        Cell::Int64(1) => Some(true),
        Cell::Text(text) => match text.trim() {
            "0" => Some(false),
            "1" => Some(true),
            word if word.eq_ignore_ascii_case("false") => Some(false),
            word if word.eq_ignore_ascii_case("true") => Some(true),
            _ => None,
        },
        _ => None,
    }
}

fn integer(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Int64(value) => Some(value),
        Cell::Boolean(value) => Some(value.into()),
        // The upper bound itself, 2^63, is a float and no int64.
        Cell::Float64(value) => {
            (value.fract() == 0.0 && value >= -(2_f64.powi(63)) && value < 2_f64.powi(63))
                .then_some(value as i64)
        }
        Cell::Decimal { unscaled, scale } => decimal::rescaled(unscaled, scale, 38, 0)?.try_into().ok(),
        Cell::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn float(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Float64(value) => Some(value),
        Cell::Int64(value) => (value.unsigned_abs() <= EXACT_INTEGER_MAX).then_some(value as f64),
        Cell::Decimal { unscaled, scale } => Some(decimal::to_float(unscaled, scale)),
        // Rust also reads words such as `nan` and `infinity`; no number begins with a letter.
        Cell::Text(text) => text.trim().parse().ok().filter(|value: &f64| value.is_finite()),
        _ => None,
    }
}

fn decimal(cell: Cell<'_>, kind: DecimalType) -> Option<i128> {
    let DecimalType { precision, scale } = kind;
    match cell {
        Cell::Int64(value) => decimal::from_integer(value, precision, scale),
        Cell::Float64(value) => decimal::from_float_exactly(value, precision, scale),
        Cell::Decimal { unscaled, scale: from } => decimal::rescaled(unscaled, from, precision, scale),
        Cell::Text(text) => decimal::from_text(text.trim(), precision, scale),
        _ => None,
    }
}

/// Any value as text; bytes must be UTF-8.
pub(crate) fn text(cell: Cell<'_>) -> Option<String> {
    Some(match cell {
        Cell::Absent | Cell::Null => return None,
        Cell::Boolean(value) => value.to_string(),
        Cell::Int64(value) => value.to_string(),
        Cell::Float64(value) => format!("{value:?}"),
        Cell::Decimal { unscaled, scale } => decimal::to_text(unscaled, scale),
        Cell::Text(text) | Cell::Json(text) => text.to_owned(),
        Cell::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.to_owned(),
        Cell::Date(days) => Date(days).to_string(),
        Cell::Time(micros, Zone::Utc) => Time(micros).to_string(),
        Cell::Time(micros, Zone::Local) => LocalTime(micros).to_string(),
        Cell::Timestamp(micros, Zone::Utc) => Timestamp(micros).to_string(),
        Cell::Timestamp(micros, Zone::Local) => LocalTimestamp(micros).to_string(),
    })
}

/// Text must be JSON already; everything else is written as the host writes it into JSON lines.
fn json(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Text(text) => {
            serde_json::from_str::<serde::de::IgnoredAny>(text).ok().map(|_| text.trim().to_owned())
        }
        cell => serde_json::to_string(&cell).ok(),
    }
}

fn date(cell: Cell<'_>) -> Option<i32> {
    match cell {
        Cell::Date(days) => Some(days),
        Cell::Text(text) => text.trim().parse().ok().map(|Date(days)| days),
        Cell::Timestamp(micros, _) => micros.div_euclid(DAY_MICROS).try_into().ok(),
        _ => None,
    }
}

fn time(cell: Cell<'_>, zone: Zone) -> Option<i64> {
    match cell {
        Cell::Text(text) if zone == Zone::Utc => text.trim().parse().ok().map(|Time(micros)| micros),
        Cell::Text(text) => text.trim().parse().ok().map(|LocalTime(micros)| micros),
        Cell::Time(micros, from) => (from == zone).then_some(micros),
        Cell::Timestamp(micros, from) => (from == zone).then_some(micros.rem_euclid(DAY_MICROS)),
        _ => None,
    }
}

fn timestamp(cell: Cell<'_>, zone: Zone) -> Option<i64> {
    match cell {
        Cell::Text(text) if zone == Zone::Utc => text.trim().parse().ok().map(|Timestamp(micros)| micros),
        Cell::Text(text) => text.trim().parse().ok().map(|LocalTimestamp(micros)| micros),
        Cell::Timestamp(micros, from) => (from == zone).then_some(micros),
        Cell::Date(days) => i64::from(days).checked_mul(DAY_MICROS),
        _ => None,
    }
}

fn fault(cell: Cell<'_>, to: &DataType) -> String {
    let shown = text(cell).unwrap_or_else(|| "the value".to_owned());
    let cut: String = shown.chars().take(SHOWN_CHARS_MAX).collect();
    let more = if cut.len() < shown.len() { "…" } else { "" };
    format!("`{cut}{more}` is no {}", to.name())
}
