//! The newest backup, for the day on which the database is found broken: remembered beside the keys, read only then.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use futures::executor::block_on;
use storage::sled::BackupItems;
use storage::{BackupReader, SnapshotItem, verify_backup};
use vault::{DeploymentId, Keyring, Location};

use crate::blocking::Blocking;
use crate::data::Directory;

/// Where the newest backup is, and what opens it.
pub(crate) struct NewestBackup {
    path: Option<PathBuf>,
    location: Location,
    deployment: DeploymentId,
}

impl NewestBackup {
    pub(crate) fn of(directory: &Directory) -> Self {
        let path = directory.settings.backup.as_ref().map(|backup| backup.path.clone());
        Self { path, location: directory.location(), deployment: directory.settings.deployment }
    }

    fn keyring(&self) -> Result<Keyring, String> {
        Keyring::open_read_only(self.location.clone(), Some(&self.deployment))
            .map_err(|error| error.to_string())
    }
}

impl storage::sled::NewestBackup for NewestBackup {
    /// Read twice: which commit it holds is said at its end, and must be known before its first item is used.
    fn open(&self) -> Result<Option<BackupItems>, String> {
        let Some(path) = &self.path else { return Ok(None) };
        let file = || match File::open(path) {
            Ok(file) => Ok(Some(Blocking(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("`{}`: {error}", path.display())),
        };
        let Some(whole) = file()? else { return Ok(None) };
        let keyring = self.keyring()?;
        let told = |error: storage::BackupError| format!("`{}`: {error}", path.display());
        let summary = block_on(verify_backup(whole, &keyring)).map_err(told)?;
        let Some(again) = file()? else { return Ok(None) };
        let reader = block_on(BackupReader::open(again, &keyring)).map_err(told)?;
        let items = Items { reader, waiting: Vec::new().into_iter() };
        Ok(Some(BackupItems { sequence: summary.sequence, items: Box::new(items) }))
    }
}

struct Items {
    reader: BackupReader<Blocking>,
    waiting: std::vec::IntoIter<SnapshotItem>,
}

impl Iterator for Items {
    type Item = Result<SnapshotItem, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.waiting.next() {
                return Some(Ok(item));
            }
            match block_on(self.reader.next()) {
                Ok(Some(items)) => self.waiting = items.into_iter(),
                Ok(None) => return None,
                Err(error) => return Some(Err(error.to_string())),
            }
        }
    }
}
