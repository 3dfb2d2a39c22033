//! A key that is nowhere but in memory: what is sealed under it is unreadable when the process ends, however it ends.

use crate::counter::{Counter, MESSAGES_MAX};
use crate::deployment::DeploymentId;
use crate::record::{DataKey, Place};
use crate::seal_error::SealError;
use crate::secret::{Key, Plaintext};

/// No generation of an organization's key has this number.
const GENERATION: u32 = 0;
/// The key is of one process, which is of one deployment.
const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([0; 16]);

/// The key of what one run may lose: its cache.
pub struct MemoryKey {
    key: DataKey,
    counter: Counter,
}

impl MemoryKey {
    /// Draws one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random() -> Result<Self, SealError> {
        let counter = Counter::stored(0);
        counter.set_reserved(MESSAGES_MAX);
        Ok(Self { key: DataKey::new(&Key::random()?, GENERATION), counter })
    }

    /// Seals a record for its place.
    ///
    /// # Errors
    /// When it is too large, or the key has reached its limit.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let exhausted =
            |_| SealError::Exhausted { organization: place.organization.to_owned(), limit: MESSAGES_MAX };
        self.counter.take().map_err(exhausted)?;
        self.key.seal(&DEPLOYMENT, place, plaintext)
    }

    /// Opens a record that this key has sealed for this place.
    ///
    /// # Errors
    /// When it was changed, or belongs elsewhere.
    pub fn open_record(&self, place: &Place<'_>, record: &[u8]) -> Result<Plaintext, SealError> {
        crate::record::RecordHeader::parse(record)?;
        self.key.open(&DEPLOYMENT, place, record)
    }
}
