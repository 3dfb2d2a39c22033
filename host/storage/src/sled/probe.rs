//! Opens a database that nobody closed in a process of its own first: on a broken file sled may panic, hang, or take all
//! memory.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::database::Database;

/// A healthy database takes about a second for a gigabyte.
const TIME_MIN: Duration = Duration::from_secs(30);
const BYTES_A_SECOND: u64 = 16 << 20;
/// The probe's address space: sled, its cache and its threads need about 1 GiB, most of it never touched.
const MEMORY_BYTES: u64 = 4 << 30;
const CACHE_BYTES: u64 = 64 << 20;

/// What the child process of a [`Probe`](super::Probe) does: opens the database of this path and reads all of it. Answers with
/// the exit code for the process: 0 when all is well; 1 when not, and then says why on standard error.
#[must_use]
pub fn probe_main(database: &Path) -> u8 {
    // Where the limit cannot be set, the time limit remains.
    let _ = setrlimit(Resource::As, Rlimit { current: Some(MEMORY_BYTES), maximum: Some(MEMORY_BYTES) });
    let verified = Database::open(database, 0, CACHE_BYTES).and_then(|opened| {
        opened.verify()?;
        opened.close()
    });
    match verified {
        Ok(()) => 0,
        Err(fault) => {
            // Nobody may be listening; the exit code says enough.
            let _ = writeln!(io::stderr(), "{}", fault.0);
            1
        }
    }
}

/// Whether the database can be opened, as the child process says; otherwise what is wrong with it.
pub(super) fn run(mut command: Command, database: &Path) -> io::Result<Result<(), String>> {
    let bytes = std::fs::metadata(database.join("db")).map_or(0, |found| found.len());
    let limit = TIME_MIN + Duration::from_secs(bytes / BYTES_A_SECOND);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let listener = child.stderr.take().map(|stderr| thread::spawn(move || last_line(stderr)));
    match wait(&mut child, limit)? {
        Some(status) if status.success() => Ok(Ok(())),
        Some(status) => {
            let said = listener.and_then(|thread| thread.join().ok()).unwrap_or_default();
            Ok(Err(if said.is_empty() { format!("opening it ends the process with {status}") } else { said }))
        }
        None => Ok(Err(format!("opening it takes longer than {} s", limit.as_secs()))),
    }
}

/// None: it took too long, and was ended.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// A panic of sled writes several lines, of which the last of ours says most.
fn last_line(stream: impl Read) -> String {
    let mut text = String::new();
    let _ = stream.take(64 << 10).read_to_string(&mut text);
    text.lines().last().unwrap_or_default().to_owned()
}
