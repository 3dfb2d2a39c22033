//! The KEK as a credential of the service manager: a file that systemd decrypts for this service alone
//! (`LoadCredentialEncrypted=`), in the directory that it names in `$CREDENTIALS_DIRECTORY`.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Kek, KekProvider, WantedKek};
use crate::deployment::{DeploymentId, KeyId};
use crate::error::Error;
use crate::files::{FileSystem, Guard, beside};
use crate::hex::decode_key;
use crate::secret::Key;

/// The credential `NAME`, and during a rotation the one before it as `NAME.previous`: 32 bytes or 64 hex digits.
pub struct CredentialKek {
    files: Arc<dyn FileSystem>,
    path: PathBuf,
}

impl CredentialKek {
    /// The credential with this name in the directory that `$CREDENTIALS_DIRECTORY` names.
    #[must_use]
    pub fn new(files: Arc<dyn FileSystem>, directory: &std::path::Path, name: &str) -> Self {
        Self { files, path: directory.join(name) }
    }

    fn read(&self, suffix: &str) -> Result<Option<Kek>, Error> {
        let path = beside(&self.path, suffix);
        let Some(bytes) = self.files.read(&path, Guard::Credential)?.map(Zeroizing::new) else {
            return Ok(None);
        };
        let key = Key::from_slice(&bytes).or_else(|| decode_key(bytes.trim_ascii_end()));
        let key = key.ok_or(Error::Credential { path, problem: "is neither 32 bytes nor 64 hex digits" })?;
        Ok(Some(Kek::new(key, Vec::new())))
    }
}

impl KekProvider for CredentialKek {
    fn name(&self) -> &'static str {
        "credential of the service manager"
    }

    fn current(&self, _deployment: &DeploymentId) -> Result<Kek, Error> {
        self.read("")?
            .ok_or_else(|| Error::Credential { path: self.path.clone(), problem: "was not handed over" })
    }

    fn find(&self, wanted: &WantedKek<'_>) -> Result<Kek, Error> {
        let current = self.current(&wanted.deployment)?;
        if current.id == wanted.id {
            return Ok(current);
        }
        let previous = self.read(".previous")?.filter(|kek| kek.id == wanted.id);
        previous.ok_or_else(|| Error::KekUnknown {
            provider: format!("credential `{}`", self.path.display()),
            wanted: wanted.id,
        })
    }

    /// The operator takes `NAME.previous` out of the unit.
    fn retire_others(&self, _deployment: &DeploymentId, _kept: &KeyId) -> Result<(), Error> {
        Ok(())
    }
}
