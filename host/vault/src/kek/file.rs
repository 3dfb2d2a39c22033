//! The KEK in a key file outside of the data directory. The file is the slot of the shred key too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Kek, KekProvider, WantedKek};
use crate::cells::{self, Kind, Pair};
use crate::deployment::{DeploymentId, KeyId};
use crate::error::Error;
use crate::files::FileSystem;
use crate::secret::Key;
use crate::slot::ShredSlot;

/// The first of the two cells for shred keys, behind those for KEKs.
const SHRED_CELLS: usize = 2;

/// A key file: the current KEK, during a rotation the previous one, and the shred key.
#[derive(Clone)]
pub struct KeyFile {
    cells: Pair,
}

impl KeyFile {
    /// The key file at this path, which is read when it is needed.
    #[must_use]
    pub fn new(files: Arc<dyn FileSystem>, path: PathBuf) -> Self {
        Self { cells: Pair { files, path, kind: Kind::KeyFile, first: 0 } }
    }

    /// Makes a key file with a fresh KEK and an empty slot.
    ///
    /// # Errors
    /// When there is a file already, or it cannot be written.
    pub fn create(
        files: Arc<dyn FileSystem>,
        path: PathBuf,
        deployment: &DeploymentId,
    ) -> Result<Self, Error> {
        cells::create(files.as_ref(), &path, Kind::KeyFile, deployment)?;
        let file = Self::new(files, path);
        file.cells.add(deployment, &Key::random()?, None)?;
        Ok(file)
    }

    /// The deployment that the file says it belongs to.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn deployment(&self) -> Result<DeploymentId, Error> {
        cells::deployment_of(self.cells.files.as_ref(), &self.cells.path, Kind::KeyFile)
    }

    /// The first step of a rotation: draws a KEK and puts it beside the one that is in use. The second step is
    /// [`Keyring::rotate_kek`](crate::Keyring::rotate_kek), which erases the previous one.
    /// Both belong into the hands of the process that has the keyring open: opening erases a key that is not in use.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_key(&self, deployment: &DeploymentId, in_use: &KeyId) -> Result<KeyId, Error> {
        let kek = Kek::new(Key::random()?, Vec::new());
        self.cells.add(deployment, &kek.key, Some(in_use))?;
        Ok(kek.id)
    }

    /// The slot for the shred key in this file.
    #[must_use]
    pub fn shred_slot(&self) -> ShredSlot {
        ShredSlot::new(Pair { first: SHRED_CELLS, ..self.cells.clone() })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.cells.path
    }

    fn unknown(&self, wanted: KeyId) -> Error {
        Error::KekUnknown { provider: format!("key file `{}`", self.cells.path.display()), wanted }
    }
}

impl KekProvider for KeyFile {
    fn name(&self) -> &'static str {
        "key file"
    }

    fn current(&self, deployment: &DeploymentId) -> Result<Kek, Error> {
        let newest = self.cells.cells(deployment)?.into_iter().next();
        let no_key = || Error::Damaged {
            what: Kind::KeyFile.name(),
            path: self.cells.path.clone(),
            part: "it holds no key".to_owned(),
            source: None,
        };
        newest.map(|cell| Kek::new(cell.key, Vec::new())).ok_or_else(no_key)
    }

    fn find(&self, wanted: &WantedKek<'_>) -> Result<Kek, Error> {
        let cell = self.cells.find(&wanted.deployment, &wanted.id)?;
        cell.map(|cell| Kek::new(cell.key, Vec::new())).ok_or_else(|| self.unknown(wanted.id))
    }

    fn retire_others(&self, deployment: &DeploymentId, kept: &KeyId) -> Result<(), Error> {
        self.cells.keep_only(deployment, kept)
    }
}
