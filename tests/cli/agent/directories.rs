//! Files that a server reads and writes: its operator offers directories, an admin grants them by name, and nothing else is seen.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::story::{Story, quick, slow};
use crate::rows::{counts, rows};
use crate::stopped::until;
use crate::workers::found::workers;
use crate::world::World;

const CANARY: &str = "canary-row-4713";

/// A world whose operator offers `imports` to be read and `exports` to be written to.
fn world() -> World {
    let world = World::new();
    world.folder("in");
    world.folder("out");
    offers(&world, &[("imports", "in", "read"), ("exports", "out", "write")], "");
    world
}

fn offers(world: &World, directories: &[(&str, &str, &str)], more: &str) {
    let table = |(name, folder, access): &(&str, &str, &str)| {
        let path = world.path(folder);
        format!("[[directories]]\nname = \"{name}\"\npath = {path:?}\naccess = \"{access}\"\n{more}\n")
    };
    world.file("server.toml", directories.iter().map(table).collect::<String>());
}

fn one(ask: &str, directory: &str, below: &str, access: &str) -> Value {
    json!({ "directories": { ask: { "directory": directory, "below": below, "access": access } } })
}

impl Story {
    /// The organization's own folder in a folder of the world.
    fn own(&self, folder: &str, name: &str) -> PathBuf {
        self.world.path(&format!("{folder}/{}/{name}", self.organization()))
    }

    /// A source of CSV files in `imports`, below `daily`.
    fn files(&self) -> String {
        let source = self.connect("files.wasm", &json!({ "path": "/data/*.csv" }));
        self.grant(&source, &one("data", "imports", "daily", "read"));
        source
    }

    /// A destination of JSON Lines in `exports`, below `lake`.
    fn lake(&self) -> String {
        let destination = self.connect("files.wasm", &json!({ "directory": "/out" }));
        self.grant(&destination, &one("out", "exports", "lake", "write"));
        destination
    }

    /// How a run ends that cannot begin, with what its people are told of it.
    fn not_begun(&self, sync: &str) -> (String, String) {
        self.run(sync);
        let last = self.ended(sync);
        assert_eq!(last["outcome"], "failed", "{last}");
        (last["error"].as_str().unwrap().to_owned(), self.last(sync, "/report").to_string())
    }
}

fn csv(story: &Story, names: &[&str]) {
    fs::create_dir_all(story.own("in", "daily")).unwrap();
    for name in names {
        let text = (0..100).map(|id| format!("{id},{name}\n")).collect::<String>();
        fs::write(story.own("in", &format!("daily/{name}.csv")), format!("id,name\n{text}")).unwrap();
    }
}

#[test]
fn files_move_between_directories_and_a_second_run_finds_nothing_new() {
    let mut story = Story::of(world(), &["--config", "server.toml"]);
    csv(&story, &["people", "orders"]);
    let (source, destination) = (story.files(), story.lake());
    let found = story.post(&format!("/connections/{source}/discover"), json!({}));
    assert_eq!(found["streams"], 2, "{found}");
    let sync = story.sync(&source, &destination, &json!({}));
    for _ in 0..2 {
        story.run(&sync);
        let last = story.ended(&sync);
        assert_eq!(last["outcome"], "done", "{last} {}", story.last(&sync, "/report"));
        let kept = rows(&story.own("out", "lake"));
        assert_eq!(counts(&kept), [("orders", 100), ("people", 100)].into());
    }
    assert_eq!(story.last(&sync, "")["rows"]["read"], 0, "{}", story.last(&sync, ""));
    // Another folder in the place of the one that the worker's walls know is seen too, with the same files in it.
    let (daily, before) = (story.own("in", "daily"), story.own("in", "before"));
    fs::rename(&daily, &before).unwrap();
    fs::create_dir(&daily).unwrap();
    for name in ["people.csv", "orders.csv"] {
        fs::rename(before.join(name), daily.join(name)).unwrap();
    }
    story.run(&sync);
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "done", "{last} {}", story.last(&sync, "/report"));
    assert_eq!(story.last(&sync, "")["rows"]["read"], 0);
    // Whoever sees no directory gets a worker that sees none.
    let seeing = workers(story.process());
    let blind = story.sync(&story.source(&quick(10)), &story.destination(), &json!({ "name": "blind" }));
    story.run(&blind);
    assert_eq!(story.ended(&blind)["outcome"], "done");
    let now = workers(story.process());
    assert!(seeing.len() == 1 && now.len() == 1 && seeing != now, "{seeing:?} {now:?}");
    story.terminate().succeeded();
}

