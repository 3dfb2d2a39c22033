//! Changes records: fields are added and removed.

use cofferdam_sdk::Result;
use http_manifest_dialect::{
    AddedField, Transformation,
    template::{Scope, Template},
};
use serde_json::{Map, Value};

use crate::failure;

/// Applies all changes, each to what the one before it left.
pub(crate) fn apply(
    changes: &[Transformation],
    record: &mut Map<String, Value>,
    scope: &Scope,
) -> Result<()> {
    for change in changes {
        match change {
            Transformation::Add { fields, condition } => {
                for field in fields {
                    add(field, condition.as_ref(), record, scope)?;
                }
            }
            Transformation::Remove { paths, condition } => {
                for path in paths {
                    let mut root = Value::Object(std::mem::take(record));
                    let removed = remove(&mut root, path, condition.as_ref(), scope);
                    if let Value::Object(members) = root {
                        *record = members;
                    }
                    removed?;
                }
            }
        }
    }
    Ok(())
}

fn add(
    field: &AddedField,
    condition: Option<&Template>,
    record: &mut Map<String, Value>,
    scope: &Scope,
) -> Result<()> {
    let scope = scope.clone().with("record", &Value::Object(record.clone()));
    let value = if field.as_text {
        field.value.text(&scope).map_err(failure::template)?.map(Value::String)
    } else {
        field.value.value(&scope).map_err(failure::template)?
    };
    let value = value.unwrap_or(Value::Null);
    if !holds(condition, &scope, &value)? {
        return Ok(());
    }
    let Some((last, parents)) = field.path.split_last() else { return Ok(()) };
    let mut place = record;
    for parent in parents {
        let next = place.entry(parent.as_str()).or_insert_with(|| Value::Object(Map::new()));
        if !next.is_object() {
            *next = Value::Object(Map::new());
        }
        let Value::Object(members) = next else { return Ok(()) };
        place = members;
    }
    place.insert(last.clone(), value);
    Ok(())
}

fn holds(condition: Option<&Template>, scope: &Scope, value: &Value) -> Result<bool> {
    match condition {
        None => Ok(true),
        Some(condition) => {
            let scope = scope.clone().with("property", value).with("value", value);
            condition.holds(&scope).map_err(failure::template)
        }
    }
}

/// Removes what a path leads to. What is not there is no fault.
fn remove(value: &mut Value, path: &[String], condition: Option<&Template>, scope: &Scope) -> Result<()> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let keys: Vec<String> = match &*value {
        Value::Object(members) if first == "*" => members.keys().cloned().collect(),
        Value::Array(items) if first == "*" => {
            (0..items.len()).rev().map(|index| index.to_string()).collect()
        }
        Value::Object(_) | Value::Array(_) => vec![first.clone()],
        _ => return Ok(()),
    };
    for key in keys {
        let Some(child) = child(value, &key) else { continue };
        if !rest.is_empty() {
            remove(child, rest, condition, scope)?;
        } else if holds(condition, scope, child)? {
            take(value, &key);
        }
    }
    Ok(())
}

fn child<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(members) => members.get_mut(key),
        Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    }
}

fn take(value: &mut Value, key: &str) {
    match value {
        Value::Object(members) => drop(members.remove(key)),
        Value::Array(items) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}
