//! What a data directory is opened with, and the two ports by which a broken database is noticed and built anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::disk::{Disk, OsDisk};
use crate::engine::{Sequence, SnapshotItem};

/// sled keeps so much of the database in memory.
const CACHE_BYTES: u64 = 64 << 20;
/// Of commits so many bytes may wait to be applied, and as much again is being applied: some hundredths of a second of work for
/// sled, so that nobody who waits for room waits for long.
const WAITING_BYTES: usize = 4 << 20;

/// What a data directory is opened with.
pub struct Options {
    pub(super) directory: PathBuf,
    pub(super) deployment: [u8; 16],
    pub(super) journal_key: [u8; 32],
    pub(super) holder: String,
    pub(super) cache_bytes: u64,
    pub(super) waiting_bytes: usize,
    pub(super) probe: Option<Arc<dyn Probe>>,
    pub(super) backup: Option<Arc<dyn NewestBackup>>,
    pub(super) disk: Arc<dyn Disk>,
}

impl Options {
    /// The directory of this deployment, whose journal is authenticated under this key. A missing directory is made.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, deployment: [u8; 16], journal_key: [u8; 32]) -> Self {
        Self {
            directory: directory.into(),
            deployment,
            journal_key,
            holder: String::new(),
            cache_bytes: CACHE_BYTES,
            waiting_bytes: WAITING_BYTES,
            probe: None,
            backup: None,
            disk: Arc::new(OsDisk),
        }
    }

    /// What others are told who find the directory in use: the command of this process.
    #[must_use]
    pub fn holder(mut self, holder: impl Into<String>) -> Self {
        self.holder = holder.into();
        self
    }

    /// How much of the database is kept in memory.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// How much of what is committed may wait in memory to be put into the database; whoever commits more waits for that.
    #[must_use]
    pub fn waiting_bytes(mut self, bytes: usize) -> Self {
        self.waiting_bytes = bytes;
        self
    }

    /// After a crash the database is first opened by this, in a process that may hang or die. Without it: in this process.
    #[must_use]
    pub fn probe(mut self, probe: Arc<dyn Probe>) -> Self {
        self.probe = Some(probe);
        self
    }

    /// From what a broken database is built anew where the journal does not reach back to the beginning.
    #[must_use]
    pub fn newest_backup(mut self, backup: Arc<dyn NewestBackup>) -> Self {
        self.backup = Some(backup);
        self
    }

    /// Another disk than that of the machine.
    #[must_use]
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }
}

/// Runs this program again, as a process that opens a database and tells by its exit whether that went well. Asked once at an
/// opening, and only after a process has not closed the database.
pub trait Probe: Send + Sync {
    /// A command that calls [`probe_main`](super::probe_main) with this path and exits with what it answers.
    fn command(&self, database: &Path) -> Command;
}

/// The newest backup, if there is one. Asked only when a database is broken.
pub trait NewestBackup: Send + Sync {
    /// Its items; none when there is no backup.
    ///
    /// # Errors
    /// When it cannot be read; the text says why.
    fn open(&self) -> Result<Option<BackupItems>, String>;
}

/// The items of a backup, in their order.
pub struct BackupItems {
    /// The commit as of which they hold.
    pub sequence: Sequence,
    /// The items, and an error where reading fails.
    pub items: Box<dyn Iterator<Item = Result<SnapshotItem, String>> + Send>,
}
