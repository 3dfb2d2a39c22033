//! Connectors in worker processes: the same rows, whatever becomes of the workers; and what a worker can reach and see.

mod bodies;
pub(crate) mod found;
mod lost;
mod walls;

use crate::rows::{counts, rows};
use crate::world::World;

/// Two read groups at one time, a transform between, files behind.
pub(crate) const SYNC: &str = r#"
sync = 1
name = "worked"

[source]
connector = "components/faker.wasm"
[source.config]
seed = 5
null_rate = 0.1
streams = [{ name = "people", rows = 4000 }, { name = "orders", rows = 4000, columns = "orders" }]
page_rows = 100

[destination]
connector = "components/files.wasm"
config = { directory = "/out" }
grants = { directories = { out = { path = "out", access = "write" } } }

[run]
commit_bytes = "64 KiB"
"#;

#[test]
fn the_same_rows_come_through_a_worker() {
    let (here, there) = (World::with(SYNC), World::with(SYNC));
    for world in [&here, &there] {
        world.folder("out");
    }
    here.run(&["run", "sync.toml"]).succeeded();
    let ran = there.run(&["run", "sync.toml", "--worker"]).succeeded();
    let (expected, found) = (rows(&here.path("out")), rows(&there.path("out")));
    assert_eq!(counts(&found).values().sum::<usize>(), 8_000, "{}", ran.report());
    assert!(found == expected, "other rows than in one process: {}", ran.report());
    assert!(!ran.stderr.contains("warning"), "no wall is missing: {}", ran.report());
    let again = there.run(&["run", "sync.toml", "--worker"]).succeeded();
    assert!(again.stdout.contains("there was nothing new"), "{}", again.stdout);
}

/// What the report says of limits is what one process says of them, but for times.
#[test]
fn the_budget_of_a_worker_is_in_the_report() {
    let budgets =
        [&["run", "sync.toml", "--json"][..], &["run", "sync.toml", "--json", "--worker"]].map(|arguments| {
            let world = World::with(SYNC);
            world.folder("out");
            let ran = world.run(arguments).succeeded();
            let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            let connectors = document["connectors"].as_array().unwrap();
            let same = ["memory_bytes", "instances", "page_rows", "page_bytes", "checkpoint_bytes"];
            let of = |connector: &serde_json::Value| -> Vec<(String, u64, u64)> {
                let budget = connector["budget"].as_array().unwrap().iter();
                let usage = budget.map(|one| {
                    let number = |name: &str| one[name].as_u64().unwrap();
                    (one["limit"].as_str().unwrap().to_owned(), number("used"), number("allowed"))
                });
                usage.filter(|(limit, ..)| same.contains(&limit.as_str())).collect()
            };
            connectors.iter().map(of).collect::<Vec<_>>()
        });
    assert!(budgets[0].iter().flatten().any(|(_, used, _)| *used > 0), "{budgets:?}");
    assert_eq!(budgets[0], budgets[1]);
}

/// As in one process, with the same words.
#[test]
fn a_connector_that_fails_fails_the_same_way() {
    for attack in ["panic", "offsets-falling", "read-out-of-bounds", "error-text-escapes"] {
        let sync = format!(
            "sync = 1\nname = \"failing\"\n[source]\nconnector = \"components/hostile.wasm\"\n\
             config = {{ attack = \"{attack}\" }}\n[destination]\nconnector = \"components/null.wasm\"\n"
        );
        let failed = |arguments: &[&str]| {
            let ran = World::with(&sync).run(arguments);
            assert_eq!(ran.status, Some(1), "{attack}: {}", ran.report());
            // The first line names the key file of this world.
            ran.stderr.split_once('\n').unwrap().1.to_owned()
        };
        let (here, there) = (failed(&["run", "sync.toml"]), failed(&["run", "sync.toml", "--worker"]));
        assert_eq!(here, there, "{attack}");
    }
}

#[test]
fn a_worker_is_started_by_nobody_else() {
    let world = World::new();
    let ran = world.run(&["worker"]);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stderr.starts_with("error[CD1404]: "), "{}", ran.report());
}

#[test]
fn a_run_is_recorded_in_one_process() {
    let world = World::with(SYNC);
    let ran = world.run(&["run", "sync.toml", "--worker", "--record", "cassette"]);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stderr.contains("cannot be used with"), "{}", ran.report());
}
