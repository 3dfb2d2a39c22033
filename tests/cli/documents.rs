//! Documents with faults: all of them are shown, each with its place and what would be right.

use crate::commands::FAKER_TO_NULL;
use crate::snapshot;
use crate::world::World;

#[test]
fn every_fault_of_a_sync_is_shown_with_its_place() {
    let sync = r#"sync = 1
name = "Made Up"

[sauce]
connector = "components/faker.wasm"

[destination]
connector = "components/null.wasm"
limits = { memory_bytes = "256 megs" }

[run]
atempts = 3

[[streams]]
name = "people"
mode = "appendix"
"#;
    snapshot!("sync-faults", World::with(sync).run(&["run", "sync.toml"]));
}

#[test]
fn a_sync_that_is_no_toml_is_shown_where_it_breaks() {
    snapshot!("sync-syntax", World::with("sync = 1\nname = \"a\n").run(&["check", "sync.toml"]));
}

#[test]
fn a_sync_that_is_not_there_is_named() {
    snapshot!("sync-missing", World::new().run(&["run", "nothing.toml"]));
}

#[test]
fn a_sync_that_is_not_text_is_refused() {
    let world = World::new();
    world.file("sync.toml", b"sync = 1\nname = \"\xff\"");
    snapshot!("sync-not-text", world.run(&["run", "sync.toml"]));
}

#[test]
fn a_configuration_that_breaks_its_schema_is_shown_in_the_sync() {
    let sync = FAKER_TO_NULL.replace("rows = 200", "rwos = 200").replace(
        "connector = \"components/null.wasm\"",
        "connector = \"components/null.wasm\"\nconfig = { layout = \"rows\" }",
    );
    snapshot!("config-faults", World::with(&sync).run(&["run", "sync.toml"]));
}

#[test]
fn a_limit_above_what_this_host_gives_is_refused() {
    let sync = format!("{FAKER_TO_NULL}limits = {{ memory_bytes = \"64 GiB\" }}\n");
    snapshot!("limit-above-ceiling", World::with(&sync).run(&["run", "sync.toml"]));
}

#[test]
fn an_unknown_stream_or_field_gets_its_near_miss() {
    let world = World::with(&format!("{FAKER_TO_NULL}\n[[streams]]\nname = \"peeple\"\n"));
    snapshot!("stream-unknown", world.run(&["run", "sync.toml"]));
    world.edit("name = \"peeple\"", "name = \"people\"\nfields = [\"id\", \"fist_name\"]");
    snapshot!("field-unknown", world.run(&["check", "sync.toml"]));
    snapshot!("preview-stream-unknown", world.run(&["preview", "sync.toml", "order"]));
}

#[test]
fn discover_wants_one_configuration() {
    let world = World::with(FAKER_TO_NULL);
    world.file("config.toml", "streams = [");
    snapshot!(
        "discover-two-configurations",
        world.run(&["discover", "sync.toml", "--config", "config.toml"])
    );
    let broken = world.run(&["discover", "components/faker.wasm", "--config", "config.toml"]);
    assert_eq!(broken.status, Some(1));
    assert!(broken.stderr.starts_with("error[CD0802]: "), "{}", broken.stderr);
    snapshot!("discover-without-configuration", world.run(&["discover", "components/faker.wasm"]));
}
