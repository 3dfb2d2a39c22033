//! Which properties of a configuration are secrets. Such a property is a field of a credential: it never enters the
//! configuration that a connector gets, so no document may hold it and no schema can demand it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::schema::escaped;

/// Any of these, being true, marks a property.
const MARKS: [&str; 3] = ["secret", "writeOnly", "airbyte_secret"];

/// The secrets of a schema.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// The place in the configuration, as a JSON Pointer, to a place in the schema that says so.
    pub(crate) places: BTreeMap<String, String>,
    /// Places in the schema that mark an item of a list, or a property of any name.
    pub(crate) without_place: BTreeSet<String>,
    /// Places in the schema that give a secret a default.
    pub(crate) with_default: BTreeSet<String>,
}

impl Secrets {
    /// The secrets of a sound schema.
    pub(crate) fn of(schema: &Value) -> Self {
        let mut secrets = Self::default();
        visit(schema, &mut |part| {
            if !MARKS.iter().any(|mark| part.members.get(*mark).and_then(Value::as_bool) == Some(true)) {
                return true;
            }
            match part.place {
                Some(place) if !place.is_empty() => {
                    secrets.places.entry(place.to_owned()).or_insert_with(|| part.at.to_owned());
                }
                _ => {
                    secrets.without_place.insert(part.at.to_owned());
                }
            }
            if part.members.contains_key("default") {
                secrets.with_default.insert(part.at.to_owned());
            }
            false
        });
        secrets
    }

    /// Whether the value at this place is a secret, holds one, or is part of one.
    pub(crate) fn touch(&self, pointer: &str) -> bool {
        let below =
            |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
        self.places.keys().any(|secret| secret == pointer || below(secret, pointer) || below(pointer, secret))
    }

    /// Every secret that a configuration holds.
    pub(crate) fn held_by<'s>(&'s self, config: &Value) -> Vec<&'s str> {
        self.places.keys().map(String::as_str).filter(|place| config.pointer(place).is_some()).collect()
    }

    /// The configuration without its secrets.
    pub(crate) fn removed_from(&self, config: &Value) -> Value {
        let mut config = config.clone();
        for place in self.places.keys() {
            let Some((parent, name)) = place.rsplit_once('/') else { continue };
            let name = name.replace("~1", "/").replace("~0", "~");
            if let Some(Value::Object(members)) = config.pointer_mut(parent) {
                members.remove(&name);
            }
        }
        config
    }

    /// The schema, satisfied without the secrets: it demands none of them, and alternatives that differ in secrets alone
    /// may all be met.
    pub(crate) fn not_demanded_by(&self, schema: &Value) -> Value {
        let mut required: Vec<(String, BTreeSet<String>)> = Vec::new();
        let mut alternatives: Vec<String> = Vec::new();
        visit(schema, &mut |part| {
            let Some(place) = part.place else { return true };
            let names = self.names_at(place);
            if !names.is_empty() {
                required.push((part.at.to_owned(), names));
            }
            if part.members.contains_key("oneOf") && self.touch(place) {
                alternatives.push(part.at.to_owned());
            }
            true
        });
        let mut relaxed = schema.clone();
        for (at, names) in &required {
            if let Some(Value::Object(members)) = relaxed.pointer_mut(at) {
                not_required(members, names);
            }
        }
        // What lies deeper first: it moves with what holds it.
        for at in alternatives.iter().rev() {
            if let Some(Value::Object(members)) = relaxed.pointer_mut(at) {
                any_in_place_of_one(members);
            }
        }
        relaxed
    }

    /// The names of secrets that are members of the object at this place.
    fn names_at(&self, place: &str) -> BTreeSet<String> {
        let member = |secret: &str| {
            let name = secret.strip_prefix(place)?.strip_prefix('/').filter(|rest| !rest.contains('/'))?;
            Some(name.replace("~1", "/").replace("~0", "~"))
        };
        self.places.keys().filter_map(|secret| member(secret)).collect()
    }
}

