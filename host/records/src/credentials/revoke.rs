//! Revokes a credential at a person's wish.

use super::{KeptCredential, record_key, secrets_key};
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::tables::{CREDENTIAL_SECRETS, CREDENTIALS};

impl SealedRecords {
    /// Deletes a credential, and answers what it was. Gone at once for every reader; its bytes, and those of its earlier
    /// generations, are erased by storage within its time.
    ///
    /// # Errors
    /// [`Error::UnknownCredential`], or when storage refuses.
    pub async fn revoke_credential(&self, name: &str) -> Result<KeptCredential, Error> {
        let mut attempts = Attempts::at(CREDENTIALS);
        loop {
            let Some((record, revision)) = self.read_credential(name).await? else {
                return Err(self.unknown_credential(name).await?);
            };
            let change = self
                .change()
                .expect(CREDENTIALS, record_key(name), Some(&revision))
                .delete(CREDENTIALS, record_key(name))
                .delete(CREDENTIAL_SECRETS, secrets_key(name, record.generation));
            if self.try_commit(change).await? {
                return Ok(record.into());
            }
            attempts.again()?;
        }
    }
}
