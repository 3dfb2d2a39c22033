//! `cofferdam errors`: rejected rows are listed without their values, shown with them, and deleted for good.

use serde_json::Value;

use crate::rejects::{CANARY, rejected};
use crate::snapshot;
use crate::world::World;

fn listed(world: &World, more: &[&str]) -> Vec<String> {
    let ran = world.run(&[&["errors", "list", "--json"][..], more].concat()).succeeded();
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let errors = document["errors"].as_array().unwrap();
    errors.iter().map(|error| error["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_shows_no_value_of_a_row() {
    let world = rejected();
    let list = world.run(&["errors", "list"]);
    assert!(!list.stdout.contains(CANARY), "{}", list.report());
    snapshot!("errors-list", list);
    let json = world.run(&["errors", "list", "sync.toml", "--json"]).succeeded();
    assert!(!json.stdout.contains(CANARY), "{}", json.report());
    let runs = world.run(&["runs", "show", "1"]).succeeded();
    assert!(!runs.stdout.contains(CANARY), "{}", runs.report());
}

#[test]
fn one_row_is_shown_with_its_values() {
    let world = rejected();
    snapshot!("errors-show", world.run(&["errors", "show", "1-1"]));
    snapshot!("errors-show-none", world.run(&["errors", "show", "orders/1-7"]));
    snapshot!("errors-show-other-sync", world.run(&["errors", "show", "other/1-1"]));
}

#[test]
fn filters_choose_rows() {
    let world = rejected();
    let expect = |more: &[&str], ids: &[&str]| assert_eq!(listed(&world, more), ids, "{more:?}");
    expect(&[], &["1-1", "1-2"]);
    expect(&["orders"], &["1-1", "1-2"]);
    expect(&["--run", "1"], &["1-1", "1-2"]);
    expect(&["--run", "orders/1", "--stream", "orders"], &["1-1", "1-2"]);
    expect(&["--stream", "people"], &[]);
    expect(&["--code", "cast_failed"], &["1-1", "1-2"]);
    expect(&["--code", "other"], &[]);
    expect(&["--where", "id = \"4\""], &["1-2"]);
    expect(&["--where", "amount = ten", "--where", "id != \"9\""], &["1-1"]);
    expect(&["--ids", "1-2"], &["1-2"]);
    expect(&["--state", "superseded"], &[]);
    expect(&["-n", "1"], &["1-1"]);
    expect(&["-n", "1", "--after", "1-1"], &["1-2"]);
    snapshot!("errors-list-page", world.run(&["errors", "list", "-n", "1"]));
    snapshot!("errors-bad-field", world.run(&["errors", "list", "--where", "amuont = 1"]));
    snapshot!("errors-bad-condition", world.run(&["errors", "list", "--where", "amount"]));
    snapshot!("errors-two-syncs", world.run(&["errors", "list", "--ids", "a/1-1,b/1-2"]));
}

#[test]
fn an_export_has_every_row() {
    let world = rejected();
    let exported = world.run(&["errors", "export"]).succeeded();
    let rows: Vec<Value> = exported.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["row"]["customer"], CANARY);
    assert_eq!(rows[1]["row"]["amount"], CANARY);
    snapshot!("errors-export-file", world.run(&["errors", "export", "--to", "rows.jsonl", "--ids", "1-2"]));
    assert_eq!(world.read("rows.jsonl").lines().count(), 1);
}

#[test]
fn what_is_deleted_is_gone_and_erased() {
    let world = rejected();
    snapshot!("errors-delete-unconfirmed", world.run(&["errors", "delete", "--ids", "1-1"]));
    snapshot!("errors-delete-everything-by-accident", world.run(&["errors", "delete", "--yes"]));
    assert_eq!(listed(&world, &[]), ["1-1", "1-2"]);
    let deleted = world.run(&["errors", "delete", "--ids", "1-1", "--yes"]).succeeded();
    assert!(deleted.stdout.starts_with("1 rejected row deleted and erased: "), "{}", deleted.stdout);
    assert_eq!(listed(&world, &[]), ["1-2"]);
    let rest = world.run(&["errors", "delete", "--all", "--yes", "--json"]).succeeded();
    let rest: Value = serde_json::from_str(&rest.stdout).unwrap();
    assert_eq!(rest["deleted"], 1);
    snapshot!("errors-list-empty", world.run(&["errors", "list"]));
}

#[test]
fn with_row_data_off_nothing_of_a_row_is_kept() {
    let world = crate::rejects::orders();
    world.file("sync.toml", format!("{}\n[rejects]\nrow_data = \"off\"\n", world.read("sync.toml")));
    world.run(&["run", "sync.toml"]).succeeded();
    let show = world.run(&["errors", "show", "1-1"]);
    assert!(!show.stdout.contains(CANARY) && !show.stdout.contains("ten"), "{}", show.report());
    snapshot!("errors-show-withheld", show);
    snapshot!("reprocess-withheld", world.run(&["reprocess", "sync.toml", "1"]));
}

#[test]
fn nothing_of_a_rejected_row_lies_in_the_data_directory_or_a_backup() {
    let world = rejected();
    world.run(&["backup", "kept.backup"]).succeeded();
    world.run(&["keys", "recovery-key", "recovery"]).succeeded();
    world.run(&["keys", "export", "--to", "kept.export", "--recovery-key", "recovery"]).succeeded();
    let kept = |name: &str| std::fs::read(world.path(name)).unwrap();
    let mut searched: Vec<(String, Vec<u8>)> = world
        .files(".cofferdam")
        .into_iter()
        .map(|(path, bytes)| (path.display().to_string(), bytes))
        .collect();
    searched.extend(["kept.backup", "kept.export"].map(|name| (name.to_owned(), kept(name))));
    let key_file = std::fs::read(world.key_file()).unwrap();
    // Behind the header, each block has an order and then a key.
    let keys = key_file.chunks(4096).skip(1).map(|block| block[8..40].to_vec()).filter(|key| *key != [0; 32]);
    let mut secrets: Vec<Vec<u8>> = keys.collect();
    assert!(secrets.len() >= 2, "the KEK and the shred key are looked for");
    secrets.extend([CANARY.as_bytes().to_vec(), b"ten".to_vec(), b"customer".to_vec()]);
    secrets.retain(|secret| secret.len() > 3);
    let source = kept("data/orders.csv");
    assert!(is_in(&source, CANARY.as_bytes()), "the search finds what is there");
    for (name, bytes) in &searched {
        for secret in &secrets {
            assert!(!is_in(bytes, secret), "{} in `{name}`", String::from_utf8_lossy(secret));
        }
    }
}

fn is_in(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
