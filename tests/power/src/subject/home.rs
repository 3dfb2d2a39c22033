//! A keyring in a data directory, and its key file elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use vault::{DeploymentId, KeyFile, Keyring, Location, OsFiles};

pub(crate) const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([7; 16]);
/// Said when a first use has come to its end.
pub(crate) const CREATED: &str = "created";

/// The directories of a host.
pub(crate) struct Home<'a> {
    pub(crate) data: &'a Path,
    pub(crate) keys: &'a Path,
    pub(crate) backups: &'a Path,
}

impl Home<'_> {
    pub(crate) fn location(&self) -> Location {
        self.location_of(self.data.join("keyring"))
    }

    pub(crate) fn location_of(&self, path: PathBuf) -> Location {
        let file = self.key_file();
        Location { files: Arc::new(OsFiles), path, slot: Some(file.shred_slot()), kek: Arc::new(file) }
    }

    pub(crate) fn key_file(&self) -> KeyFile {
        KeyFile::new(Arc::new(OsFiles), self.keys.join("key"))
    }

    pub(crate) fn create(&self) -> Result<Keyring> {
        KeyFile::create(Arc::new(OsFiles), self.keys.join("key"), &DEPLOYMENT)?;
        Ok(Keyring::create(self.location(), DEPLOYMENT)?)
    }

    /// Of a first use that did not come to its end nothing is needed: it is begun anew. Afterwards the keyring must open.
    pub(crate) fn open(&self, marks: &[String]) -> Result<Keyring> {
        let was_created = marks.iter().any(|mark| mark == CREATED);
        if was_created || self.data.join("keyring").exists() {
            return Keyring::open(self.location(), Some(&DEPLOYMENT)).context("the keyring does not open");
        }
        for entry in std::fs::read_dir(self.data)?.chain(std::fs::read_dir(self.keys)?) {
            let path = entry?.path();
            if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
        }
        self.create().context("the first use cannot be begun anew")
    }
}
