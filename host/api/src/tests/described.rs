//! The committed description of the API is that of the code.

use crate::document;
use serde_json::Value;
use std::path::Path;

/// With `BLESS=1` the file is written instead.
#[test]
fn the_committed_description_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let now = document();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == now, "the API has changed: `BLESS=1 cargo nextest run -p cofferdam-api described`");
}

#[test]
fn it_is_of_version_3_1_and_each_route_says_who_may_and_what_may_go_wrong() {
    let document: Value = serde_json::from_str(&document()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let problem = &operation["responses"]["4XX"]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{method} {path}");
            assert!(operation["security"].is_array(), "{method} {path}");
            let has = |name: &str| {
                let parameters = operation["parameters"].as_array();
                parameters.is_some_and(|all| all.iter().any(|one| one["name"] == name))
            };
            assert_eq!(has("If-Match"), ["put", "patch"].contains(&method.as_str()), "{method} {path}");
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two routes have one id");
}

#[test]
fn every_reference_leads_somewhere() {
    let document: Value = serde_json::from_str(&document()).unwrap();
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                }
                left.extend(members.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
}
