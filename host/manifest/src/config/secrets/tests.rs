use serde_json::{Value, json};

use super::Secrets;
use crate::config::validate;

fn places(schema: &Value) -> Vec<String> {
    Secrets::of(schema).places.into_keys().collect()
}

#[test]
fn three_words_mark_a_secret() {
    let schema = json!({"properties": {
        "a": {"secret": true},
        "b": {"writeOnly": true},
        "c": {"airbyte_secret": true},
        "d": {"secret": false},
        "e": {"properties": {"f": {"properties": {"g/h": {"secret": true}}}}},
    }});
    assert_eq!(places(&schema), ["/a", "/b", "/c", "/e/f/g~1h"]);
}

#[test]
fn secrets_are_found_through_references_and_alternatives() {
    let schema = json!({
        "properties": {"one": {"$ref": "#/$defs/login"}, "two": {"$ref": "#/$defs/login"}},
        "oneOf": [{"properties": {"key": {"secret": true}}}, {"properties": {"key": {"secret": true}}}],
        "if": {"properties": {"x": {"const": 1}}},
        "then": {"properties": {"z": {"secret": true}}},
        "dependentSchemas": {"x": {"properties": {"v": {"secret": true}}}},
        "dependencies": {"x": {"properties": {"w": {"secret": true}}}, "y": ["x"]},
        "$defs": {"login": {"properties": {"token": {"secret": true}}}, "unused": {"secret": true}},
    });
    let secrets = Secrets::of(&schema);
    let found = ["/key", "/one/token", "/two/token", "/v", "/w", "/z"];
    assert_eq!(secrets.places.keys().collect::<Vec<_>>(), found);
    assert_eq!(secrets.places["/one/token"], "/$defs/login/properties/token");
    assert!(secrets.without_place.is_empty());
}

#[test]
fn a_secret_without_one_place_is_none_of_a_credential() {
    let secret = json!({"secret": true});
    for (schema, at) in [
        (json!({"properties": {"a": {"items": secret}}}), "/properties/a/items"),
        (json!({"properties": {"a": {"prefixItems": [secret]}}}), "/properties/a/prefixItems/0"),
        (
            json!({"properties": {"a": {"items": {"properties": {"b": secret}}}}}),
            "/properties/a/items/properties/b",
        ),
        (json!({"properties": {"a": {"items": [true, secret]}}}), "/properties/a/items/1"),
        (json!({"additionalProperties": secret}), "/additionalProperties"),
        (json!({"patternProperties": {"^a": secret}}), "/patternProperties/^a"),
        (json!({"secret": true}), ""),
    ] {
        let secrets = Secrets::of(&schema);
        assert_eq!(secrets.without_place.iter().collect::<Vec<_>>(), [at], "{schema}");
        assert!(secrets.places.is_empty(), "{schema}");
    }
}

#[test]
fn a_property_called_secret_is_none() {
    assert_eq!(places(&json!({"properties": {"secret": {"type": "boolean", "default": true}}})), [""; 0]);
}

#[test]
fn what_holds_or_is_part_of_a_secret_is_touched() {
    let secrets = Secrets::of(&json!({"properties": {"a": {"properties": {"b": {"secret": true}}}}}));
    for pointer in ["/a/b", "/a", "/a/b/c"] {
        assert!(secrets.touch(pointer), "{pointer}");
    }
    for pointer in ["/b", "/a/bc", "/a/c"] {
        assert!(!secrets.touch(pointer), "{pointer}");
    }
}

#[test]
fn a_configuration_loses_its_secrets_and_nothing_else() {
    let secrets = Secrets::of(
        &json!({"properties": {"a": {"properties": {"b": {"secret": true}}}, "c~/d": {"secret": true}}}),
    );
    let config = json!({"a": {"b": "s3cret", "c": 1}, "c~/d": "s3cret", "b": 2});
    assert_eq!(secrets.held_by(&config), ["/a/b", "/c~0~1d"]);
    assert_eq!(secrets.removed_from(&config), json!({"a": {"c": 1}, "b": 2}));
    assert_eq!(secrets.removed_from(&json!([1])), json!([1]));
}

#[test]
fn no_schema_demands_a_secret() {
    let accepts = |schema: &Value, config: &Value| assert_eq!(validate(Some(schema), config), [], "{schema}");
    let nested = json!({
        "required": ["login"],
        "properties": {"login": {"$ref": "#/$defs/login"}},
        "$defs": {"login": {"required": ["user", "token"], "properties": {"token": {"secret": true}}}},
    });
    accepts(&nested, &json!({"login": {"user": "me"}}));
    assert_eq!(validate(Some(&nested), &json!({"login": {}}))[0].message, "`user` is missing");
    let apart = json!({"properties": {"token": {"secret": true}}, "allOf": [{"required": ["token"]}]});
    accepts(&apart, &json!({}));
    let dependent =
        json!({"properties": {"token": {"secret": true}}, "dependentRequired": {"user": ["token"]}});
    accepts(&dependent, &json!({"user": "me"}));
    let alternatives = json!({"oneOf": [
        {"required": ["token"], "properties": {"token": {"secret": true}}},
        {"required": ["key"], "properties": {"key": {"secret": true}}},
    ]});
    accepts(&alternatives, &json!({}));
    let told_apart = json!({"oneOf": [
        {"properties": {"by": {"const": "key"}, "key": {"secret": true}}, "required": ["by", "key"]},
        {"properties": {"by": {"const": "login"}, "user": {}}, "required": ["by", "user"]},
    ]});
    accepts(&told_apart, &json!({"by": "key"}));
    accepts(&told_apart, &json!({"by": "login", "user": "me"}));
    assert!(!validate(Some(&told_apart), &json!({"by": "login"})).is_empty());
}

#[test]
fn alternatives_that_touch_no_secret_stay_alternatives() {
    let of = |at: &str| {
        let either = json!({"oneOf": [{"required": ["city"]}, {"required": ["zip"]}]});
        let address = json!({"properties": {"token": {"secret": true}, "address": either}});
        let both = json!({"address": {"city": "a", "zip": "b"}});
        (
            validate(Some(&address), &both).len(),
            validate(Some(&address), &json!({"address": {at: "a"}})).len(),
        )
    };
    assert_eq!((of("city"), of("zip")), ((1, 0), (1, 0)), "not both of them");
}
