//! `kill -9` at random moments: whatever was under way, storage opens and agrees with the destination, the next run goes on,
//! and in the end each row is there once.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::rows::{counts, rows};
use crate::world::World;

/// Many pages and many commits, in two read groups at one time, with an instance of everything on its way.
fn sync(rows: u64) -> String {
    format!(
        r#"
sync = 1
name = "killed"

[source]
connector = "components/faker.wasm"
[source.config]
seed = 11
null_rate = 0.1
streams = [{{ name = "people", rows = {rows} }}, {{ name = "orders", rows = {rows}, columns = "orders" }}]
page_rows = 100

[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}

[run]
commit_bytes = "64 KiB"
"#
    )
}

/// Small enough to be ended often, large enough that it mostly is in the middle.
const ROWS: u64 = 8_000;

fn rounds() -> u32 {
    if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 1_000 } else { 50 }
}

#[test]
fn a_run_killed_at_random_moments_resumes_to_the_same_rows() {
    let whole = World::with(&sync(ROWS));
    whole.folder("out");
    whole.run(&["check", "sync.toml"]).succeeded();
    let began = Instant::now();
    whole.run(&["run", "sync.toml"]).succeeded();
    let duration = began.elapsed();

    let mut world = World::new();
    let seed = random_seed();
    let mut random = Random(seed);
    let (mut killed, mut fresh) = (0, true);
    while killed < rounds() {
        if std::mem::take(&mut fresh) {
            world = World::with(&sync(ROWS));
            world.folder("out");
        }
        let mut command = world.command(&["run", "sync.toml"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        sleep(duration.mul_f64(random.share() * 0.6));
        child.kill().unwrap();
        let ended = child.wait_with_output().unwrap();
        if ended.status.success() {
            // It had come to its end: hold the rows against the whole, and begin anew.
            same(&whole, &world, seed);
            fresh = true;
            continue;
        }
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), None, "it failed by itself (seed {seed}): {stderr}");
        killed += 1;
        agree(&world, seed);
    }
    world.run(&["run", "sync.toml"]).succeeded();
    same(&whole, &world, seed);
    let once_more = world.run(&["run", "sync.toml"]).succeeded();
    assert!(once_more.stdout.contains("there was nothing new"), "{}", once_more.stdout);
}

/// What storage says was written is at the destination, and nothing else, but for a commit of which it says itself that it
/// does not know yet whether it took effect.
#[track_caller]
fn agree(world: &World, seed: u64) {
    let found = rows(&world.path("out"));
    let at_destination = |stream: &str| found.get(stream).map_or(0, Vec::len) as u64;
    let shown = world.run(&["checkpoints", "show", "killed", "--json"]);
    if shown.status == Some(1) {
        // Killed before the run had begun: there is no directory yet, or it knows of no sync.
        let known = ["error[CD0821]", "error[CD1052]"].iter().any(|code| shown.stderr.starts_with(code));
        assert!(known && found.is_empty(), "seed {seed}: {}", shown.report());
        return;
    }
    let shown: serde_json::Value = serde_json::from_str(&shown.succeeded().stdout).unwrap();
    let units = shown["units"].as_array().unwrap();
    for unit in units {
        let in_doubt = unit["in_doubt"].is_u64();
        let stream = unit["unit"].as_str().unwrap().trim_start_matches("killed/");
        let written = unit["written"][stream].as_u64().unwrap_or(0);
        let arrived = at_destination(stream);
        let agrees = arrived == written || (in_doubt && arrived > written);
        assert!(agrees, "seed {seed}: `{stream}` has {arrived} rows, storage says {written}: {unit}");
    }
    for stream in ["people", "orders"] {
        let is_known = units.iter().any(|unit| unit["unit"] == format!("killed/{stream}"));
        assert!(is_known || at_destination(stream) == 0, "seed {seed}: storage knows nothing of `{stream}`");
    }
}

#[track_caller]
fn same(whole: &World, world: &World, seed: u64) {
    let (expected, found) = (rows(&whole.path("out")), rows(&world.path("out")));
    assert_eq!(counts(&found), counts(&expected), "seed {seed}");
    assert_eq!(counts(&expected).values().sum::<usize>(), 2 * ROWS as usize);
    assert!(found == expected, "other rows than without a kill (seed {seed})");
}

/// Another one each time: the suite looks at ever new moments, and a failure names its seed.
pub(crate) fn random_seed() -> u64 {
    let chosen = std::env::var("COFFERDAM_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    chosen.unwrap_or_else(|| {
        let since =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        since.as_nanos() as u64
    })
}

/// A xorshift generator: moments need no better one.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// From 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
