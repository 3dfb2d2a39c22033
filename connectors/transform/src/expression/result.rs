//! Values of expressions as values of a column.

use cel::{
    Value,
    common::{
        types::{CelBool, CelBytes, CelDouble, CelInt, CelString, CelTimestamp, CelUInt, Kind},
        value::Val,
    },
};
use cofferdam_sdk::{Cell, ColumnBuilder, DataType, DecimalType, Zone};

use super::json;
use crate::{
    cast::{self, EXACT_INTEGER_MAX},
    decimal,
};

/// Append what an expression gave, or say why it is no value of the column; then nothing was appended. Numbers may
/// become decimals, rounded to the scale that was declared; texts are read as dates and times; all else must be of the
/// type that was declared.
pub(crate) fn push(value: &dyn Val, column: &mut ColumnBuilder, is_nullable: bool) -> Result<(), String> {
    if value.get_type().kind() == Kind::NullType {
        if !is_nullable {
            return Err("gave null for a key".to_owned());
        }
        column.push_null();
        return Ok(());
    }
    let declared = column.data_type().clone();
    match pushed(value, &declared, column)? {
        Some(()) => Ok(()),
        None => {
            Err(format!("gave a value of type {}, declared is {}", value.get_type().name(), declared.name()))
        }
    }
}

/// Nothing, if the value is not of a type that goes into the column.
fn pushed(value: &dyn Val, declared: &DataType, column: &mut ColumnBuilder) -> Result<Option<()>, String> {
    let text = value.downcast_ref::<CelString>().map(CelString::inner);
    match declared {
        DataType::Boolean => {
            Ok(value.downcast_ref::<CelBool>().map(|value| column.push_bool(*value.inner())))
        }
        DataType::Int64 => integer(value).map(|value| value.map(|value| column.push_i64(value))),
        DataType::Float64 => Ok(float(value).map(|value| column.push_f64(value))),
        DataType::Decimal(kind) => {
            if let Some(text) = text {
                return cast::push(Cell::Text(text), column).map(Some);
            }
            let fault = || format!("gave a number too large for {}", declared.name());
            decimal(value, *kind)?
                .map(|value| value.map(|value| column.push_decimal(value)).ok_or_else(fault))
                .transpose()
        }
        DataType::Text => Ok(text.map(|text| column.push_str(text))),
        DataType::Bytes => Ok(value.downcast_ref::<CelBytes>().map(|value| column.push_bytes(value.inner()))),
        DataType::Json => {
            let value = Value::try_from(value).map_err(|error| error.to_string())?;
            column.push_json(&json::json(&value)?.to_string());
            Ok(Some(()))
        }
        DataType::Timestamp(Zone::Utc) if text.is_none() => {
            let moment = value.downcast_ref::<CelTimestamp>();
            Ok(moment.map(|moment| column.push_timestamp(moment.inner().timestamp_micros())))
        }
        DataType::Date | DataType::Time(_) | DataType::Timestamp(_) => match text {
            Some(text) => cast::push(Cell::Text(text), column).map(Some),
            None => Ok(None),
        },
        DataType::List(_) | DataType::Struct(_) => Ok(None),
    }
}

fn integer(value: &dyn Val) -> Result<Option<i64>, String> {
    if let Some(value) = value.downcast_ref::<CelUInt>() {
        let value = *value.inner();
        return i64::try_from(value).map(Some).map_err(|_| format!("gave {value}, too large for int64"));
    }
    Ok(value.downcast_ref::<CelInt>().map(|value| *value.inner()))
}

/// A float, or an integer that is one without loss.
fn float(value: &dyn Val) -> Option<f64> {
    if let Some(value) = value.downcast_ref::<CelDouble>() {
        return Some(*value.inner());
    }
    let value = integer(value).ok()??;
    (value.unsigned_abs() <= EXACT_INTEGER_MAX).then_some(value as f64)
}

/// A number as a decimal; the inner nothing, if it is too large.
fn decimal(value: &dyn Val, kind: DecimalType) -> Result<Option<Option<i128>>, String> {
    let DecimalType { precision, scale } = kind;
    if let Some(value) = value.downcast_ref::<CelDouble>() {
        return Ok(Some(decimal::from_float_rounded(*value.inner(), precision, scale)));
    }
    Ok(integer(value)?.map(|value| decimal::from_integer(value, precision, scale)))
}

/// What a filter gave.
pub(crate) fn truth(value: &dyn Val) -> Result<bool, String> {
    let truth = value.downcast_ref::<CelBool>().map(|value| *value.inner());
    truth.ok_or_else(|| {
        format!("gave a value of type {} where true or false is wanted", value.get_type().name())
    })
}
