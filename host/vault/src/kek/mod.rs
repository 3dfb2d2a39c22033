//! The port to where the KEK comes from: the key that wraps the root key and never lies in the data directory.

mod credential;
mod file;
mod passphrase;
mod recovery;

pub use credential::CredentialKek;
pub use file::KeyFile;
pub use passphrase::{Argon2Parameters, Passphrase, PassphraseKek};
pub use recovery::RecoveryKey;

use crate::deployment::{DeploymentId, KeyId};
use crate::envelope::key_id;
use crate::error::Error;
use crate::secret::Key;

/// A key-encryption key.
pub struct Kek {
    id: KeyId,
    key: Key,
    hint: Vec<u8>,
}

impl Kek {
    /// A KEK, and the hint that its provider needs to find it again. The hint is kept in the clear.
    #[must_use]
    pub fn new(key: Key, hint: Vec<u8>) -> Self {
        Self { id: key_id(&key), key, hint }
    }

    /// Its name, derived from the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn hint(&self) -> &[u8] {
        &self.hint
    }
}

/// The KEK that something is wrapped under, as written beside it.
#[derive(Clone, Copy, Debug)]
pub struct WantedKek<'a> {
    /// Of which deployment.
    pub deployment: DeploymentId,
    /// Its name.
    pub id: KeyId,
    /// What the provider wrote when it was [`KekProvider::current`].
    pub hint: &'a [u8],
}

/// Where the KEK comes from. Called on the thread that opens or changes the keyring; may block and may take a second.
pub trait KekProvider: Send + Sync {
    /// What the provider is called in status and errors: `key file`, `passphrase`.
    fn name(&self) -> &'static str;

    /// The KEK to wrap with from now on. Called when a keyring is created or imported, at each rotation of the KEK and
    /// at each export.
    ///
    /// # Errors
    /// When there is none.
    fn current(&self, deployment: &DeploymentId) -> Result<Kek, Error>;

    /// The KEK that is wanted. Called once each time that a keyring or an export is opened.
    ///
    /// # Errors
    /// When the provider does not have it, in the words of this provider: a wrong passphrase, another key file.
    fn find(&self, wanted: &WantedKek<'_>) -> Result<Kek, Error>;

    /// Called after the keyring is durable under the KEK `kept`: whatever else a rotation has left may be forgotten.
    /// Called again when the keyring is opened after a crash. A provider that keeps nothing does nothing.
    ///
    /// # Errors
    /// When forgetting fails; the keyring then takes no further changes until it is opened anew.
    fn retire_others(&self, deployment: &DeploymentId, kept: &KeyId) -> Result<(), Error>;
}

#[cfg(test)]
mod tests;
