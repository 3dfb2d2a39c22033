//! Runs a program under the recorder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::child::{self, Ended};
use crate::disk::Disk;
use crate::event::Event;

/// What the recorder answers when it could not do its work.
const RECORDER_FAILED: i32 = 99;
/// Under the recorder a program takes several times as long as without; this is for machines that are very busy.
const LIMIT: Duration = Duration::from_secs(120);

/// What goes wrong on purpose, counted over the whole program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The n-th sync fails as a broken disk lets it fail.
    pub fail_sync: Option<u64>,
    /// The disk is full when so many bytes were written.
    pub full_from: Option<u64>,
    /// From the n-th change on the disk can only be read.
    pub read_only_from: Option<u64>,
}

/// What a program did.
pub struct Recording {
    /// What was on the disk before, all of it durable.
    pub start: Disk,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How the program ended.
    pub ended: Ended,
}

/// A directory for what tests write: in memory where there is such a place, because real syncs are slow and the model of
/// the disk needs none.
///
/// # Errors
/// When it cannot be made.
pub fn scratch() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let scratch = tempfile::Builder::new().prefix("power-").tempdir_in(memory);
    Ok(scratch.or_else(|_| TempDir::new())?)
}

/// Runs a program and records what it does to the files in `roots`. It finds in its environment, as `POWER_MARKS`, a file: each
/// write to it is a mark.
///
/// # Errors
/// When the program cannot be run, or does to these files what cannot be recorded.
pub fn record(roots: &[PathBuf], faults: Faults, program: &Command) -> Result<Recording> {
    let start = Disk::read(roots)?;
    let beside = scratch()?;
    let (log, marks) = (beside.path().join("log"), beside.path().join("marks"));
    fs::write(&marks, "")?;
    let mut command = Command::new(env!("POWER_RECORDER"));
    // The log comes first: what follows is written down in it.
    command.arg("--log").arg(&log).arg("--marks").arg(&marks);
    for root in roots {
        command.arg("--root").arg(root);
    }
    let options = [
        ("--fail-sync", faults.fail_sync),
        ("--full-from", faults.full_from),
        ("--read-only-from", faults.read_only_from),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            command.args([name, &value.to_string()]);
        }
    }
    command.arg("--").arg(program.get_program()).args(program.get_args()).env("POWER_MARKS", &marks);
    let set = |(name, value): (_, Option<&OsStr>)| value.map(|value| (name, value.to_owned()));
    command.envs(program.get_envs().filter_map(set));
    let ended = child::run(&mut command, LIMIT)?;
    if ended.status.code() == Some(RECORDER_FAILED) {
        bail!("{}", ended.errors.trim_end());
    }
    let bytes = fs::read(&log).with_context(|| format!("no log: {}", ended.errors))?;
    Ok(Recording { start, events: Event::read_log(&bytes)?, ended })
}
