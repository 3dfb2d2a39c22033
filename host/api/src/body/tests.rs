//! Every way in which a document can be wrong.

use super::parse;
use crate::secret::SecretText;
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read, and nobody looks at it")]
struct Document {
    name: String,
    #[serde(default)]
    days: u32,
    #[serde(default)]
    scopes: BTreeSet<control::Scope>,
    #[serde(default)]
    password: Option<SecretText>,
}

fn refused(bytes: &[u8]) -> String {
    match parse::<Document>(bytes) {
        Ok(_) => "taken".to_owned(),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_is_allowed() {
    for (sent, expected) in [
        (r#"{"name": "a"}"#, "taken"),
        (r#"{"name": "a", "scopes": ["read", "read"]}"#, "taken"),
        ("", "line 1 column 0: the JSON breaks off"),
        ("{", "line 1 column 1: the JSON breaks off"),
        ("{}", "the body: missing field `name`"),
        ("[]", "the body: expected an object"),
        (r#"["a", 1, [], null]"#, "the body: expected an object"),
        ("null", "the body: expected an object"),
        (r#"{"name": 7}"#, "`name`: expected a string"),
        (r#"{"name": "a", "days": "canary"}"#, "`days`: expected a whole number, at least 0"),
        (r#"{"name": "a", "days": -1}"#, "`days`: expected a whole number, at least 0"),
        (r#"{"name": "a", "days": 4294967296}"#, "`days`: expected a whole number, at least 0"),
        (r#"{"name": "a", "days": 1.5}"#, "`days`: expected a whole number, at least 0"),
        (
            r#"{"name": "a", "scopes": ["read", "canary"]}"#,
            "`scopes[1]`: expected one of `read`, `write`, `run`, `admin`",
        ),
        (
            r#"{"name": "a", "more": 1}"#,
            "`more`: there is no field `more`, expected one of `name`, `days`, `scopes`, `password`",
        ),
        (r#"{"name": "a", "name": "b"}"#, "the body: duplicate field `name`"),
        (r#"{"name": "a"} x"#, "line 1 column 15: trailing characters"),
        (r#"{"name": "a",}"#, "line 1 column 14: trailing comma"),
        (r#"{"name": "a", "password": {"canary": 1}}"#, "`password`: expected a string"),
        ("{\"name\": \"\\ud800\"}", "line 1 column 17: unexpected end of hex escape"),
    ] {
        assert_eq!(refused(sent.as_bytes()), expected, "{sent}");
    }
}

#[test]
fn no_value_is_quoted() {
    for sent in [
        r#"{"name": ["canary"]}"#,
        r#"{"name": "a", "password": 123456}"#,
        r#"{"name": "a", "days": "canary"}"#,
        r#"{"name": "a", "scopes": "canary"}"#,
        r#"{"name": "a", "scopes": {"canary": 1}}"#,
        r#""canary""#,
        "123456",
    ] {
        let refused = refused(sent.as_bytes());
        assert!(
            refused != "taken" && !refused.contains("canary") && !refused.contains("123456"),
            "{refused}"
        );
    }
}

#[test]
fn what_is_no_text_or_no_end_of_brackets_is_refused() {
    let long = format!("{{\"name\": \"a\", \"password\": \"{}\"}}", "x".repeat(4_097));
    assert_eq!(refused(long.as_bytes()), "`password`: expected at most 4096 bytes");
    assert!(refused(b"{\"name\": \"\xff\"}").contains("unicode"));
    let deep = format!("{{\"name\": {}", "[".repeat(100_000));
    assert_eq!(refused(deep.as_bytes()), "`name`: expected a string");
    let unknown = format!("{{\"{}\": 1}}", "x".repeat(10_000));
    assert!(refused(unknown.as_bytes()).len() < 300);
}
