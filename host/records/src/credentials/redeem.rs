//! The mark that a token is being redeemed which may be redeemed only once.

use super::record_key;
use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::tables::CREDENTIALS;
use storage::Life;

impl SealedRecords {
    /// Notes, durably, that the token of this generation is sent to its endpoint now. Whoever finds the mark when nobody is at
    /// it knows that the answer may have been lost in a crash.
    ///
    /// # Errors
    /// [`Error::CredentialChanged`] when the credential has another generation, [`Error::UnknownCredential`], or when storage
    /// refuses.
    pub async fn mark_redeeming(&self, name: &str, seen: u64) -> Result<(), Error> {
        self.set_redeeming(name, seen, Some(self.storage.now_ms())).await
    }

    /// Notes that the endpoint has answered and redeemed nothing.
    ///
    /// # Errors
    /// As [`SealedRecords::mark_redeeming`].
    pub async fn unmark_redeeming(&self, name: &str, seen: u64) -> Result<(), Error> {
        self.set_redeeming(name, seen, None).await
    }

    async fn set_redeeming(&self, name: &str, seen: u64, since_ms: Option<u64>) -> Result<(), Error> {
        let mut attempts = Attempts::at(CREDENTIALS);
        loop {
            let Some((mut record, revision)) = self.read_credential(name).await? else {
                return Err(self.unknown_credential(name).await?);
            };
            if record.generation != seen {
                return Err(Error::CredentialChanged { name: name.to_owned() });
            }
            if record.redeeming_ms == since_ms {
                return Ok(());
            }
            record.redeeming_ms = since_ms;
            let value = codec::to_json(CREDENTIALS, &record)?;
            let change = self.change().expect(CREDENTIALS, record_key(name), Some(&revision)).put(
                CREDENTIALS,
                record_key(name),
                Life::Standing,
                value,
            );
            if self.try_commit(change).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }
}
