//! The file system of the machine.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::{FileSystem, Guard, Lock, directory_of};
use crate::error::Error;

/// A keyring of a million organizations has about 200 MB.
const FILE_BYTES_MAX: u64 = 512 << 20;
const READ_BY_OTHERS: u32 = 0o077;
/// Whatever others may do, and whatever the group may do but read.
const WRITTEN_BY_OTHERS: u32 = 0o037;

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsFiles;

impl FileSystem for OsFiles {
    fn read(&self, path: &Path, guard: Guard) -> Result<Option<Vec<u8>>, Error> {
        // Without NONBLOCK a named pipe that somebody put there would hold us up for ever.
        let opened = open(path, OpenOptions::new().read(true), OFlags::NONBLOCK);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refusal(path, "open", error)),
        };
        check(path, &file, guard)?;
        // Room for all from the start: growing would leave copies of keys behind.
        let length = file.metadata().map_err(failed("inspect", path))?.len().min(FILE_BYTES_MAX);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
        let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed("read", path))?;
        if read as u64 > FILE_BYTES_MAX {
            return Err(failed("read", path)(io::ErrorKind::FileTooLarge.into()));
        }
        Ok(Some(bytes))
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = open(path, &mut options, OFlags::empty()).map_err(failed("create", path))?;
        file.write_all(bytes).map_err(failed("write", path))
    }

    fn overwrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let file = open(path, OpenOptions::new().write(true), OFlags::NONBLOCK);
        let file = file.map_err(|error| refusal(path, "open", error))?;
        file.write_all_at(bytes, offset).map_err(failed("write", path))
    }

    fn sync(&self, path: &Path) -> Result<(), Error> {
        // Opened anew, the file still answers for a write that failed since it was last synced (Linux 4.13 and later).
        let file = open(path, OpenOptions::new().read(true), OFlags::NONBLOCK);
        file.and_then(|file| file.sync_all()).map_err(failed("sync", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        fs::rename(from, to).map_err(failed("rename", from))
    }

    fn sync_directory(&self, path: &Path) -> Result<(), Error> {
        File::open(path).and_then(|directory| directory.sync_all()).map_err(failed("sync", path))
    }

    fn remove(&self, path: &Path) -> Result<(), Error> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
            _ => Ok(()),
        }
    }

    fn is_inside(&self, path: &Path, directory: &Path) -> Result<bool, Error> {
        // The file itself may not exist yet, so the question is asked of the directory that it is in.
        let parent = fs::canonicalize(directory_of(path)).map_err(failed("find", path))?;
        let directory = fs::canonicalize(directory).map_err(failed("find", directory))?;
        Ok(parent.starts_with(directory))
    }

    fn lock(&self, path: &Path) -> Result<Option<Lock>, Error> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file =
            open(path, &mut options, OFlags::NONBLOCK).map_err(|error| refusal(path, "open", error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("lock", path)(error)),
        }
    }
}

fn open(path: &Path, options: &mut OpenOptions, flags: OFlags) -> io::Result<File> {
    let flags = (flags | OFlags::NOFOLLOW | OFlags::CLOEXEC).bits();
    options.custom_flags(flags.cast_signed()).open(path)
}

/// Everything is asked of the open file, so nothing can be exchanged between the question and the reading.
fn check(path: &Path, file: &File, guard: Guard) -> Result<(), Error> {
    let metadata = file.metadata().map_err(failed("inspect", path))?;
    if !metadata.is_file() {
        let found = match metadata.file_type() {
            kind if kind.is_dir() => "a directory",
            kind if kind.is_fifo() => "a named pipe",
            _ => "a device",
        };
        return Err(Error::NotAFile { path: path.to_owned(), found });
    }
    let exposed = |problem| Error::Exposed { path: path.to_owned(), problem };
    let forbidden = match guard {
        Guard::Private => READ_BY_OTHERS,
        Guard::Credential => WRITTEN_BY_OTHERS,
    };
    let mode = metadata.mode() & 0o777;
    if mode & forbidden != 0 {
        return Err(exposed(format!("has mode {mode:04o}, which lets others in")));
    }
    let ours = [0, rustix::process::geteuid().as_raw()];
    if !ours.contains(&metadata.uid()) {
        return Err(exposed(format!("belongs to user {}", metadata.uid())));
    }
    Ok(())
}

/// With NOFOLLOW a symbolic link answers "too many levels of symbolic links", which tells nobody what is wrong.
fn refusal(path: &Path, action: &'static str, error: io::Error) -> Error {
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return Error::NotAFile { path: path.to_owned(), found: "a symbolic link" };
    }
    failed(action, path)(error)
}

fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::File { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
