//! Takes a JSON Schema from a manifest. The schema comes from outside, so it may neither fetch anything nor cost
//! more to evaluate than to read: references stay within the schema, form no cycle and do not multiply.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fault::Code;
use crate::json::to_json;
use crate::reader::Node;
use crate::text::quoted;

/// Subschemas after every reference is followed. An honest configuration form has some hundreds; thirty references
/// that each stand twice would have a thousand million.
const EXPANDED_NODES_MAX: u64 = 20_000;

/// What a regular expression counts among them: compiling one can take as long as hundreds of plain keywords.
const PATTERN_NODES: u64 = 100;

/// The memory of a compiled regular expression; enough for some thousand characters of any class.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// References within references. Deeper ones are of no use to a form, and following them costs stack.
const NESTED_REFERENCES_MAX: usize = 32;

/// Keywords by which a schema could name another document or itself.
const REFUSED_KEYWORDS: [&str; 6] =
    ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary"];

/// The `config` table of a manifest as a sound JSON Schema.
pub(crate) fn read_schema(node: &Node<'_>) -> Option<Value> {
    node.open_table()?;
    let schema = to_json(node)?;
    let faults = schema_faults(&schema);
    for (pointer, message) in &faults {
        node.at_pointer(pointer).fault(Code::WrongSchema, message.clone());
    }
    faults.is_empty().then_some(schema)
}

/// The validator of a schema, without formats that fetch and with expressions that take linear time.
pub(crate) fn compile(schema: &Value) -> Result<jsonschema::Validator, (String, String)> {
    jsonschema::options()
        .with_pattern_options(jsonschema::PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| (error.instance_path().to_string(), error.to_string()))
}

fn schema_faults(schema: &Value) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    refuse_keywords(schema, String::new(), &mut faults);
    if faults.is_empty() {
        let measured = Costs { root: schema, known: BTreeMap::new(), depth: 0 }.measure(schema, "");
        faults.extend(measured.err());
    }
    if faults.is_empty() {
        faults.extend(meta_faults(schema));
    }
    if faults.is_empty() {
        faults.extend(compile(schema).err());
    }
    faults
}

fn meta_faults(schema: &Value) -> Vec<(String, String)> {
    let Ok(validator) = jsonschema::meta::validator_for(schema) else {
        let message = "is no JSON Schema version that this host knows".to_owned();
        return vec![("/$schema".to_owned(), message)];
    };
    let faults = validator.iter_errors(schema);
    faults.map(|fault| (fault.instance_path().to_string(), fault.to_string())).collect()
}

fn refuse_keywords(schema: &Value, pointer: String, faults: &mut Vec<(String, String)>) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                let below = format!("{pointer}/{}", escaped(key));
                if REFUSED_KEYWORDS.contains(&key.as_str()) {
                    faults.push((
                        below.clone(),
                        format!("`{key}` is not taken: a configuration schema stands by itself"),
                    ));
                }
                refuse_keywords(value, below, faults);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                refuse_keywords(item, format!("{pointer}/{index}"), faults);
            }
        }
        _ => {}
    }
}

pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What a part of a schema costs with every reference followed.
#[derive(Clone, Copy)]
struct Cost {
    nodes: u64,
    /// How many references lead into each other below it.
    nested: usize,
}

/// The costs of definitions; none while one is being measured.
struct Costs<'s> {
    root: &'s Value,
    known: BTreeMap<String, Option<Cost>>,
    depth: usize,
}

