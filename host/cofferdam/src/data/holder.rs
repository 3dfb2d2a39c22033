//! Who has a data directory.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::files;

/// The file in which the holder says who it is: process, then command.
const LOCK: &str = "lock";

/// In words, when it is known that somebody has it.
pub(super) fn of(directory: &Path) -> String {
    said(directory).unwrap_or_else(|| "another process".to_owned())
}

/// None: nobody has it. A process that was killed has left its words, and not its lock.
pub(super) fn living(directory: &Path) -> Option<String> {
    let file = File::open(directory.join("keyring.lock")).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(of(directory)),
        // Free again when the file is closed, at once.
        _ => None,
    }
}

fn said(directory: &Path) -> Option<String> {
    let text = files::read(&directory.join(LOCK)).ok()??;
    let mut lines = text.lines();
    let process = lines.next().filter(|process| !process.trim().is_empty())?;
    Some(match lines.next() {
        Some(command) => format!("process {process}, `{command}`"),
        None => format!("process {process}"),
    })
}
