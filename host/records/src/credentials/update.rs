//! Gives a credential other fields, if nobody else has meanwhile.

use super::{CredentialFields, KeptCredential, fields, record_key, secrets_key};
use crate::codec;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::tables::{CREDENTIAL_SECRETS, CREDENTIALS};
use storage::Life;

/// All fields that a credential has from now on.
pub struct CredentialUpdate {
    /// The fields.
    pub fields: CredentialFields,
    /// When what is sent ends by itself, where that is known.
    pub expires_ms: Option<u64>,
    /// Why.
    pub cause: UpdateCause,
}

/// Who changes a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateCause {
    /// The host, with what a token endpoint gave.
    Refreshed,
    /// A person, who is named.
    Rotated(String),
}

impl SealedRecords {
    /// Changes the fields of a credential, if it still has the generation that the caller saw; answers the new one. Durable
    /// when it returns. A mark of [`SealedRecords::mark_redeeming`] ends with it.
    ///
    /// # Errors
    /// [`Error::CredentialChanged`] when it has another generation, [`Error::UnknownCredential`], [`Error::BadCredential`], or
    /// when storage refuses.
    pub async fn update_credential(
        &self,
        name: &str,
        seen: u64,
        update: CredentialUpdate,
    ) -> Result<KeptCredential, Error> {
        let CredentialUpdate { fields: given, expires_ms, cause } = update;
        given.check(name)?;
        let Some((mut record, revision)) = self.read_credential(name).await? else {
            return Err(self.unknown_credential(name).await?);
        };
        let changed = || Error::CredentialChanged { name: name.to_owned() };
        if record.generation != seen {
            return Err(changed());
        }
        record.public = given.public;
        record.secret = given.secret.keys().cloned().collect();
        record.generation = seen.saturating_add(1);
        record.expires_ms = expires_ms;
        record.redeeming_ms = None;
        match cause {
            UpdateCause::Refreshed => record.refreshed_ms = Some(self.storage.now_ms()),
            UpdateCause::Rotated(by) => {
                (record.entered_by, record.entered_ms) = (by, self.storage.now_ms());
                record.refreshed_ms = None;
            }
        }
        // The former secrets are no longer valid or will end soon. Erasing them would make every earlier backup unreadable,
        // which is for the person who revokes to wish.
        let change = self
            .change()
            .expect(CREDENTIALS, record_key(name), Some(&revision))
            .put(CREDENTIALS, record_key(name), Life::Standing, codec::to_json(CREDENTIALS, &record)?)
            .discard(CREDENTIAL_SECRETS, secrets_key(name, seen))
            .put(
                CREDENTIAL_SECRETS,
                secrets_key(name, record.generation),
                Life::Standing,
                fields::encode(name, &given.secret)?,
            );
        if self.try_commit(change).await? { Ok(record.into()) } else { Err(changed()) }
    }
}
