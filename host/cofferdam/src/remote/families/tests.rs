//! Every command against a server is held against the description of the API.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ALL;
use crate::remote::verb::{Column, Kind, Place, Shows, Verb};
use crate::remote::{audit, history};

fn description() -> Value {
    let text = include_str!("../../../../api/openapi.json");
    serde_json::from_str(text).unwrap()
}

fn verbs() -> impl Iterator<Item = (String, &'static Verb)> {
    let named = |family: &'static super::Family| {
        family.verbs.iter().map(move |verb| (format!("{} {}", family.name, verb.name), verb))
    };
    let elsewhere = history::VERBS.iter().chain(&audit::VERBS).map(|verb| (verb.name.to_owned(), *verb));
    ALL.iter().flat_map(named).chain(elsewhere)
}

fn operation<'d>(description: &'d Value, verb: &Verb) -> &'d Value {
    let method = verb.method.as_str().to_lowercase();
    let found = description.pointer(&format!("/paths/{}/{method}", verb.path.replace('/', "~1")));
    found.unwrap_or_else(|| panic!("the API has no {} {}", verb.method, verb.path))
}

/// What stands behind references, and everything of which something is made.
fn schemas<'d>(description: &'d Value, schema: &'d Value) -> Vec<&'d Value> {
    if let Some(at) = schema.get("$ref").and_then(Value::as_str) {
        return schemas(description, description.pointer(at.trim_start_matches('#')).unwrap());
    }
    let parts = ["allOf", "oneOf"].iter().filter_map(|of| schema.get(of)?.as_array()).flatten();
    std::iter::once(schema).chain(parts.flat_map(|part| schemas(description, part))).collect()
}

fn property<'d>(description: &'d Value, schema: &'d Value, name: &str) -> Option<&'d Value> {
    schemas(description, schema).into_iter().find_map(|schema| schema.pointer(&format!("/properties/{name}")))
}

/// Whether an answer has something at this pointer. What is described as any object has everything.
fn has(description: &Value, schema: &Value, pointer: &str) -> bool {
    let mut at = schema;
    for part in pointer.split('/').skip(1) {
        match property(description, at, part) {
            Some(property) => at = property,
            None => {
                return schemas(description, at)
                    .iter()
                    .any(|one| *one == &serde_json::json!({"type": "object"}));
            }
        }
    }
    true
}

fn at<'d>(description: &'d Value, schema: &'d Value, pointer: &str) -> &'d Value {
    pointer.split('/').skip(1).fold(schema, |schema, part| property(description, schema, part).unwrap())
}

fn given(verb: &Verb, place: Place) -> BTreeSet<&str> {
    verb.takes.iter().filter(|take| take.place == place).map(|take| take.name).collect()
}

#[test]
fn each_command_asks_for_what_the_api_describes_and_gives_all_that_it_needs() {
    let description = description();
    for (command, verb) in verbs() {
        let operation = operation(&description, verb);
        let in_path = verb.path.split('{').skip(1).map(|part| part.split('}').next().unwrap());
        for name in in_path.filter(|name| *name != "organization") {
            assert!(given(verb, Place::Path).contains(name), "{command}: {name}");
        }
        let asked = operation["parameters"].as_array().into_iter().flatten();
        let asked: BTreeSet<&str> =
            asked.filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap()).collect();
        assert!(
            given(verb, Place::Query).is_subset(&asked),
            "{command} asks for something that is not in {asked:?}"
        );
        let headers = operation["parameters"].as_array().into_iter().flatten();
        let is_of_what_was_read = headers.into_iter().any(|one| one["name"] == "If-Match");
        assert_eq!(verb.reads_first.is_some(), is_of_what_was_read, "{command} reads first what it changes");
        if verb.takes.iter().any(|take| take.kind == Kind::File) {
            assert!(operation.pointer("/requestBody/content/application~1wasm").is_some(), "{command}");
            continue;
        }
        let given = given(verb, Place::Body);
        let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") else {
            assert!(given.is_empty(), "{command}: {given:?}");
            continue;
        };
        for name in &given {
            assert!(property(&description, body, name).is_some(), "{command} gives `{name}`");
        }
        let all = schemas(&description, body);
        let needed = all.iter().filter_map(|schema| schema.get("required")?.as_array()).flatten();
        let is_whole = verb.takes.iter().any(|take| take.place == Place::Whole);
        for name in needed.map(|name| name.as_str().unwrap()).filter(|_| !is_whole) {
            let take = verb.takes.iter().find(|take| take.name == name);
            assert!(
                take.is_some_and(|take| take.is_needed || take.is_empty_unless_said),
                "{command} needs `{name}`"
            );
        }
    }
}

/// What no command asks for, and why. May only become shorter.
const WITHOUT_COMMAND: [(&str, &str); 8] = [
    ("get /healthz", "asked by what watches a server"),
    ("get /readyz", "asked by what watches a server"),
    ("get /v1/openapi.json", "read by programs"),
    ("get /v1/events/{token}", "asked by other systems"),
    ("post /v1/events/{token}", "asked by other systems"),
    ("get /v1/oauth/callback", "asked by browsers; `connections authorize` brings the answer of one"),
    ("post /v1/login", "`login` keeps what is answered"),
    ("post /v1/logout", "`logout` forgets it"),
];

#[test]
fn each_operation_of_the_api_has_a_command() {
    let description = description();
    let methods = ["get", "post", "put", "patch", "delete"];
    let described = description["paths"].as_object().unwrap().iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().keys();
        let operations = operations.filter(|method| methods.contains(&method.as_str()));
        operations.map(move |method| format!("{method} {path}"))
    });
    let asked: BTreeSet<String> =
        verbs().map(|(_, verb)| format!("{} {}", verb.method.as_str().to_lowercase(), verb.path)).collect();
    let missing: BTreeSet<String> = described.filter(|operation| !asked.contains(operation)).collect();
    let without = WITHOUT_COMMAND.iter().map(|(operation, _)| (*operation).to_owned());
    assert_eq!(missing, without.collect());
}

#[test]
fn each_column_is_in_what_the_api_answers() {
    let description = description();
    for (command, verb) in verbs() {
        let operation = operation(&description, verb);
        let answers = operation["responses"].as_object().unwrap();
        let answer = answers.iter().find(|(status, _)| status.starts_with('2')).unwrap().1;
        let schema = answer.pointer("/content/application~1json/schema");
        let (columns, schema): (&[Column], &Value) = match &verb.shows {
            Shows::List(_, columns) => (columns, &at(&description, schema.unwrap(), "/items")["items"]),
            Shows::Within(within, columns) => (columns, &at(&description, schema.unwrap(), within)["items"]),
            Shows::One(columns) => (columns, schema.unwrap()),
            Shows::Done(_) | Shows::Raw | Shows::Live | Shows::Consent => continue,
        };
        for column in columns {
            assert!(has(&description, schema, column.at), "{command}: nothing at {} in {schema}", column.at);
        }
    }
}
