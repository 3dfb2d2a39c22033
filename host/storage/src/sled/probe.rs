//! Opens a database that nobody closed in a process of its own first: on a broken file sled may panic, hang, or take all
//! memory.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::database::{Database, Fault};
use super::options::Probe;

/// A healthy database takes about ten seconds for a gigabyte, on a machine that does other things besides.
const TIME_MIN: Duration = Duration::from_secs(30);
const BYTES_A_SECOND: u64 = 16 << 20;
/// The probe's address space: sled, its cache and its threads need about 1 GiB, most of it never touched.
const MEMORY_BYTES: u64 = 4 << 30;
const CACHE_BYTES: u64 = 64 << 20;

/// Set for the child process when opening the database is enough.
const ONLY_OPEN: &str = "COFFERDAM_PROBE_ONLY_OPENS";
/// Larger databases are read whole only where the machine may have lost writes: about ten seconds for a gigabyte.
const ALWAYS_READ_BYTES: u64 = 256 << 20;

/// What the child process of a [`Probe`](super::Probe) does: opens the database of this path and, after a power cut, reads all of
/// it. Answers with the exit code for the process: 0 when all is well; 1 when not, and then says why on standard error.
#[must_use]
pub fn probe_main(database: &Path) -> u8 {
    // Where the limit cannot be set, the time limit remains.
    let _ = setrlimit(Resource::As, Rlimit { current: Some(MEMORY_BYTES), maximum: Some(MEMORY_BYTES) });
    match look(database, std::env::var_os(ONLY_OPEN).is_some()) {
        Ok(()) => 0,
        Err(fault) => {
            // Nobody may be listening; the exit code says enough.
            let _ = writeln!(io::stderr(), "{}", fault.0);
            1
        }
    }
}

/// Opens a database in this process and closes it again.
fn look(database: &Path, only_open: bool) -> Result<(), Fault> {
    let opened = Database::open(database, 0, CACHE_BYTES)?;
    if only_open {
        opened.counts()?;
    } else {
        opened.verify()?;
    }
    opened.close()
}

/// Whether the database can be opened, as a child process says where there is a probe; otherwise what is wrong with it.
pub(super) fn run(
    probe: Option<&dyn Probe>,
    database: &Path,
    has_run_on: bool,
) -> io::Result<Result<(), Fault>> {
    let bytes = std::fs::metadata(database.join("db")).map_or(0, |found| found.len());
    let only_open = has_run_on && bytes > ALWAYS_READ_BYTES;
    let Some(probe) = probe else { return Ok(look(database, only_open)) };
    let mut command = probe.command(database);
    if only_open {
        command.env(ONLY_OPEN, "1");
    }
    let limit = TIME_MIN + Duration::from_secs(bytes / BYTES_A_SECOND);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let listener = child.stderr.take().map(|stderr| thread::spawn(move || last_line(stderr)));
    match wait(&mut child, limit)? {
        Some(status) if status.success() => Ok(Ok(())),
        Some(status) => {
            let said = listener.and_then(|thread| thread.join().ok()).unwrap_or_default();
            let fallback = || format!("opening it ends the process with {status}");
            Ok(Err(Fault(if said.is_empty() { fallback() } else { said })))
        }
        None => Ok(Err(Fault(format!("opening it takes longer than {} s", limit.as_secs())))),
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
