//! The port `Disk`: the steps of the journal that a power cut or a full disk may fall between.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What the journal asks of a disk. Called for each group of commits by whoever leads it, one at a time; blocks. The provided
/// methods are the real disk: a test overrides one of them to make it fail.
pub trait Disk: Send + Sync {
    /// Writes all bytes at this place of the file, not yet durable.
    ///
    /// # Errors
    /// When not all of them could be written.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    /// Makes the bytes of a file durable. Must not answer before they are.
    ///
    /// # Errors
    /// When they are not: what is on disk is then unknown.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// When they are not: what is on disk is then unknown.
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// How many bytes can still be written below this directory.
    ///
    /// # Errors
    /// When the system does not tell.
    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let found = rustix::fs::statvfs(path)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

/// The disk of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsDisk;

impl Disk for OsDisk {}

/// Makes every file and directory below this one durable: names and bytes.
pub(super) fn sync_tree(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(disk, &entry.path())?;
        } else {
            disk.sync(&File::open(entry.path())?)?;
        }
    }
    disk.sync_directory(directory)
}
