//! Runs that are asked to stop: once in order, twice at once.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::rows::{counts, rows};
use crate::world::{World, ran};

/// Commits every page, and waits between them: slow enough to be stopped in the middle.
pub(crate) const SLOW: &str = r#"
sync = 1
name = "slow"

[source]
connector = "components/faker.wasm"
[source.config]
streams = [{ name = "people", rows = 2_000 }]
page_rows = 50
wait_every = 1
wait_ms = 100

[destination]
connector = "components/files.wasm"
config = { directory = "/out" }
grants = { directories = { out = { path = "out", access = "write" } } }

[run]
commit_bytes = 1
"#;

/// Looks often, and gives up after a time that no machine needs.
pub(crate) fn until(what: &str, is_so: impl FnMut() -> bool) {
    until_within(Duration::from_secs(60), what, is_so);
}

/// The same for what takes longer.
pub(crate) fn until_within(patience: Duration, what: &str, is_so: impl FnMut() -> bool) {
    until_or(patience, is_so, || format!("waited too long for {what}"));
}

/// The same, and tells what it found instead.
pub(crate) fn until_or(patience: Duration, mut is_so: impl FnMut() -> bool, found: impl Fn() -> String) {
    let deadline = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < deadline, "{}", found());
        sleep(Duration::from_millis(2));
    }
}

fn interrupt(child: &Child) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

#[test]
fn ctrl_c_ends_in_order_and_the_next_run_goes_on() {
    let world = World::with(SLOW);
    world.folder("out");
    let mut command = world.command(&["run", "sync.toml"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the first commit", || world.path("out/people-000001.jsonl").exists());
    interrupt(&child);
    let stopped = ran(child.wait_with_output().unwrap());
    assert_eq!(stopped.status, Some(1), "{}", stopped.report());
    assert!(stopped.stderr.contains("\nstopping: "), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("error[CD0807]: "), "{}", stopped.stderr);
    assert!(stopped.stdout.contains("run 1: stopped"), "{}", stopped.stdout);
    assert!(stopped.stdout.contains("`people` resumes at {"), "{}", stopped.stdout);
    let moved = rows(&world.path("out"))["people"].len();
    assert!((50..2_000).contains(&moved), "{moved} rows: not stopped in the middle");

    world.edit("wait_ms = 100", "wait_ms = 0");
    let resumed = world.run(&["run", "sync.toml"]).succeeded();
    let line = resumed.stdout.lines().find(|line| line.starts_with("people")).unwrap();
    let read: usize = line.split_whitespace().nth(1).unwrap().replace(',', "").parse().unwrap();
    assert_eq!(moved + read, 2_000, "what was moved before is not moved again");
    let mut all = rows(&world.path("out"));
    let people = all.get_mut("people").unwrap();
    people.dedup();
    assert_eq!(counts(&all)["people"], 2_000, "each row once");
}

#[test]
fn ctrl_c_twice_ends_at_once() {
    let sync = SLOW
        .replace("components/faker.wasm", "components/hostile.wasm")
        .replace("streams = [{ name = \"people\", rows = 2_000 }]", "attack = \"loop\"")
        .replace("page_rows = 50\nwait_every = 1\nwait_ms = 100\n", "");
    let world = World::with(&sync);
    world.folder("out");
    let mut command = world.command(&["run", "sync.toml"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Others can ask the process from when it listens for signals.
    until("the run's beginning", || world.path(".cofferdam/control.sock").exists());
    let began = Instant::now();
    interrupt(&child);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // The first line says where the key of the new data directory is.
    stderr.read_line(&mut line).unwrap();
    line.clear();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("stopping: "), "{line}");
    interrupt(&child);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1));
    let elapsed = began.elapsed();
    assert!(
        elapsed < Duration::from_secs(5),
        "{elapsed:?}: a call under way is given 5 s only after one wish"
    );
}
