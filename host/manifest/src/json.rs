//! TOML as JSON: what a connector gets of the configuration that stands in a document.

use serde_json::{Map, Number, Value};
use toml::de::{DeFloat, DeInteger, DeValue};

use crate::fault::Code;
use crate::reader::Node;

/// The value as JSON; dates and times become texts of RFC 3339. Every number that JSON cannot hold is reported.
pub(crate) fn to_json(node: &Node<'_>) -> Option<Value> {
    match node.value() {
        DeValue::String(text) => Some(Value::String(text.clone().into_owned())),
        DeValue::Boolean(value) => Some(Value::Bool(*value)),
        DeValue::Datetime(datetime) => Some(Value::String(datetime.to_string())),
        DeValue::Integer(integer) => number(node, whole(integer)),
        DeValue::Float(float) => number(node, fraction(float)),
        DeValue::Array(_) => {
            let items: Vec<Option<Value>> = node.items()?.iter().map(to_json).collect();
            items.into_iter().collect::<Option<Vec<Value>>>().map(Value::Array)
        }
        DeValue::Table(_) => {
            let entries: Vec<(String, Option<Value>)> =
                node.open_table()?.entries().map(|(key, value)| (key.to_owned(), to_json(&value))).collect();
            let entries = entries.into_iter().map(|(key, value)| value.map(|value| (key, value)));
            entries.collect::<Option<Map<String, Value>>>().map(Value::Object)
        }
    }
}

fn number(node: &Node<'_>, number: Option<Number>) -> Option<Value> {
    if number.is_none() {
        node.fault(Code::WrongValue, "JSON has no such number");
    }
    number.map(Value::Number)
}

fn whole(integer: &DeInteger<'_>) -> Option<Number> {
    let signed = i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(Number::from);
    signed.or_else(|| u64::from_str_radix(integer.as_str(), integer.radix()).ok().map(Number::from))
}

fn fraction(float: &DeFloat<'_>) -> Option<Number> {
    float.as_str().parse().ok().and_then(Number::from_f64)
}