impl Costs<'_> {
    /// The cost of a part, or the place and the message of what is wrong.
    fn measure(&mut self, value: &Value, pointer: &str) -> Result<Cost, (String, String)> {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(key, value)| (escaped(key), value)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
            }
            _ => return Ok(Cost { nodes: 1, nested: 0 }),
        };
        let in_patterns = pointer.ends_with("/patternProperties");
        let mut cost = Cost { nodes: 1, nested: 0 };
        for (key, child) in children {
            let below = format!("{pointer}/{key}");
            let reference = child.as_str().filter(|_| key == "$ref" && value.is_object());
            let added = match reference {
                Some(target) => self.follow(target, &below)?,
                None => self.measure(child, &below)?,
            };
            let pattern =
                if in_patterns || (key == "pattern" && child.is_string()) { PATTERN_NODES } else { 0 };
            cost.nodes = cost.nodes.saturating_add(added.nodes).saturating_add(pattern);
            cost.nested = cost.nested.max(added.nested);
        }
        if cost.nodes > EXPANDED_NODES_MAX {
            let message = format!(
                "the schema has more than {EXPANDED_NODES_MAX} parts once its references are followed (a pattern counts \
                 as {PATTERN_NODES})"
            );
            return Err((pointer.to_owned(), message));
        }
        Ok(cost)
    }

    fn follow(&mut self, target: &str, place: &str) -> Result<Cost, (String, String)> {
        let fault = |message: String| Err((place.to_owned(), message));
        let inside =
            target.strip_prefix('#').filter(|pointer| pointer.starts_with('/') && !pointer.contains('%'));
        let Some(pointer) = inside else {
            return fault(format!("{} is not a reference such as `#/$defs/name`", quoted(target)));
        };
        let Some(definition) = self.root.pointer(pointer) else {
            return fault(format!("there is nothing at {}", quoted(target)));
        };
        let too_deep = || format!("more than {NESTED_REFERENCES_MAX} references lead into each other");
        let cost = match self.known.get(pointer) {
            Some(Some(cost)) => *cost,
            Some(None) => return fault(format!("{} leads back to itself", quoted(target))),
            // Also on the way down, so that measuring itself costs no stack.
            None if self.depth == NESTED_REFERENCES_MAX => return fault(too_deep()),
            None => {
                self.known.insert(pointer.to_owned(), None);
                self.depth += 1;
                let cost = self.measure(definition, pointer)?;
                self.depth -= 1;
                self.known.insert(pointer.to_owned(), Some(cost));
                cost
            }
        };
        let nested = cost.nested + 1;
        if nested > NESTED_REFERENCES_MAX { fault(too_deep()) } else { Ok(Cost { nested, ..cost }) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::schema_faults;

    fn refused(schema: &Value) -> String {
        let faults = schema_faults(schema);
        assert!(!faults.is_empty(), "{schema}");
        faults
            .into_iter()
            .map(|(pointer, message)| format!("{pointer}: {message}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_sound_schema_has_no_faults() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/name"}, "b": {"$ref": "#/$defs/name"}, "c": {"pattern": "^a+$"}},
            "$defs": {"name": {"type": "string"}},
        });
        assert_eq!(schema_faults(&schema), []);
    }

    #[test]
    fn a_schema_may_not_fetch_or_name_other_documents() {
        assert!(refused(&json!({"$ref": "https://example.com/a.json"})).starts_with("/$ref: "));
        assert!(
            refused(&json!({"properties": {"a": {"$ref": "file:///etc/passwd"}}}))
                .starts_with("/properties/a/$ref: ")
        );
        assert!(refused(&json!({"$id": "https://example.com/a.json"})).contains("stands by itself"));
        assert!(refused(&json!({"$dynamicRef": "#a"})).contains("stands by itself"));
        assert!(refused(&json!({"allOf": [true, {"$anchor": "a"}]})).starts_with("/allOf/1/$anchor: "));
        assert!(refused(&json!({"$ref": "#/$defs/none"})).contains("there is nothing"));
        assert!(
            refused(&json!({"$schema": "https://example.com/schema"})).contains("no JSON Schema version")
        );
    }

    #[test]
    fn h46_a_schema_that_leads_back_to_itself_is_refused() {
        assert!(refused(&json!({"$defs": {"a": {"$ref": "#/$defs/a"}}})).contains("leads back"));
        let cycle = json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}});
        assert!(refused(&cycle).contains("leads back"));
        assert!(refused(&json!({"$ref": "#"})).contains("not a reference"));
    }

    #[test]
    fn a_schema_that_multiplies_is_refused() {
        let mut definitions = json!({"a0": {"type": "string"}});
        for level in 1..=20 {
            let below = format!("#/$defs/a{}", level - 1);
            definitions[format!("a{level}")] = json!({"allOf": [{"$ref": below}, {"$ref": below}]});
        }
        assert!(
            refused(&json!({"$defs": definitions, "$ref": "#/$defs/a20"})).contains("more than 20000 parts")
        );
    }

    /// Definitions that each lead to the one before; keys are met in their order, or against it.
    fn chain(length: usize, name: impl Fn(usize) -> String) -> Value {
        let mut definitions = json!({ name(0): {"type": "string"} });
        for level in 1..=length {
            definitions[name(level)] = json!({"$ref": format!("#/$defs/{}", name(level - 1))});
        }
        json!({"$ref": format!("#/$defs/{}", name(length)), "$defs": definitions})
    }

    #[test]
    fn a_long_chain_of_references_is_refused_before_it_costs_stack() {
        let forward = |length| chain(length, |level| format!("a{level:05}"));
        let backward = |length| chain(length, |level| format!("a{:05}", 9_999 - level));
        // Of 32 references the first one leads into the chain.
        for schema in [forward(31), backward(31)] {
            assert_eq!(schema_faults(&schema), []);
        }
        for length in [32, 40, 5_000] {
            for schema in [forward(length), backward(length)] {
                assert!(refused(&schema).contains("lead into each other"), "{length}");
            }
        }
    }

    #[test]
    fn references_beside_each_other_are_not_within_each_other() {
        let definitions: serde_json::Map<_, _> =
            (0..100).map(|index| (format!("d{index}"), json!({"type": "string"}))).collect();
        let properties: serde_json::Map<_, _> = (0..100)
            .map(|index| (format!("p{index}"), json!({"$ref": format!("#/$defs/d{index}")})))
            .collect();
        assert_eq!(schema_faults(&json!({"$defs": definitions, "properties": properties})), []);
    }

    #[test]
    fn a_schema_has_as_many_parts_as_it_may_have_and_no_more() {
        // The schema and its list are parts too.
        let parts = |count: usize| json!({"enum": (2..count).collect::<Vec<_>>()});
        assert_eq!(schema_faults(&parts(20_000)), []);
        assert!(refused(&parts(20_001)).contains("more than 20000 parts"));
    }

    #[test]
    fn patterns_cost_more_than_other_keywords() {
        let properties = |count: usize| {
            let pattern = |index: usize| (format!("p{index}"), json!({"pattern": "^a$"}));
            json!({"properties": (0..count).map(pattern).collect::<serde_json::Map<_, _>>()})
        };
        assert_eq!(schema_faults(&properties(150)), []);
        assert!(refused(&properties(250)).contains("more than 20000 parts"));
        let patterns: serde_json::Map<_, _> =
            (0..250).map(|index| (format!("^p{index}$"), json!({}))).collect();
        assert!(refused(&json!({ "patternProperties": patterns })).contains("more than 20000 parts"));
    }

    #[test]
    fn every_fault_against_the_meta_schema_is_reported() {
        let faults = refused(&json!({"properties": {"a": {"type": "strin"}, "b": {"minLength": -1}}}));
        assert!(
            faults.contains("/properties/a/type: ") && faults.contains("/properties/b/minLength: "),
            "{faults}"
        );
        assert!(refused(&json!({"pattern": "("})).starts_with("/pattern: "));
        assert!(
            refused(&json!({"pattern": "(?=a)"})).starts_with("/pattern: "),
            "look-around needs exponential time"
        );
        assert!(refused(&json!({"pattern": "(a{1000}){1000}{1000}"})).starts_with("/pattern: "));
        assert_eq!(schema_faults(&json!({"pattern": "^[a-zäöüß0-9 ._-]{1,500}$"})), []);
    }
}
