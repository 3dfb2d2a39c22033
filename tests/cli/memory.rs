//! A gigabyte passes through the host, and its memory does not grow with it.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::world::{World, ran};

const BYTES: usize = 1_000_000_000;

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
fn write_csv(path: &Path) -> u64 {
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
    let blocks = BYTES.div_ceil(block.len());
    for _ in 0..blocks {
        file.write_all(block.as_bytes()).unwrap();
    }
    file.flush().unwrap();
    rows_of_block * blocks as u64
}

/// The most memory that a process has had so far, in bytes; none once it has ended.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[test]
fn a_gigabyte_of_csv_becomes_json_lines_in_flat_memory() {
    let world = World::with(SYNC);
    world.folder("data");
    world.folder("out");
    let rows = write_csv(&world.path("data/large.csv"));
    let mut command = world.command(&["run", "sync.toml", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = child.id();
    let watch = std::thread::spawn(move || {
        let mut highest = 0;
        while let Some(now) = peak(process) {
            highest = highest.max(now);
            sleep(Duration::from_millis(50));
        }
        highest
    });
    let ran = ran(child.wait_with_output().unwrap()).succeeded();
    let highest = watch.join().unwrap();
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let accepted = document.pointer("/report/streams/large/counters/accepted").unwrap();
    assert_eq!(accepted, rows, "rows at the destination");
    assert!(highest > 10 << 20, "a peak of {highest} bytes was not measured");
    assert!(highest <= PEAK_MAX, "a peak of {} MiB", highest >> 20);
}
