//! Holds a configuration against its schema: every fault at its place, with the near miss where a name is wrong.

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use super::ConfigFault;
use super::schema::compile;
use crate::text::{did_you_mean, quoted};

/// More faults than this are not reported: a configuration can have one a value.
const FAULTS_MAX: usize = 200;

/// All faults of a configuration. Without a schema the connector takes no configuration.
pub(crate) fn validate(schema: Option<&Value>, config: &Value) -> Vec<ConfigFault> {
    let Some(schema) = schema else { return validate_absent(config) };
    let validator = match compile(schema) {
        Ok(validator) => validator,
        Err((path, message)) => {
            return vec![ConfigFault {
                path: String::new(),
                message: format!("the schema is broken at `{path}`: {message}"),
            }];
        }
    };
    let mut faults = Vec::new();
    for error in validator.iter_errors(config).take(FAULTS_MAX) {
        faults.extend(explain(schema, &error));
    }
    faults
}

fn validate_absent(config: &Value) -> Vec<ConfigFault> {
    let message = || "the connector takes no configuration".to_owned();
    match config {
        Value::Null => Vec::new(),
        Value::Object(members) => members
            .keys()
            .map(|key| ConfigFault { path: format!("/{}", escaped(key)), message: message() })
            .collect(),
        _ => vec![ConfigFault { path: String::new(), message: message() }],
    }
}

fn explain(schema: &Value, error: &jsonschema::ValidationError<'_>) -> Vec<ConfigFault> {
    let path = error.instance_path().to_string();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let known = known_properties(schema, error.schema_path().as_str());
            unexpected.iter().map(|key| unknown_property(&path, key, &known)).collect()
        }
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            vec![ConfigFault { path, message: format!("{} is missing", quoted(property)) }]
        }
        _ => vec![ConfigFault { path, message: error.masked_with("the value").to_string() }],
    }
}

fn unknown_property(path: &str, key: &str, known: &[String]) -> ConfigFault {
    let hint = did_you_mean(key, known.iter().map(String::as_str))
        .map(|hint| format!("; {hint}"))
        .unwrap_or_default();
    ConfigFault {
        path: format!("{path}/{}", escaped(key)),
        message: format!("unknown key {}{hint}", quoted(key)),
    }
}

/// The names of the `properties` beside the keyword at this place of the schema.
fn known_properties(schema: &Value, keyword: &str) -> Vec<String> {
    let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|schema| schema.get("properties"));
    properties.and_then(Value::as_object).map(Map::keys).into_iter().flatten().cloned().collect()
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The default that a schema's `properties` give for a place in the configuration.
pub(crate) fn default_at<'s>(schema: &'s Value, pointer: &str) -> Option<&'s Value> {
    pointer
        .split('/')
        .skip(1)
        .try_fold(schema, |schema, key| schema.get("properties")?.get(key))?
        .get("default")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{default_at, validate};

    fn check(config: &Value, expected: &[&str]) {
        let schema = json!({
            "type": "object",
            "required": ["path", "format"],
            "additionalProperties": false,
            "properties": {
                "path": {"type": "string", "minLength": 1},
                "format": {"enum": ["csv", "json"]},
                "base_url": {"type": "string", "format": "uri", "default": "https://api.example.com"},
                "page": {"$ref": "#/$defs/page"},
            },
            "$defs": {"page": {"type": "object", "additionalProperties": false, "properties": {"size": {"maximum": 5}}}},
        });
        let mut faults: Vec<String> = validate(Some(&schema), config)
            .into_iter()
            .map(|fault| format!("{}: {}", fault.path, fault.message))
            .collect();
        faults.sort();
        assert_eq!(faults, expected, "{config}");
    }

    #[test]
    fn every_fault_of_a_configuration_is_reported_at_its_place() {
        check(&json!({"path": "a", "format": "csv"}), &[]);
        check(&json!({}), &[": `format` is missing", ": `path` is missing"]);
        check(
            &json!({"path": 7, "format": "xml", "page": {"size": 9}}),
            &[
                "/format: the value is not one of \"csv\" or \"json\"",
                "/page/size: the value is greater than the maximum of 5",
                "/path: the value is not of type \"string\"",
            ],
        );
    }

    #[test]
    fn an_unknown_key_gets_its_near_miss() {
        check(
            &json!({"path": "a", "format": "csv", "base-url": 1, "zzzzzz": 2, "page": {"sise": 1}}),
            &[
                "/base-url: unknown key `base-url`; did you mean `base_url`?",
                "/page/sise: unknown key `sise`; did you mean `size`?",
                "/zzzzzz: unknown key `zzzzzz`",
            ],
        );
    }

    #[test]
    fn a_fault_never_repeats_the_value() {
        let schema = json!({"properties": {"token": {"type": "integer"}, "other": {"const": 1}}});
        for fault in validate(Some(&schema), &json!({"token": "s3cret", "other": "s3cret"})) {
            assert!(!fault.message.contains("s3cret"), "{}", fault.message);
        }
    }

    #[test]
    fn without_a_schema_there_is_no_configuration() {
        assert_eq!(validate(None, &json!({})), []);
        assert_eq!(validate(None, &Value::Null), []);
        assert_eq!(validate(None, &json!({"a/b": 1}))[0].path, "/a~1b");
        assert_eq!(validate(None, &json!([])).len(), 1);
    }

    #[test]
    fn defaults_are_found_by_their_place() {
        let schema = json!({"properties": {"a": {"properties": {"b": {"default": "x"}}}}});
        assert_eq!(default_at(&schema, "/a/b"), Some(&json!("x")));
        assert_eq!(default_at(&schema, "/a"), None);
        assert_eq!(default_at(&schema, "/c"), None);
    }
}
