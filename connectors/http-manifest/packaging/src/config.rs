//! The schema of the configuration, as the host takes it: secrets left out, since the host keeps them apart; nothing
//! that names other documents; no expressions that need exponential time.

use http_manifest_dialect::{Fault, Faults, Manifest, Place};
use serde_json::{Map, Value};

use crate::hosts::Ask;

/// Keywords by which a schema could name another document or itself.
const DROPPED: [&str; 7] =
    ["$schema", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary"];

/// The schema, and notes on what was left out of it.
pub(crate) fn schema(manifest: &Manifest) -> (Map<String, Value>, Vec<Fault>) {
    let mut notes = Vec::new();
    let said = manifest.spec.connection_specification.clone().unwrap_or(Value::Null);
    let schema = match cleaned(said, "", &mut notes) {
        Value::Object(members) => members,
        _ => Map::from_iter([("type".to_owned(), Value::from("object"))]),
    };
    let note = |message| Fault {
        place: Place { line: 1, column: 1 },
        path: "/spec/connection_specification".to_owned(),
        message,
        hint: None,
    };
    (schema, notes.into_iter().map(note).collect())
}

fn cleaned(value: Value, path: &str, notes: &mut Vec<String>) -> Value {
    match value {
        Value::Object(mut members) => {
            let secrets = remove_secrets(&mut members);
            for name in &secrets {
                notes.push(format!(
                    "`{path}{name}` is a secret and left out: the host will place credentials itself"
                ));
            }
            let kept = members.into_iter().filter(|(key, value)| is_kept(key, value, path, notes));
            let kept: Vec<(String, Value)> = kept.collect();
            let below =
                |key: &str| if key == "properties" { path.to_owned() } else { format!("{path}{key}/") };
            Value::Object(
                kept.into_iter()
                    .map(|(key, value)| (key.clone(), cleaned(value, &below(&key), notes)))
                    .collect(),
            )
        }
        Value::Array(items) => {
            // TOML knows no null.
            let items = items.into_iter().filter(|item| !item.is_null());
            Value::Array(items.map(|item| cleaned(item, path, notes)).collect())
        }
        other => other,
    }
}

/// Removes secrets from `properties` and `required`; gives their names.
fn remove_secrets(schema: &mut Map<String, Value>) -> Vec<String> {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return Vec::new() };
    let is_secret = |property: &Value| property.get("airbyte_secret").and_then(Value::as_bool) == Some(true);
    let secrets: Vec<String> =
        properties.iter().filter(|(_, property)| is_secret(property)).map(|(name, _)| name.clone()).collect();
    properties.retain(|name, _| !secrets.contains(name));
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required
            .retain(|name| !name.as_str().is_some_and(|name| secrets.iter().any(|secret| secret == name)));
    }
    secrets
}

fn is_kept(key: &str, value: &Value, path: &str, notes: &mut Vec<String>) -> bool {
    if value.is_null() || DROPPED.contains(&key) {
        return false;
    }
    let looks_around =
        |pattern: &str| ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|mark| pattern.contains(mark));
    if key == "pattern" && value.as_str().is_some_and(looks_around) {
        notes.push(format!("the pattern of `{}` looks around and is left out", path.trim_end_matches('/')));
        return false;
    }
    true
}

/// Declares the values that stand in hosts, with the defaults that the URLs give them.
pub(crate) fn add_host_keys(schema: &mut Map<String, Value>, asks: &[Ask]) -> Result<(), Faults> {
    let mut faults = Vec::new();
    for (key, default) in asks.iter().flat_map(|ask| &ask.keys) {
        let mut place = &mut *schema;
        let mut is_object = true;
        for (depth, name) in key.iter().enumerate() {
            let properties = place.entry("properties").or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(properties) = properties else {
                is_object = false;
                break;
            };
            let is_last = depth + 1 == key.len();
            let kind = if is_last { "string" } else { "object" };
            let new = || Value::Object(Map::from_iter([("type".to_owned(), Value::from(kind))]));
            let Value::Object(property) = properties.entry(name.as_str()).or_insert_with(new) else {
                is_object = false;
                break;
            };
            if let (true, Some(default)) = (is_last, default) {
                property.entry("default").or_insert_with(|| Value::from(default.as_str()));
            }
            place = property;
        }
        if !is_object {
            let message =
                format!("`{}` stands in a host, but the specification has no place for it", key.join("."));
            let path = "/spec/connection_specification".to_owned();
            faults.push(Fault { place: Place { line: 1, column: 1 }, path, message, hint: None });
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}
