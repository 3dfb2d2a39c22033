//! The rows of connectors, connections, rights and credentials.

use super::expected::{Row, get, inside, row};
use crate::tests::shop::SHOP;
use serde_json::{Value, json};

fn connection(digest: &str) -> Value {
    json!({"name": "Shop", "digest": digest, "config": {"subdomain": "eu"}})
}

pub(super) fn of_connections() -> Vec<Row> {
    let put = |path: &str, body, expected| row("put", path, body, expected);
    let post = |path: &str, body, expected| row("post", path, body, expected);
    let delete = |path: &str, expected| row("delete", path, Value::Null, expected);
    let fields = json!({"fields": {"token": "canary-4711"}});
    let credential = "O/connections/{connection}/credentials/{ask}";
    vec![
        get("O/connectors", inside(200, 200, 200, 200)),
        post("O/connectors", json!(SHOP), inside(403, 201, 403, 201)),
        get("O/connectors/{digest}", inside(200, 200, 200, 200)),
        delete("O/connectors/{digest}/quarantine", inside(403, 204, 403, 204)),
        get("O/connections", inside(200, 200, 200, 200)),
        post("O/connections", connection("{spare_digest}"), inside(201, 201, 403, 201)),
        post("O/connections/validate", connection("{digest}"), inside(200, 200, 403, 200)),
        get("O/connections/{connection}", inside(200, 200, 403, 200)),
        put("O/connections/{connection}", connection("{digest}"), inside(200, 200, 403, 200)),
        get("O/directories", inside(200, 200, 403, 200)),
        put("O/connections/{connection}/consent", json!({}), inside(403, 200, 403, 200)),
        delete("O/connections/{connection}/consent", inside(403, 204, 403, 204)),
        put(credential, fields, inside(200, 200, 403, 200)),
        delete(credential, inside(200, 200, 403, 200)),
        // Its token is entered by people; nobody consents to it anywhere.
        post(&format!("{credential}/authorize"), Value::Null, inside(404, 404, 403, 403)),
        post("O/connections/{connection}/check", Value::Null, inside(204, 204, 403, 204)),
        post("O/connections/{connection}/discover", Value::Null, inside(200, 200, 403, 200)),
        get("O/connections/{connection}/catalog", inside(200, 200, 200, 200)),
        delete("O/connections/{connection}", inside(204, 204, 403, 204)),
        delete("O/connectors/{digest}", inside(403, 204, 403, 204)),
    ]
}
