//! Holds a configuration against its schema: every fault at its place, with the near miss where a name is wrong.

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use super::ConfigFault;
use super::schema::{compile, escaped};
use super::secrets::Secrets;
use crate::text::{did_you_mean, quoted};

/// More faults than this are not reported: a configuration can have one a value.
const FAULTS_MAX: usize = 200;

/// All faults of a configuration. Without a schema the connector takes no configuration. Secrets are no part of it: one
/// that stands there is a fault, one that is missing is none.
pub(crate) fn validate(schema: Option<&Value>, config: &Value) -> Vec<ConfigFault> {
    let Some(schema) = schema else { return validate_absent(config) };
    let secrets = Secrets::of(schema);
    let relaxed = secrets.not_demanded_by(schema);
    let validator = match compile(&relaxed) {
        Ok(validator) => validator,
        Err((path, message)) => {
            return vec![ConfigFault::new("", format!("the schema is broken at `{path}`: {message}"))];
        }
    };
    let mut faults: Vec<ConfigFault> = secrets.held_by(config).into_iter().map(secret).collect();
    let config = secrets.removed_from(config);
    for error in validator.iter_errors(&config).take(FAULTS_MAX) {
        faults.extend(explain(&relaxed, &error));
    }
    faults
}

fn secret(path: &str) -> ConfigFault {
    let message =
        "is a secret: remove it here, and enter it with `cofferdam connect`; the host keeps it sealed";
    ConfigFault { is_secret: true, ..ConfigFault::new(path, message) }
}

fn validate_absent(config: &Value) -> Vec<ConfigFault> {
    let message = || "the connector takes no configuration".to_owned();
    match config {
        Value::Null => Vec::new(),
        Value::Object(members) => {
            members.keys().map(|key| ConfigFault::new(format!("/{}", escaped(key)), message())).collect()
        }
        _ => vec![ConfigFault::new("", message())],
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
            vec![ConfigFault::new(path, format!("{} is missing", quoted(property)))]
        }
        _ => vec![ConfigFault::new(path, error.masked_with("the value").to_string())],
    }
}

fn unknown_property(path: &str, key: &str, known: &[String]) -> ConfigFault {
    let hint = did_you_mean(key, known.iter().map(String::as_str))
        .map(|hint| format!("; {hint}"))
        .unwrap_or_default();
    ConfigFault::new(format!("{path}/{}", escaped(key)), format!("unknown key {}{hint}", quoted(key)))
}

/// The names of the `properties` beside the keyword at this place of the schema.
fn known_properties(schema: &Value, keyword: &str) -> Vec<String> {
    let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|schema| schema.get("properties"));
    properties.and_then(Value::as_object).map(Map::keys).into_iter().flatten().cloned().collect()
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
    fn a_secret_is_refused_where_it_stands_and_not_missed_where_it_does_not() {
        let schema = json!({
            "required": ["api_key", "region"],
            "additionalProperties": false,
            "properties": {"api_key": {"type": "string", "secret": true}, "region": {}},
        });
        assert_eq!(validate(Some(&schema), &json!({"region": "eu"})), []);
        assert_eq!(validate(Some(&schema), &json!({}))[0].message, "`region` is missing");
        let faults = validate(Some(&schema), &json!({"region": "eu", "api_key": "s3cret"}));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!((faults[0].path.as_str(), faults[0].is_secret), ("/api_key", true));
        assert!(faults[0].message.contains("`cofferdam connect`") && !faults[0].message.contains("s3cret"));
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