fn not_required(members: &mut Map<String, Value>, names: &BTreeSet<String>) {
    let is_secret = |name: &Value| name.as_str().is_some_and(|name| names.contains(name));
    if let Some(Value::Array(required)) = members.get_mut("required") {
        required.retain(|name| !is_secret(name));
    }
    if let Some(Value::Object(dependent)) = members.get_mut("dependentRequired") {
        for required in dependent.values_mut().filter_map(Value::as_array_mut) {
            required.retain(|name| !is_secret(name));
        }
    }
}

fn any_in_place_of_one(members: &mut Map<String, Value>) {
    let Some(alternatives) = members.remove("oneOf") else { return };
    let any = Value::Object(Map::from_iter([("anyOf".to_owned(), alternatives)]));
    match members.entry("allOf").or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(all) => all.push(any),
        other => *other = any,
    }
}

/// One schema within a schema.
struct Part<'s> {
    members: &'s Map<String, Value>,
    /// Its place in the whole schema.
    at: &'s str,
    /// The place in the configuration of what it describes; none where that is no single place.
    place: Option<&'s str>,
}

/// Shows every schema within a schema, references followed; below it only where the answer is yes. The cost was measured
/// when the schema was taken: it has no cycle and does not multiply.
fn visit(schema: &Value, see: &mut dyn FnMut(&Part<'_>) -> bool) {
    Visit { root: schema, see }.schema(schema, "", Some(""));
}

struct Visit<'s, 'f> {
    root: &'s Value,
    see: &'f mut dyn FnMut(&Part<'_>) -> bool,
}

impl Visit<'_, '_> {
    fn schema(&mut self, schema: &Value, at: &str, place: Option<&str>) {
        let Value::Object(members) = schema else { return };
        if !(self.see)(&Part { members, at, place }) {
            return;
        }
        for (keyword, value) in members {
            self.keyword(keyword, value, &format!("{at}/{}", escaped(keyword)), place);
        }
    }

    fn keyword(&mut self, keyword: &str, value: &Value, at: &str, place: Option<&str>) {
        match keyword {
            "$ref" => self.reference(value, place),
            "properties" => {
                for (name, property) in value.as_object().into_iter().flatten() {
                    let name = escaped(name);
                    let place = place.map(|place| format!("{place}/{name}"));
                    self.schema(property, &format!("{at}/{name}"), place.as_deref());
                }
            }
            "allOf" | "anyOf" | "oneOf" => self.each(value, at, place),
            "if" | "then" | "else" | "not" => self.schema(value, at, place),
            "dependentSchemas" | "dependencies" => self.each(value, at, place),
            "prefixItems" | "patternProperties" => self.each(value, at, None),
            // A list of schemas in older versions.
            "items" if value.is_array() => self.each(value, at, None),
            "items"
            | "additionalProperties"
            | "additionalItems"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "contains"
            | "propertyNames" => self.schema(value, at, None),
            _ => {}
        }
    }

    /// The schemas in a list, or under the names of an object.
    fn each(&mut self, value: &Value, at: &str, place: Option<&str>) {
        for (index, schema) in value.as_array().into_iter().flatten().enumerate() {
            self.schema(schema, &format!("{at}/{index}"), place);
        }
        let Value::Object(members) = value else { return };
        for (name, schema) in members {
            self.schema(schema, &format!("{at}/{}", escaped(name)), place);
        }
    }

    fn reference(&mut self, target: &Value, place: Option<&str>) {
        let pointer = target.as_str().and_then(|target| target.strip_prefix('#'));
        if let Some((pointer, schema)) =
            pointer.and_then(|pointer| Some((pointer, self.root.pointer(pointer)?)))
        {
            self.schema(schema, pointer, place);
        }
    }
}

#[cfg(test)]
mod tests;