#[test]
fn what_is_missing_is_told_with_what_would_help_and_no_place_of_the_operator() {
    let mut story = Story::of(world(), &["--config", "server.toml"]);
    let (source, destination) = (story.files(), story.lake());
    let sync = story.sync(&source, &destination, &json!({}));
    let own = format!("mkdir -p {}/daily", story.organization());
    // Nobody has made the folder from which is read; the one into which is written is made.
    let (code, told) = story.not_begun(&sync);
    assert!(code == "CD0865" && told.contains(&own) && told.contains("`imports`"), "{code}: {told}");
    // A link in its place leads nowhere, also to what another organization has, or to a folder beside it.
    csv(&story, &["people"]);
    fs::rename(story.own("in", "daily"), story.own("in", "real")).unwrap();
    fs::create_dir_all(story.world.path("in/org_other")).unwrap();
    for target in ["/etc", "../org_other", "real"] {
        symlink(target, story.own("in", "daily")).unwrap();
        let (code, told_then) = story.not_begun(&sync);
        assert!(code == "CD0865" && told_then.contains("symbolic link"), "{target}: {code}: {told_then}");
        fs::remove_file(story.own("in", "daily")).unwrap();
    }
    // Nothing is granted to it.
    fs::rename(story.own("in", "real"), story.own("in", "daily")).unwrap();
    story.grant(&destination, &json!({}));
    let (code, denied) = story.not_begun(&sync);
    assert!(code.starts_with("CD"), "{code}");
    story.grant(&destination, &one("out", "exports", "lake", "write"));
    // The next start offers it to others.
    story.terminate().succeeded();
    let other = "organizations = [\"org_other\"]";
    offers(&story.world, &[("imports", "in", "read"), ("exports", "out", "write")], other);
    story.start_again();
    let offered = story.get("/directories");
    assert_eq!(offered["items"], json!([]), "{offered}");
    let (code, taken) = story.not_begun(&sync);
    let line = format!(
        "[[directories]]; name = \"imports\"; path = \"/…\"; access = \"read\"; organizations = [\"{}\"]",
        story.organization()
    );
    assert!(code == "CD1277" && taken.contains(&line.replace('"', "\\\"")), "{code}: {taken}");
    let place = story.world.path("in").display().to_string();
    for told in [told, denied, taken] {
        assert!(!told.contains(&place), "where it lies is the operator's: {told}");
    }
    let ended = story.terminate().succeeded();
    assert!(!ended.stderr.contains("panicked"), "{}", ended.report());
}

#[test]
fn a_link_that_somebody_plants_among_the_files_shows_nothing_of_what_it_leads_to() {
    let mut story = Story::of(world(), &["--config", "server.toml"]);
    csv(&story, &["people"]);
    let other = story.world.path("in/org_other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("secret.csv"), format!("id,name\n1,{CANARY}\n")).unwrap();
    for (name, target) in
        [("a.csv", "../../org_other/secret.csv".into()), ("b.csv", other.join("secret.csv"))]
    {
        symlink(target, story.own("in", &format!("daily/{name}"))).unwrap();
    }
    let (source, destination) = (story.files(), story.lake());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    let last = story.ended(&sync);
    let told = format!("{last} {} {}", story.last(&sync, "/report"), story.last(&sync, "/log"));
    assert!(!told.contains(CANARY), "{told}");
    let written = story.world.files("out");
    assert!(written.values().all(|bytes| !String::from_utf8_lossy(bytes).contains(CANARY)), "{written:?}");
    story.terminate().succeeded();
}

#[test]
fn a_directory_that_is_taken_back_is_written_to_no_more() {
    let mut story = Story::of(world(), &["--config", "server.toml"]);
    let (source, destination) = (story.source(&slow(4_000)), story.lake());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    let lake = story.own("out", "lake");
    until("the first commit", || lake.exists() && rows(&lake).contains_key("people"));
    story.grant(&destination, &one("out", "exports", "lake", "read"));
    let last = story.ended(&sync);
    assert_eq!(
        (last["outcome"].as_str(), last["error"].as_str()),
        (Some("failed"), Some("CD0860")),
        "{last}"
    );
    let then = rows(&lake)["people"].len();
    assert!(then < 4_000, "it was to be ended in the middle");
    // Given back, it goes on from the last commit.
    story.grant(&destination, &one("out", "exports", "lake", "write"));
    story.run(&sync);
    assert_eq!(story.ended(&sync)["outcome"], "done");
    assert_eq!(rows(&lake)["people"].len(), 4_000);
    story.terminate().succeeded();
}

#[test]
fn a_directory_that_is_moved_away_during_a_run_ends_it_and_back_again_the_next_one_goes_on() {
    let mut story = Story::of(world(), &["--config", "server.toml"]);
    let (source, destination) = (story.source(&slow(600)), story.lake());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    let (lake, out, away) = (story.own("out", "lake"), story.world.path("out"), story.world.path("away"));
    until("the first commit", || lake.exists() && rows(&lake).contains_key("people"));
    fs::rename(&out, &away).unwrap();
    story.ended(&sync);
    // What was open was the directory, and not its name: a run that goes on writes where it began.
    let (code, told) = story.not_begun(&sync);
    assert!(code == "CD0865" && told.contains("makes the directory `exports` again"), "{code}: {told}");
    fs::rename(&away, &out).unwrap();
    story.run(&sync);
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "done", "{last}");
    assert_eq!(rows(&lake)["people"].len(), 600);
    story.terminate().succeeded();
}

#[test]
fn a_full_disk_is_told_by_the_name_of_its_directory() {
    let world = world();
    world.file("mount.sh", "mount -t tmpfs -o size=256k tmpfs out");
    let mut story = Story::of(world, &["--config", "server.toml"]);
    let (source, destination) = (story.source(&quick(40_000)), story.lake());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    // A disk may be given more room by the next attempt, so the run itself is not at its end.
    let mut log = String::new();
    until("the disk to be told", || {
        if story.get(&format!("/syncs/{sync}/runs"))["items"].as_array().is_some_and(|runs| !runs.is_empty())
        {
            log.push_str(&story.last(&sync, "/log").to_string());
        }
        log.contains("the disk of the directory `out` of `destination` is full")
    });
    assert!(!log.contains(&story.world.path("out").display().to_string()), "{log}");
    let ended = story.terminate().succeeded();
    assert!(ended.stderr.contains("the disk of its directory is full"), "{}", ended.report());
}
