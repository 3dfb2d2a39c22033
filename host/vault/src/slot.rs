//! The erasable slot of the shred key, outside of the data directory and its backups. During a shred it holds the key
//! that goes and the key that comes; what is erased there takes every earlier keyring with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cells::{self, Kind, Pair};
use crate::deployment::{DeploymentId, KeyId};
use crate::error::Error;
use crate::files::FileSystem;
use crate::secret::Key;

/// The slot of the shred key: part of a key file, or a file of its own.
#[derive(Clone)]
pub struct ShredSlot {
    cells: Pair,
}

impl ShredSlot {
    /// The shred file at this path, for providers that are no file.
    #[must_use]
    pub fn file(files: Arc<dyn FileSystem>, path: PathBuf) -> Self {
        Self::new(Pair { files, path, kind: Kind::ShredFile, first: 0 })
    }

    /// Makes a shred file with an empty slot.
    ///
    /// # Errors
    /// When there is a file already, or it cannot be written.
    pub fn create_file(
        files: Arc<dyn FileSystem>,
        path: PathBuf,
        deployment: &DeploymentId,
    ) -> Result<Self, Error> {
        cells::create(files.as_ref(), &path, Kind::ShredFile, deployment)?;
        Ok(Self::file(files, path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.cells.path
    }

    pub(crate) fn new(cells: Pair) -> Self {
        Self { cells }
    }

    pub(crate) fn is_empty(&self, deployment: &DeploymentId) -> Result<bool, Error> {
        Ok(self.cells.cells(deployment)?.is_empty())
    }

    /// The shred key with this name, if it is not erased.
    pub(crate) fn find(&self, deployment: &DeploymentId, id: &KeyId) -> Result<Option<Key>, Error> {
        Ok(self.cells.find(deployment, id)?.map(|cell| cell.key))
    }

    /// Puts a key beside the one that is in use.
    pub(crate) fn add(
        &self,
        deployment: &DeploymentId,
        key: &Key,
        in_use: Option<&KeyId>,
    ) -> Result<(), Error> {
        self.cells.add(deployment, key, in_use)
    }

    /// Erases every other key.
    pub(crate) fn keep_only(&self, deployment: &DeploymentId, id: &KeyId) -> Result<(), Error> {
        self.cells.keep_only(deployment, id)
    }

    /// Whether nothing is left to be erased.
    pub(crate) fn holds_only(&self, deployment: &DeploymentId, id: &KeyId) -> Result<bool, Error> {
        self.cells.holds_only(deployment, id)
    }
}
