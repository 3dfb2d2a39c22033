//! The key by which storage knows its own commit journal again. It authenticates and seals nothing.

use crate::envelope::derived;
use crate::keyring::Keyring;
use crate::secret::Key;

impl Keyring {
    /// The key of this deployment's commit journal. It is the same after every rotation.
    #[must_use]
    pub fn journal_key(&self) -> Key {
        derived(self.root(), b"cofferdam journal 1")
    }
}
