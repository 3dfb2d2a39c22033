//! JSON as values of expressions, and back.

use std::collections::HashMap;

use cel::common::{
    types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt},
    value::Val,
};
use serde_json::{Map, Number, Value};

/// A JSON text as a value.
pub(super) fn parse(text: &str) -> Result<Box<dyn Val>, serde_json::Error> {
    serde_json::from_str(text).map(value)
}

/// Whole numbers become integers, others floats.
fn value(json: Value) -> Box<dyn Val> {
    match json {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(value)),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Box::new(CelInt::from(value)),
            (None, Some(value)) => Box::new(CelUInt::from(value)),
            (None, None) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Box::new(CelString::from(text)),
        Value::Array(items) => Box::new(CelList::from(items.into_iter().map(value).collect::<Vec<_>>())),
        Value::Object(members) => {
            let entries = members.into_iter().map(|(key, member)| (CelMapKey::from(key), value(member)));
            Box::new(CelMap::from(entries.collect::<HashMap<_, _>>()))
        }
    }
}

/// A value as JSON, with the keys of objects in order; else what has no form in it.
pub(super) fn json(value: &cel::Value) -> Result<Value, String> {
    Ok(match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(value) => Value::Bool(*value),
        cel::Value::Int(value) => Value::from(*value),
        cel::Value::UInt(value) => Value::from(*value),
        cel::Value::Float(value) => {
            Value::Number(Number::from_f64(*value).ok_or_else(|| format!("JSON has no word for {value}"))?)
        }
        cel::Value::String(text) => Value::String(text.to_string()),
        cel::Value::List(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        cel::Value::Map(map) => {
            let members = map.map.iter().map(|(key, member)| Ok((key.to_string(), json(member)?)));
            Value::Object(members.collect::<Result<Map<_, _>, String>>()?)
        }
        cel::Value::Timestamp(moment) => {
            Value::String(cofferdam_sdk::Timestamp(moment.timestamp_micros()).to_string())
        }
        other => return Err(format!("a value of type {} has no form in JSON", other.type_of())),
    })
}
