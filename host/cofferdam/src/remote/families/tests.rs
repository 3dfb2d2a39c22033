use std::collections::BTreeSet;

use serde_json::Value;

use super::ALL;
use crate::remote::verb::{Column, Place, Shows, Verb};

fn description() -> Value {
    let text = include_str!("../../../../api/openapi.json");
    serde_json::from_str(text).unwrap()
}

fn verbs() -> impl Iterator<Item = (String, &'static Verb)> {
    ALL.iter()
        .flat_map(|family| family.verbs.iter().map(|verb| (format!("{} {}", family.name, verb.name), verb)))
}

/// What stands behind a reference.
fn followed<'d>(description: &'d Value, schema: &'d Value) -> &'d Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(at) => description.pointer(at.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

fn operation<'d>(description: &'d Value, verb: &Verb) -> &'d Value {
    let method = verb.method.as_str().to_lowercase();
    let found = description.pointer(&format!("/paths/{}/{method}", verb.path.replace('/', "~1")));
    found.unwrap_or_else(|| panic!("the API has no {} {}", verb.method, verb.path))
}

#[test]
fn each_command_asks_for_what_the_api_describes_and_gives_all_that_it_needs() {
    let description = description();
    for (command, verb) in verbs() {
        let operation = operation(&description, verb);
        let given: BTreeSet<&str> =
            verb.takes.iter().filter(|take| take.place == Place::Body).map(|take| take.name).collect();
        let body = operation.pointer("/requestBody/content/application~1json/schema");
        let Some(body) = body else {
            assert!(given.is_empty(), "{command}: {given:?}");
            continue;
        };
        let body = followed(&description, body);
        let known: BTreeSet<&str> =
            body["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert!(given.is_subset(&known), "{command} gives {given:?} of {known:?}");
        let needed = body["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
        for name in needed {
            let take = verb.takes.iter().find(|take| take.name == name);
            assert!(
                take.is_some_and(|take| take.is_needed || take.is_empty_unless_said),
                "{command} needs `{name}`"
            );
        }
        let in_path = verb.path.split('{').skip(1).map(|part| part.split('}').next().unwrap());
        for name in in_path.filter(|name| *name != "organization") {
            assert!(
                verb.takes.iter().any(|take| take.place == Place::Path && take.name == name),
                "{command}: {name}"
            );
        }
    }
}

#[test]
fn each_column_is_in_what_the_api_answers() {
    let description = description();
    for (command, verb) in verbs() {
        let operation = operation(&description, verb);
        let answer =
            operation["responses"].as_object().unwrap().iter().find(|(status, _)| status.starts_with('2'));
        let schema = answer.unwrap().1.pointer("/content/application~1json/schema");
        let (columns, schema): (&[Column], _) = match &verb.shows {
            Shows::List(_, columns) => {
                let page = followed(&description, schema.unwrap());
                (columns, page.pointer("/properties/items/items"))
            }
            Shows::One(columns) => (columns, schema),
            Shows::Done(_) => continue,
        };
        for column in columns {
            let mut at = followed(&description, schema.unwrap());
            for part in column.at.split('/').skip(1) {
                let property = at.pointer(&format!("/properties/{part}"));
                let property =
                    property.unwrap_or_else(|| panic!("{command}: nothing at {} in {at}", column.at));
                // What may be absent is described as one of nothing and something.
                let one_of = property.get("oneOf").and_then(|all| all.as_array()?.last());
                at = followed(&description, one_of.unwrap_or(property));
            }
        }
    }
}
