//! A gigabyte passes through the host, and its memory does not grow with it; what compiling took is not kept either.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::world::{Ran, World, ran};

const LARGE: usize = 1_000_000_000;
/// Enough for a run that is seen several times after the compiler is done.
const SMALL: usize = 16_000_000;

/// As much as a run of any size may take.
const PEAK_MAX: u64 = 150 << 20;

const SYNC: &str = r#"
sync = 1
name = "large"

[source]
connector = "components/files.wasm"
config = { path = "/data/*.csv" }
grants = { directories = { data = { path = "data" } } }

[destination]
connector = "components/files.wasm"
config = { directory = "/out" }
grants = { directories = { out = { path = "out", access = "write" } } }
"#;

/// Writes the file, and returns how many rows are in it. Blocks come again: what is in them does not matter here.
fn write_csv(path: &Path, bytes: usize) -> u64 {
    let mut block = String::new();
    let mut rows_of_block = 0;
    while block.len() < 4 << 20 {
        let note = if rows_of_block % 10 == 0 { "\"a, quoted\nnote\"" } else { "plain" };
        block.push_str(&format!(
            "{rows_of_block},{}.25,2024-02-29,name {rows_of_block},{note}\n",
            rows_of_block % 977
        ));
        rows_of_block += 1;
    }
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(b"id,amount,day,name,note\n").unwrap();
    let blocks = bytes.div_ceil(block.len());
    for _ in 0..blocks {
        file.write_all(block.as_bytes()).unwrap();
    }
    file.flush().unwrap();
    rows_of_block * blocks as u64
}

/// What a process has in memory, in bytes.
struct Resident {
    now: u64,
    highest: u64,
}

/// None once it has ended.
fn resident(process: u32) -> Option<Resident> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    };
    Some(Resident { now: bytes("VmRSS:")?, highest: bytes("VmHWM:")? })
}

/// Runs the program to its end; what it had in memory each few milliseconds, and what it printed.
fn watched(mut command: Command) -> (Vec<Resident>, Ran) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = child.id();
    let watch = std::thread::spawn(move || {
        let mut seen = Vec::new();
        while let Some(resident) = resident(process) {
            seen.push(resident);
            sleep(Duration::from_millis(20));
        }
        seen
    });
    let ran = ran(child.wait_with_output().unwrap()).succeeded();
    (watch.join().unwrap(), ran)
}

fn world_with(bytes: usize) -> (World, u64) {
    let world = World::with(SYNC);
    world.folder("data");
    world.folder("out");
    let rows = write_csv(&world.path("data/large.csv"), bytes);
    (world, rows)
}

fn accepted(ran: &Ran) -> u64 {
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    document.pointer("/report/streams/large/counters/accepted").unwrap().as_u64().unwrap()
}

#[test]
fn a_gigabyte_of_csv_becomes_json_lines_in_flat_memory() {
    let (world, rows) = world_with(LARGE);
    // So that compiled code is there, whichever test is the first.
    world.run(&["check", "sync.toml"]).succeeded();
    let (seen, ran) = watched(world.command(&["run", "sync.toml", "--json"]));
    assert_eq!(accepted(&ran), rows, "rows at the destination");
    let highest = seen.iter().map(|resident| resident.highest).max().unwrap_or(0);
    assert!(highest > 10 << 20, "a peak of {highest} bytes was not measured");
    assert!(highest <= PEAK_MAX, "a peak of {} MiB", highest >> 20);
}

#[test]
fn a_run_does_not_keep_what_the_compiler_took() {
    let (world, rows) = world_with(SMALL);
    let mut command = world.command(&["run", "sync.toml", "--json"]);
    command.env("XDG_CACHE_HOME", world.path("cache"));
    let (seen, ran) = watched(command);
    assert_eq!(accepted(&ran), rows, "rows at the destination");
    let highest = (0..seen.len()).max_by_key(|at| seen[*at].now).unwrap();
    let after = seen[highest..].iter().map(|resident| resident.now).min().unwrap();
    let highest = seen[highest].now;
    assert!(highest > 100 << 20, "{} MiB are too few for a compiler", highest >> 20);
    assert!(after <= highest / 4 * 3, "{} MiB of {} MiB are still there", after >> 20, highest >> 20);
}
