//! `--json`: one document on standard output, whose shape programs may rely on.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::commands::FAKER_TO_NULL;
use crate::world::{Ran, World};

/// Every path in a document with the type that stands there, so that figures do not matter and shapes do.
fn shape(value: &Value) -> String {
    let mut lines = BTreeSet::new();
    collect("", value, &mut lines);
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

fn collect(path: &str, value: &Value, lines: &mut BTreeSet<String>) {
    let word = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(items) => {
            items.iter().for_each(|item| collect(&format!("{path}[]"), item, lines));
            "list"
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| collect(&format!("{path}.{key}"), member, lines));
            "object"
        }
    };
    lines.insert(format!("{}: {word}", if path.is_empty() { "." } else { path }));
}

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.report()))
}

fn check_shape(name: &str, arguments: &[&str], status: i32) -> Value {
    let ran = World::with(FAKER_TO_NULL).run(arguments);
    assert_eq!(ran.status, Some(status), "{}", ran.report());
    let document = document(&ran);
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, shape(&document));
    });
    document
}

#[test]
fn every_command_has_its_document() {
    let run = check_shape("json-run", &["run", "sync.toml", "--json"], 0);
    assert_eq!(run.pointer("/report/streams/people/counters/accepted"), Some(&Value::from(1_000)));
    assert_eq!(run.pointer("/report/outcome"), Some(&Value::from("completed")));
    let check = check_shape("json-check", &["check", "sync.toml", "--json"], 0);
    assert_eq!(check.pointer("/ok"), Some(&Value::from(true)));
    check_shape("json-discover", &["discover", "sync.toml", "--json"], 0);
    let preview = check_shape("json-preview", &["preview", "sync.toml", "people", "-n", "2", "--json"], 0);
    assert_eq!(preview.pointer("/streams/0/rows").unwrap().as_array().unwrap().len(), 2);
    let inspect = check_shape("json-inspect", &["inspect", "components/faker.wasm", "--json"], 0);
    assert_eq!(inspect.pointer("/roles/0"), Some(&Value::from("source")));
    // Nobody listens there for another machine: a finding that is not ok is in the document.
    check_shape(
        "json-doctor",
        &["doctor", "--listen", "192.0.2.1:1", "--name-server", "127.0.0.1:1", "--json"],
        1,
    );
    check_shape("json-explain", &["explain", "CD0101", "--json"], 0);
    check_shape("json-explain-all", &["explain", "--json"], 0);
    check_shape("json-completion", &["completion", "bash", "--json"], 0);
}

#[test]
fn errors_have_a_document_too() {
    let missing = check_shape("json-error", &["run", "nothing.toml", "--json"], 1);
    assert_eq!(missing.pointer("/errors/0/code"), Some(&Value::from("CD0801")));
    let unknown = check_shape("json-error-in-run", &["preview", "sync.toml", "peeple", "--json"], 1);
    assert_eq!(unknown.pointer("/errors/0/code"), Some(&Value::from("CD0701")));
}

#[test]
fn faults_of_a_document_keep_their_places() {
    let world = World::with("sync = 1\nname = \"a\"\n[sauce]\n");
    let ran = world.run(&["run", "sync.toml", "--json"]);
    assert_eq!(ran.status, Some(1));
    let document = document(&ran);
    let fault = document.pointer("/errors/0/faults/faults/0").unwrap();
    assert_eq!(
        (&fault["code"], &fault["line"], &fault["column"]),
        (&"CD0103".into(), &1.into(), &1.into()),
        "{fault}"
    );
    assert!(ran.stderr.starts_with("error["), "people are told as well: {}", ran.stderr);
}

#[test]
fn a_failed_run_has_its_report_and_its_errors_in_one_document() {
    let world = World::with(&FAKER_TO_NULL.replace("config]\n", "config]\nreject_every = 10\n"));
    world.file("sync.toml", format!("{}\n[rejects]\npolicy = \"fail\"\n", world.read("sync.toml")));
    let ran = world.run(&["run", "sync.toml", "--json"]);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    let document = document(&ran);
    assert_eq!(document.pointer("/report/outcome"), Some(&Value::from("failed")));
    assert_eq!(document.pointer("/errors/0/code"), Some(&Value::from("CD0720")));
}
