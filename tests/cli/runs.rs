//! `cofferdam runs` and `cofferdam checkpoints`.

use serde_json::Value;

use crate::commands::FAKER_TO_NULL;
use crate::snapshot;
use crate::stopped::{SLOW, until};
use crate::world::World;

fn used() -> World {
    let world =
        World::with(&FAKER_TO_NULL.replace("[source.config]\n", "[source.config]\nreject_every = 25\n"));
    world.run(&["run", "sync.toml"]).succeeded();
    world.run(&["run", "sync.toml"]).succeeded();
    world
}

#[test]
fn runs_are_listed_and_shown() {
    let world = used();
    snapshot!("runs-list", world.run(&["runs", "list"]));
    let by_document = world.run(&["runs", "list", "sync.toml", "-n", "1"]).succeeded();
    assert_eq!(by_document.stdout.lines().count(), 2, "{}", by_document.stdout);
    snapshot!("runs-show", world.run(&["runs", "show", "made-up/1"]));
    let logs = world.run(&["runs", "logs", "1"]).succeeded().stdout;
    assert!(
        logs.contains(" null info: `orders`: 192 rows") && logs.contains(" null info: `people`: 960 rows"),
        "{logs}"
    );
    snapshot!("runs-show-unknown", world.run(&["runs", "show", "9"]));
    snapshot!("runs-list-unknown", world.run(&["runs", "list", "other"]));
}

#[test]
fn nothing_is_known_where_nothing_has_run() {
    snapshot!("runs-nowhere", World::new().run(&["runs", "list"]));
}

#[test]
fn the_ledger_stays_with_the_run() {
    let url = crate::api::serve(3);
    let grants = crate::api::grants(&url);
    let sync = format!(
        r#"
sync = 1
name = "asked"

[source]
connector = "components/example-source.wasm"
config = {{ base_url = "{url}", streams = ["movies"], page_size = 2 }}
{grants}
[destination]
connector = "components/null.wasm"
"#
    );
    let world = World::with(&sync);
    world.run(&["run", "sync.toml"]).succeeded();
    let shown = world.run(&["runs", "show", "1", "--json"]).succeeded();
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    let hosts = document["requests"].as_array().unwrap();
    assert_eq!(hosts[0]["group"]["host"], url.as_str(), "{document}");
    assert!(document["entry"]["end"]["budgets"]["source"].is_array(), "{document}");
    assert!(world.run(&["runs", "show", "1"]).stdout.contains(&url));
}

#[test]
fn positions_are_shown_set_and_forgotten() {
    let world = used();
    snapshot!("checkpoints-show", world.run(&["checkpoints", "show", "sync.toml"]));
    snapshot!("checkpoints-unconfirmed", world.run(&["checkpoints", "reset", "made-up"]));
    snapshot!(
        "checkpoints-unit-unknown",
        world.run(&["checkpoints", "reset", "made-up", "--unit", "x", "--yes"])
    );
    let bad = ["checkpoints", "edit", "made-up", "--unit", "orders", "--to", "{", "--yes"];
    snapshot!("checkpoints-bad", world.run(&bad));
    snapshot!(
        "checkpoints-reset",
        world.run(&["checkpoints", "reset", "made-up", "--stream", "orders", "--yes"])
    );
    let again = world.run(&["run", "sync.toml"]).succeeded();
    let read = |stream: &str| {
        let line = again.stdout.lines().find(|line| line.starts_with(stream)).map(str::to_owned);
        line.and_then(|line| line.split_whitespace().nth(1).map(str::to_owned))
    };
    assert_eq!(read("orders").as_deref(), Some("200"), "{}", again.stdout);
    assert!(matches!(read("people").as_deref(), None | Some("0")), "{}", again.stdout);
}

#[test]
fn a_position_that_was_shown_can_be_set_again() {
    let world = used();
    let shown = world.run(&["checkpoints", "show", "made-up", "--json"]).succeeded();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let units = shown["units"].as_array().unwrap();
    let orders = units.iter().find(|unit| unit["unit"] == "made-up/orders").unwrap();
    let position = orders["position"]["checkpoint"].as_str().unwrap();
    world.run(&["checkpoints", "reset", "made-up", "--yes"]).succeeded();
    world.run(&["checkpoints", "edit", "made-up", "--unit", "orders", "--to", position, "--yes"]).succeeded();
    let again = world.run(&["run", "sync.toml"]).succeeded();
    let people = again.stdout.lines().find(|line| line.starts_with("people")).unwrap();
    assert_eq!(people.split_whitespace().nth(1), Some("1,000"), "{}", again.stdout);
    let orders = again.stdout.lines().find(|line| line.starts_with("orders"));
    let read = orders.and_then(|line| line.split_whitespace().nth(1));
    assert!(matches!(read, None | Some("0")), "{}", again.stdout);
}

#[test]
fn what_a_connector_says_is_kept_with_its_run_also_while_it_is_killed() {
    let world = World::with(SLOW);
    world.folder("out");
    let mut command = world.command(&["run", "sync.toml"]);
    let mut child = command.spawn().unwrap();
    until("the first commit", || world.path("out/people-000001.jsonl").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    snapshot!("runs-list-cut-off", world.run(&["runs", "list"]));
    let shown = world.run(&["runs", "show", "1"]).succeeded();
    assert!(shown.stdout.contains("its process ended before it could report"), "{}", shown.stdout);
}
