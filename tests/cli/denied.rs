//! What was not granted is denied, and the message has the very lines that would allow it.

use crate::world::{Ran, World};
use crate::{api, snapshot};

fn reader(base_url: &str) -> String {
    format!(
        r#"
sync = 1
name = "read"

[source]
connector = "components/example-source.wasm"
config = {{ base_url = "{base_url}", streams = ["movies"], page_size = 2 }}

[destination]
connector = "components/null.wasm"

[run]
attempts = 1
"#
    )
}

/// Adds what the message says, as a person would paste it.
fn paste(world: &World, ran: &Ran) {
    let lines = ran.lines_to_add();
    assert!(!lines.is_empty(), "{}", ran.report());
    world.file("sync.toml", format!("{}\n{lines}", world.read("sync.toml")));
}

#[test]
fn a_denied_host_is_reported_with_the_lines_that_allow_it() {
    let world = World::with(&reader(&api::serve(3)));
    let denied = world.run(&["run", "sync.toml"]);
    snapshot!("denied-host", denied);
    paste(&world, &denied);
    let allowed = world.run(&["run", "sync.toml"]).succeeded();
    snapshot!("denied-host-allowed", allowed);
}

#[test]
fn machines_are_told_what_was_denied_too() {
    let url = api::serve(1);
    let ran = World::with(&reader(&url)).run(&["run", "sync.toml", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let group = &document["requests"][0]["group"];
    let said = ["connection", "method", "host", "outcome", "code"].map(|key| group[key].as_str().unwrap());
    assert_eq!(said, ["source", "GET", &url, "denied", "CD0202"]);
    assert_eq!(document["requests"][0]["amounts"]["requests"], 1);
    let lines = group["line_to_add"].as_str().unwrap();
    assert!(lines.contains("[[source.grants.hosts]]") && lines.contains(&url), "{lines}");
    assert_eq!(document["errors"][0]["hints"][0]["lines"], lines);
}

#[test]
fn a_denied_address_behind_a_granted_name_is_reported_with_the_lines_that_allow_it() {
    let base_url = api::serve(1);
    let sync = format!("{}\n[[source.grants.hosts]]\nurl = \"{base_url}\"\n", reader(&base_url));
    let world = World::with(&sync);
    let denied = world.run(&["check", "sync.toml"]);
    snapshot!("denied-address", denied);
    paste(&world, &denied);
    world.run(&["check", "sync.toml"]).succeeded();
}

#[test]
fn a_required_directory_stops_the_run_before_the_first_call() {
    let sync = r#"
sync = 1
name = "write"

[source]
connector = "components/faker.wasm"
config = { streams = [{ name = "people", rows = 10 }] }

[destination]
connector = "components/example-destination.wasm"
"#;
    let world = World::with(sync);
    let denied = world.run(&["run", "sync.toml"]);
    snapshot!("denied-directory", denied);
    assert!(!world.path(".cofferdam").exists(), "the run did not begin");
    paste(&world, &denied);
    let missing = world.run(&["run", "sync.toml"]);
    snapshot!("directory-missing", missing);
    world.folder("data");
    world.run(&["run", "sync.toml"]).succeeded();
    assert_eq!(world.read("data/people.jsonl").lines().count(), 10);
}

#[test]
fn a_grant_that_gives_nothing_is_warned_of() {
    let sync = format!(
        "{}\n[[source.grants.hosts]]\nurl = \"https://other.example.com\"\n",
        reader("http://127.0.0.1:9")
    );
    let ran = World::with(&sync).run(&["run", "sync.toml"]);
    assert!(ran.stderr.contains("\nwarning[CD0213]: `https://other.example.com"), "{}", ran.stderr);
}
