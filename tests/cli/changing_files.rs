//! Files that others write to while they are read. The writer is a thread that goes on until the test has seen what it waits
//! for, so that it writes at every moment of a run.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use crate::bad_files::{ids, reading, run};
use crate::counted::{counted, failed_with};
use crate::stopped::until;
use crate::world::{World, ran};

/// With rows of this width more than a run looks ahead: 30 MB, where that is 8 MiB.
const ROWS: u64 = 30_000;
const WIDTH: usize = 1_000;

fn row(id: u64) -> String {
    format!("{id},{:>WIDTH$}\n", format!("name of {id}"))
}

/// From a file of that many rows, in many commits.
fn reading_log(more: &str) -> World {
    let world = reading("log.csv", more);
    world.edit("64 KiB", "1 MiB");
    let rows = (0..ROWS).map(row);
    world.file("data/log.csv", std::iter::once("id,name\n".to_owned()).chain(rows).collect::<String>());
    world
}

/// Adds rows to the file until it is told to stop.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Writer {
    /// Rows are cut at odd places between two writes, if so wanted.
    fn start(world: &World, cut: bool) -> Self {
        let mut file = OpenOptions::new().append(true).open(world.path("data/log.csv")).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = spawn(move || {
            let mut next = ROWS;
            let deadline = Instant::now() + Duration::from_secs(60);
            while !told.load(Ordering::Relaxed) {
                assert!(Instant::now() < deadline, "nobody told the writer to stop");
                let rows: String = (next..next + 5).map(row).collect();
                next += 5;
                let (begin, end) = rows.split_at(if cut { rows.len() - 7 } else { 0 });
                for part in [begin, end] {
                    file.write_all(part.as_bytes()).unwrap();
                    // Not to wait for something, but not to fill the disk.
                    sleep(Duration::from_millis(1));
                }
            }
            next
        });
        Self { stop, thread }
    }

    /// How many rows there are now.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// A run while the test does something to the file.
fn start(world: &World, more: &[&str]) -> Child {
    let mut command = world.command(&[&["run", "sync.toml"], more].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_file_that_is_said_to_grow_is_read_as_it_was_found_and_the_next_run_goes_on() {
    let world = reading_log(", growing = true");
    let writer = Writer::start(&world, true);
    let first = run(&world).succeeded();
    let arrived = ids(&world);
    assert!(arrived.iter().copied().eq(0..arrived.len() as u64), "rows in their order, none of them cut");
    assert_eq!(counted(&first, "log").accepted, arrived.len() as u64);
    let rows = writer.stop();
    assert!((ROWS..rows).contains(&(arrived.len() as u64)), "{} of {rows} rows", arrived.len());
    let second = run(&world).succeeded();
    assert_eq!(counted(&second, "log").read, rows - arrived.len() as u64, "{}", second.report());
    assert!(ids(&world).into_iter().eq(0..rows), "each row once");
}

#[test]
fn a_file_that_grows_unexpectedly_fails_the_run_and_the_next_one_goes_on() {
    let world = reading_log("");
    let writer = Writer::start(&world, false);
    let first = run(&world);
    let rows = writer.stop();
    assert_eq!(failed_with(&first), "CD0605");
    assert!(first.stderr.contains("`/data/log.csv` changed while it was read"), "{}", first.report());
    let arrived = ids(&world).len() as u64;
    assert_eq!(counted(&first, "log").accepted, arrived, "what was acknowledged is there");
    assert!((1..rows).contains(&arrived), "{arrived} rows");
    let second = run(&world).succeeded();
    assert_eq!(counted(&second, "log").read, rows - arrived, "{}", second.report());
    assert!(ids(&world).into_iter().eq(0..rows), "each row once");
}

#[test]
fn a_run_with_attempts_left_reads_on_when_the_file_no_longer_grows() {
    let world = reading_log("");
    world.edit("attempts = 1", "attempts = 5");
    let writer = Writer::start(&world, false);
    let mut child = start(&world, &[]);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(r#"an attempt failed and is tried again group="log" attempt=1"#) {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended before it was told: {said}");
    }
    let rows = writer.stop();
    stderr.read_to_string(&mut said).unwrap();
    let ended = ran(child.wait_with_output().unwrap()).succeeded();
    assert!(ended.stdout.contains("`log` took "), "{}{said}", ended.report());
    assert!(ids(&world).into_iter().eq(0..rows), "each row once");
}

#[test]
fn a_file_that_is_cut_off_while_it_is_read_fails_the_run_and_is_then_read_as_a_new_one() {
    const LEFT: u64 = 1_000;
    let world = reading_log("");
    let child = start(&world, &["--json"]);
    until("the first commit", || world.path("out/log-000001.jsonl").exists());
    let length: usize = "id,name\n".len() + (0..LEFT).map(|id| row(id).len()).sum::<usize>();
    let file = File::options().write(true).open(world.path("data/log.csv")).unwrap();
    file.set_len(length as u64).unwrap();
    drop(file);
    let first = ran(child.wait_with_output().unwrap());
    assert_eq!(failed_with(&first), "CD0605");
    assert!(first.stderr.contains("`/data/log.csv` changed while it was read"), "{}", first.report());
    let arrived = ids(&world);
    assert!(arrived.iter().copied().eq(0..arrived.len() as u64), "rows in their order, none of them cut");
    assert_eq!(counted(&first, "log").accepted, arrived.len() as u64, "what was acknowledged is there");
    assert!((1..ROWS).contains(&(arrived.len() as u64)), "{} rows: not in the middle", arrived.len());

    // Nothing says that it is still the same file.
    let second = run(&world).succeeded();
    assert_eq!(counted(&second, "log").accepted, LEFT, "{}", second.report());
    let mut expected: Vec<u64> = (0..arrived.len() as u64).chain(0..LEFT).collect();
    expected.sort_unstable();
    assert_eq!(ids(&world), expected);
    let third = run(&world).succeeded();
    assert!(third.stdout.contains(r#""outcome": "completed""#), "{}", third.report());
    assert_eq!(ids(&world), expected, "an unchanged file moves nothing");
}
