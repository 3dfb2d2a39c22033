//! One process has a data directory. The lock is the system's, so it ends with its holder; the file tells who that is, and since
//! which start of the machine.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::error::OpenError;

/// Held as long as the directory is ours.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// What a holder says of itself is a command: longer ones are cut when they are read.
const HOLDER_BYTES_MAX: u64 = 64 << 10;

/// Changes with each start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Takes the lock of a directory or says who has it. Answers also whether the machine has run on since the last holder took it:
/// then whatever that one wrote is there, synced or not.
pub(super) fn take(directory: &Path, path: &Path, holder: &str) -> Result<(Lock, bool), OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            OpenError::ReadOnly { path: directory.to_owned(), reason: error.to_string() }
        }
        _ => OpenError::file("open", path)(error),
    })?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(directory, file)),
        Err(TryLockError::Error(error)) => return Err(OpenError::file("lock", path)(error)),
    }
    let mut before = String::new();
    // Unreadable is as good as unknown.
    let _ = (&file).take(HOLDER_BYTES_MAX).read_to_string(&mut before);
    let boot = fs::read_to_string(BOOT_ID).unwrap_or_default();
    let boot = boot.trim();
    let has_run_on = !boot.is_empty() && before.lines().nth(2) == Some(boot);
    let says = format!("{}\n{}\n{boot}\n", std::process::id(), holder.replace(char::is_control, " "));
    let write = file.set_len(0).and_then(|()| file.write_all_at(says.as_bytes(), 0));
    write.map_err(OpenError::file("write", path))?;
    Ok((Lock(file), has_run_on))
}

fn in_use(directory: &Path, file: File) -> OpenError {
    let mut text = String::new();
    // Who it is helps, but is not needed to refuse: the holder may just be writing it.
    let _ = file.take(HOLDER_BYTES_MAX).read_to_string(&mut text);
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
    let holder = lines.next().unwrap_or("it has not said yet what it is").to_owned();
    OpenError::InUse { path: directory.to_owned(), pid, holder }
}
