//! The keyring: its own small file with every key of a deployment, rewritten whole at each change.

mod buckets;
mod commit;
mod export;
mod first;
mod format;
mod keys;
mod load;
mod organizations;
mod seal;
mod status;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use export::ExportSummary;
pub use status::{Deletion, Status};

use crate::deployment::{DeploymentId, KeyId};
use crate::error::Error;
use crate::files::{FileSystem, Lock, beside, directory_of};
use crate::kek::KekProvider;
use crate::secret::Key;
use crate::slot::ShredSlot;
use format::{Body, Header};
use keys::Keys;

/// What the keyring is called in errors.
const WHAT: &str = "keyring";

/// Where a keyring is and what opens it.
#[derive(Clone)]
pub struct Location {
    /// The file system.
    pub files: Arc<dyn FileSystem>,
    /// The file, in the data directory.
    pub path: PathBuf,
    /// Where the KEK comes from.
    pub kek: Arc<dyn KekProvider>,
    /// Where the shred key lies; without one, deletion is logical only.
    pub slot: Option<ShredSlot>,
}

impl Location {
    /// The lock that one process holds while it may change the keyring.
    fn lock(&self) -> Result<Lock, Error> {
        let lock = self.files.lock(&beside(&self.path, ".lock"))?;
        lock.ok_or_else(|| Error::InUse { path: self.path.clone() })
    }

    /// A slot inside of the data directory would be backed up with the keyring, and nothing would ever be erased.
    fn check_slot(&self) -> Result<(), Error> {
        let directory = directory_of(&self.path);
        match &self.slot {
            Some(slot) if self.files.is_inside(slot.path(), directory)? => {
                Err(Error::SlotInside { path: slot.path().to_owned(), directory: directory.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

/// All keys of a deployment, in memory and on disk.
///
/// Sealing and opening take `&self` and run on any number of threads; changes take `&mut self`, block for a few writes to
/// disk, and are durable when they return. After a failed change nothing more is changed ([`Error::Stopped`]) until the
/// keyring is opened anew; what was sealed still opens.
pub struct Keyring {
    location: Location,
    header: Header,
    body: Body,
    root: Key,
    keys: Keys,
    /// None: the keyring was made without a slot.
    shred: Option<Key>,
    /// Of the file as it was last read or written.
    digest: [u8; 32],
    /// None: opened for reading.
    lock: Option<Lock>,
    is_stopped: bool,
}

impl Keyring {
    /// Opens the keyring for this process alone, and completes what a crash has interrupted: of an unfinished shred or
    /// rotation either nothing is left, or it is finished. A wrong passphrase or a wrong file changes nothing.
    ///
    /// # Errors
    /// Each way in which the keyring, the KEK, the slot or the deployment do not fit has its own.
    pub fn open(location: Location, expected: Option<&DeploymentId>) -> Result<Self, Error> {
        // A keyring that is not there should be told as such, and not as a lock that cannot be made.
        load::read(&location)?;
        let lock = location.lock()?;
        let mut keyring = load::load(location, expected)?;
        keyring.location.check_slot()?;
        keyring.lock = Some(lock);
        keyring.finish_interrupted()?;
        Ok(keyring)
    }

    /// Opens the keyring beside the process that has it, for status and verification: every wrapped key is unwrapped.
    /// What is opened this way seals nothing, changes nothing and does not follow later changes.
    ///
    /// # Errors
    /// As [`Keyring::open`], but for being in use.
    pub fn open_read_only(location: Location, expected: Option<&DeploymentId>) -> Result<Self, Error> {
        load::load_beside_a_writer(&location, expected)
    }

    /// The deployment that it belongs to.
    #[must_use]
    pub fn deployment(&self) -> &DeploymentId {
        &self.header.deployment
    }

    /// The name of the KEK that wraps it.
    #[must_use]
    pub fn kek_id(&self) -> KeyId {
        self.header.kek
    }

    pub(crate) fn root(&self) -> &Key {
        &self.root
    }

    fn path(&self) -> &Path {
        &self.location.path
    }
}

#[cfg(test)]
mod tests;
