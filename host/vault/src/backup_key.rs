//! The key of a deployment's backups. It seals frames of records that are sealed already, so that whoever finds a backup
//! learns not even ids, and whoever changes one is noticed. It opens no record.

use crate::envelope::{Purpose, UnwrapError, derived, unwrap, wrap};
use crate::keyring::Keyring;
use crate::secret::{Key, NoRandomness, Plaintext};

/// The key of a deployment's backups, derived from its root key.
pub struct BackupKey(Key);

impl BackupKey {
    /// Seals a frame for its context: which backup it is of, and which frame.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, context: &[u8], frame: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        wrap(&self.0, Purpose::BackupFrame, context, frame)
    }

    /// Opens a frame that was sealed for this context.
    ///
    /// # Errors
    /// When it was changed, belongs elsewhere or was sealed by another deployment.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Plaintext, UnwrapError> {
        unwrap(&self.0, Purpose::BackupFrame, context, sealed)
    }
}

impl Keyring {
    /// The key of this deployment's backups. It is the same after every rotation.
    #[must_use]
    pub fn backup_key(&self) -> BackupKey {
        BackupKey(derived(self.root(), b"cofferdam backup 1"))
    }
}

#[cfg(test)]
mod tests {
    use crate::backup_key::BackupKey;
    use crate::envelope::UnwrapError;
    use crate::secret::Key;

    #[test]
    fn a_frame_opens_in_its_context_under_its_key_and_unchanged() {
        let (key, other) = (BackupKey(Key::random().unwrap()), BackupKey(Key::random().unwrap()));
        let mut sealed = key.seal(b"frame 1", b"items").unwrap();
        assert_eq!(key.open(b"frame 1", &sealed).unwrap().expose(), b"items");
        assert_eq!(key.open(b"frame 2", &sealed).err(), Some(UnwrapError::Rejected));
        assert_eq!(other.open(b"frame 1", &sealed).err(), Some(UnwrapError::Commitment));
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert_eq!(key.open(b"frame 1", &sealed).err(), Some(UnwrapError::Rejected));
    }
}
