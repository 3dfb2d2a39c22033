//! Every command on good input.

use crate::snapshot;
use crate::world::World;

pub(crate) const FAKER_TO_NULL: &str = r#"
sync = 1
name = "made-up"

[source]
connector = "components/faker.wasm"
[source.config]
streams = [{ name = "people", rows = 1_000 }, { name = "orders", rows = 200, columns = "orders" }]

[destination]
connector = "components/null.wasm"
"#;

#[test]
fn run_moves_rows_and_a_second_run_moves_nothing() {
    let world = World::with(FAKER_TO_NULL);
    snapshot!("run", world.run(&["run", "sync.toml"]));
    snapshot!("run-again", world.run(&["run", "sync.toml"]));
    assert!(world.path(".cofferdam/journal").is_dir(), "what is kept is beside the document");
    world.edit("rows = 1_000", "rows = 1_007");
    let third = world.run(&["run", "sync.toml"]).succeeded();
    let people = third.stdout.lines().find(|line| line.starts_with("people")).unwrap();
    assert_eq!(people.split_whitespace().nth(1), Some("7"), "only what is new: {people}");
}

#[test]
fn what_is_kept_can_be_kept_elsewhere() {
    let world = World::with(FAKER_TO_NULL);
    world.run(&["run", "sync.toml", "--data", "elsewhere"]).succeeded();
    assert!(world.path("elsewhere/journal").is_dir());
    assert!(!world.path(".cofferdam").exists());
}

#[test]
fn run_counts_rejected_filtered_and_made_rows_apart() {
    let url = crate::api::serve(5);
    let grants = crate::api::grants(&url);
    let sync = format!(
        r#"
sync = 1
name = "shaped"

[source]
connector = "components/example-source.wasm"
config = {{ base_url = "{url}", streams = ["movies"], page_size = 2 }}
{grants}
[[transforms]]
name = "tags"
connector = "components/example-transform.wasm"
config = {{ field = "tags" }}

[destination]
connector = "components/null.wasm"
config = {{ reject_every = 4 }}
"#
    );
    snapshot!("run-shaped", World::with(&sync).run(&["run", "sync.toml"]));
}

#[test]
fn run_says_what_was_rejected_and_where_it_is_kept() {
    let world =
        World::with(&FAKER_TO_NULL.replace("[source.config]\n", "[source.config]\nreject_every = 25\n"));
    snapshot!("run-rejected", world.run(&["run", "sync.toml"]));
}

#[test]
fn check_tries_everything() {
    snapshot!("check", World::with(FAKER_TO_NULL).run(&["check", "sync.toml"]));
}

#[test]
fn check_moves_nothing_and_leaves_nothing() {
    let world = World::with(FAKER_TO_NULL);
    world.run(&["check", "sync.toml"]).succeeded();
    assert!(!world.path(".cofferdam").exists());
}

#[test]
fn discover_shows_streams_and_fields() {
    let world = World::with(FAKER_TO_NULL);
    snapshot!("discover", world.run(&["discover", "sync.toml"]));
}

#[test]
fn discover_takes_a_component_with_its_configuration() {
    let world = World::new();
    let expected = "people";
    world.file("config.toml", "streams = [{ name = \"people\", rows = 1 }]");
    world.file("config.json", r#"{ "streams": [{ "name": "people", "rows": 1 }] }"#);
    for config in ["config.toml", "config.json"] {
        let ran = world.run(&["discover", "components/faker.wasm", "--config", config]).succeeded();
        assert!(ran.stdout.contains(expected), "{}", ran.report());
    }
}

#[test]
fn preview_shows_the_first_rows_and_writes_nothing() {
    let world = World::with(FAKER_TO_NULL);
    snapshot!("preview", world.run(&["preview", "sync.toml", "people", "-n", "3"]));
    assert!(!world.path(".cofferdam").exists());
}

#[test]
fn rows_that_were_shown_can_be_shown_again() {
    let world = World::with(FAKER_TO_NULL);
    let shown = world.run(&["preview", "sync.toml", "people", "-n", "3", "--keep"]).succeeded();
    // Nothing is asked of the source any more.
    world.edit("rows = 1_000", "rows = 1");
    let again = world.run(&["preview", "sync.toml", "people", "--kept"]).succeeded();
    assert_eq!(again.stdout, shown.stdout);
    assert!(again.stderr.starts_with("as of "), "{}", again.stderr);
    let other = world.run(&["preview", "sync.toml", "orders", "--kept"]).succeeded();
    assert_eq!(other.stdout, "");
}

#[test]
fn preview_goes_through_the_transforms_and_the_choice_of_fields() {
    let sync = format!(
        "{FAKER_TO_NULL}
[[streams]]
name = \"orders\"
fields = [\"id\", \"currency\", \"paid\"]
filter = [{{ field = \"paid\", comparison = \"equal\", value = true }}]
"
    );
    snapshot!("preview-chosen", World::with(&sync).run(&["preview", "sync.toml", "orders", "-n", "4"]));
}

#[test]
fn inspect_shows_what_a_component_says_of_itself() {
    let world = World::new();
    snapshot!("inspect", world.run(&["inspect", "components/example-source.wasm"]));
    snapshot!("inspect-files", world.run(&["inspect", "components/example-destination.wasm"]));
}

#[test]
fn explain_shows_the_page_of_a_code() {
    let world = World::new();
    snapshot!("explain", world.run(&["explain", "cd202"]));
    let list = world.run(&["explain"]).succeeded().stdout;
    for line in list.lines() {
        let (code, title) = line.split_once("  ").unwrap();
        let page = world.run(&["explain", code]).succeeded().stdout;
        assert!(page.starts_with(&format!("# {code}: {title}\n")), "{page}");
    }
    assert!(list.lines().count() > 50, "{list}");
}

#[test]
fn explain_knows_near_misses() {
    let world = World::new();
    snapshot!("explain-near-miss", world.run(&["explain", "CD0220"]));
    snapshot!("explain-far-miss", world.run(&["explain", "nonsense"]));
}

#[test]
fn completion_scripts_are_for_the_command() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = world.run(&["completion", shell]).succeeded().stdout;
        assert!(script.contains("cofferdam") && script.contains("discover"), "{script}");
    }
}
