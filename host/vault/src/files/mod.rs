//! The port to the file system. Each call is one step that a power cut may fall behind; the order of the steps is what
//! keeps keys from being lost, so tests stop after each of them.

#[cfg(test)]
pub(crate) mod disk;
mod os;

use std::any::Any;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use os::OsFiles;

use crate::error::Error;

/// Held as long as the file is ours alone.
pub type Lock = Box<dyn Any + Send + Sync>;

/// Who may reach a file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The owner alone, who is this user or root: mode 0600 or less.
    Private,
    /// A credential of the service manager: nobody else may read it, and nobody may write it but its owner. Group bits
    /// for reading are allowed, because the access list by which systemd gives the file to the service shows as them.
    Credential,
}

/// The file system. Used from whatever thread changes the keyring, a few times an hour; blocks. Must not follow
/// symbolic links in the last part of a path, and must not answer before a `sync` has reached the disk.
pub trait FileSystem: Send + Sync {
    /// The whole file; none when there is no such file.
    ///
    /// # Errors
    /// When it is no regular file, is not guarded, is too large or cannot be read.
    fn read(&self, path: &Path, guard: Guard) -> Result<Option<Vec<u8>>, Error>;

    /// A new file with mode 0600 and these bytes, not yet durable.
    ///
    /// # Errors
    /// When there is such a file, or it cannot be written.
    fn create(&self, path: &Path, bytes: &[u8]) -> Result<(), Error>;

    /// Overwrites a part of a file where it lies, not yet durable.
    ///
    /// # Errors
    /// When it cannot be written.
    fn overwrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> Result<(), Error>;

    /// Makes the bytes of a file durable.
    ///
    /// # Errors
    /// When they are not: what is on disk is then unknown.
    fn sync(&self, path: &Path) -> Result<(), Error>;

    /// Puts a file in the place of another, at once for every reader, not yet durable.
    ///
    /// # Errors
    /// When it cannot be done.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), Error>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// When they are not: what is on disk is then unknown.
    fn sync_directory(&self, path: &Path) -> Result<(), Error>;

    /// Removes a file; one that is not there is fine.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&self, path: &Path) -> Result<(), Error>;

    /// Whether the file lies in the directory or below it, by whatever names both are called.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn is_inside(&self, path: &Path, directory: &Path) -> Result<bool, Error>;

    /// Locks a file, which is made when it is not there, against every other process; none when another has it.
    ///
    /// # Errors
    /// When it cannot be made or locked.
    fn lock(&self, path: &Path) -> Result<Option<Lock>, Error>;
}

/// Puts whole new contents in the place of a file: after a power cut there are the old bytes or the new ones.
pub(crate) fn replace(files: &dyn FileSystem, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = beside(path, ".new");
    files.remove(&temporary)?;
    files.create(&temporary, bytes)?;
    files.sync(&temporary)?;
    files.rename(&temporary, path)?;
    files.sync_directory(directory_of(path))
}

/// The directory that a file is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    }
}

/// The same path with something after it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
