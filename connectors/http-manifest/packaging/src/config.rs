//! The schema of the configuration, as the host takes it: secrets that are fields of credentials, and no others; nothing
//! that names other documents; no expressions that need exponential time.

use http_manifest_dialect::{Fault, Faults, Manifest, Place};
use serde_json::{Map, Value};

use crate::credentials::Credential;

/// Keywords by which a schema could name another document or itself.
const DROPPED: [&str; 7] =
    ["$schema", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary"];

/// The member of the configuration in which the host says which credentials there are.
const HOST_MEMBER: &str = "credentials";

/// The schema, and notes on what was left out of it.
pub(crate) fn schema(manifest: &Manifest, credentials: &[Credential]) -> (Map<String, Value>, Vec<Fault>) {
    let said = manifest.spec.connection_specification.clone().unwrap_or(Value::Null);
    let fields = credentials.iter().flat_map(|credential| credential.fields.values()).cloned().collect();
    let mut cleaning = Cleaning { fields, notes: Vec::new() };
    let mut schema = match cleaning.cleaned(said, "", &[]) {
        Value::Object(members) => members,
        _ => Map::from_iter([("type".to_owned(), Value::from("object"))]),
    };
    if !credentials.is_empty() && remove_properties(&mut schema, &|name, _| name == HOST_MEMBER) != [""; 0] {
        let message = "`credentials` is left out: the user chooses by entering a credential, and the host says there \
                       which are there";
        cleaning.notes.push(message.to_owned());
    }
    (schema, cleaning.notes.into_iter().map(note).collect())
}

fn note(message: String) -> Fault {
    let path = "/spec/connection_specification".to_owned();
    Fault { place: Place { line: 1, column: 1 }, path, message, hint: None }
}

/// Faults where something else than an authenticator looks at what the host says under that name.
pub(crate) fn host_member_faults(text: &str, credentials: &[Credential]) -> Vec<Fault> {
    let of_authenticator = |block: &str| {
        credentials.iter().flat_map(|credential| &credential.sources).any(|source| source.contains(block))
    };
    let mut faults = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let blocks = content.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
        for block in blocks.filter(|block| block.contains("config") && block.contains(HOST_MEMBER)) {
            if credentials.is_empty() || of_authenticator(block) {
                continue;
            }
            faults.push(Fault {
                place: Place { line: line + 1, column: 1 },
                path: String::new(),
                message: format!(
                    "`{}` looks at `credentials`, in which the host says which credentials there are",
                    block.trim()
                ),
                hint: Some("give the value another place in the specification".to_owned()),
            });
        }
    }
    faults
}

/// What is left out, and what of it is worth a note.
struct Cleaning {
    /// The keys that lead to each secret that is the field of a credential.
    fields: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Cleaning {
    /// `path` for people; `keys` lead to the value in the configuration.
    fn cleaned(&mut self, value: Value, path: &str, keys: &[String]) -> Value {
        match value {
            Value::Object(mut members) => {
                self.remove_secrets(&mut members, path, keys);
                let mut kept = Map::new();
                for (key, value) in members {
                    if is_kept(&key, &value, path, &mut self.notes) {
                        let cleaned = match (key.as_str(), value) {
                            ("properties", Value::Object(properties)) => {
                                self.properties(properties, path, keys)
                            }
                            (_, value) => self.cleaned(value, &format!("{path}{key}/"), keys),
                        };
                        kept.insert(key, cleaned);
                    }
                }
                Value::Object(kept)
            }
            Value::Array(items) => {
                // TOML knows no null.
                let items = items.into_iter().filter(|item| !item.is_null());
                Value::Array(items.map(|item| self.cleaned(item, path, keys)).collect())
            }
            other => other,
        }
    }

    fn properties(&mut self, properties: Map<String, Value>, path: &str, keys: &[String]) -> Value {
        let cleaned = properties.into_iter().map(|(name, property)| {
            let below = [keys, std::slice::from_ref(&name)].concat();
            let mut property = self.cleaned(property, &format!("{path}{name}/"), &below);
            if let (true, Value::Object(members)) = (self.fields.contains(&below), &mut property) {
                // Whoever has the manifest would have it.
                members.remove("default");
            }
            (name, property)
        });
        Value::Object(cleaned.collect())
    }

    /// A secret that is no field of a credential is of no use to a connector that never sees it.
    fn remove_secrets(&mut self, schema: &mut Map<String, Value>, path: &str, keys: &[String]) {
        let is_unused = |name: &str, property: &Value| {
            let is_secret = property.get("airbyte_secret").and_then(Value::as_bool) == Some(true);
            is_secret && !self.fields.contains(&[keys, &[name.to_owned()]].concat())
        };
        for name in remove_properties(schema, &is_unused) {
            self.notes.push(format!("`{path}{name}` is a secret of no authenticator and left out"));
        }
    }
}

/// Removes such members from `properties` and `required`; gives their names.
fn remove_properties(schema: &mut Map<String, Value>, is_such: &dyn Fn(&str, &Value) -> bool) -> Vec<String> {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return Vec::new() };
    let removed: Vec<String> = properties
        .iter()
        .filter(|(name, property)| is_such(name, property))
        .map(|(name, _)| name.clone())
        .collect();
    properties.retain(|name, _| !removed.contains(name));
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !name.as_str().is_some_and(|name| removed.iter().any(|known| known == name)));
    }
    removed
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

/// Declares the values that stand in hosts and settings, with the defaults that the URLs give them.
pub(crate) fn add_keys<'k>(
    schema: &mut Map<String, Value>,
    keys: impl Iterator<Item = &'k (Vec<String>, Option<String>)>,
) -> Result<(), Faults> {
    let mut faults = Vec::new();
    for (key, default) in keys {
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

/// Whether the schema knows a property under these keys.
pub(crate) fn has(schema: &Map<String, Value>, key: &[String]) -> bool {
    let Some((first, rest)) = key.split_first() else { return true };
    let own =
        schema.get("properties").and_then(|properties| properties.get(first)).and_then(Value::as_object);
    if own.is_some_and(|property| has(property, rest)) {
        return true;
    }
    let alternatives =
        ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|word| schema.get(word)?.as_array());
    alternatives.flatten().filter_map(Value::as_object).any(|schema| has(schema, key))
}

/// The JSON Pointer of a value.
pub(crate) fn pointer(key: &[String]) -> String {
    key.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect()
}
