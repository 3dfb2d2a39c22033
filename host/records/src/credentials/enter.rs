//! Enters a credential, for the first time or anew.

use super::{CredentialBinding, CredentialFields, CredentialRecord, KeptCredential, fields};
use super::{first_generation, record_key, secrets_key};
use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::tables::{CREDENTIAL_SECRETS, CREDENTIALS};
use storage::Life;

/// A credential that somebody enters.
pub struct EnteredCredential {
    /// Under which it is kept and granted: parts of `a` to `z`, `0` to `9` and `-` with dots between.
    pub name: String,
    /// What it is for.
    pub binding: CredentialBinding,
    /// How it is used, for whoever refreshes or revokes it later. No part of what it is bound to.
    pub settings: serde_json::Value,
    /// Its fields.
    pub fields: CredentialFields,
    /// When it ends by itself, in milliseconds since 1970, where that is known.
    pub expires_ms: Option<u64>,
    /// Who enters it.
    pub by: String,
}

impl SealedRecords {
    /// Keeps a credential. One that is kept for the same ask is replaced, whatever the ask was then: entering it again is how
    /// a person agrees to what it is now.
    ///
    /// # Errors
    /// [`Error::BadCredential`], [`Error::CredentialTaken`] when the name is that of a credential for something else, or
    /// when storage refuses.
    pub async fn enter_credential(&self, entered: EnteredCredential) -> Result<KeptCredential, Error> {
        let EnteredCredential { name, binding, settings, fields: given, expires_ms, by } = entered;
        if !manifest::is_stored_name(&name) {
            let reason =
                "a name has parts of `a` to `z`, `0` to `9` and `-` with dots between, such as `shop.api`"
                    .to_owned();
            return Err(Error::BadCredential { name, reason });
        }
        given.check(&name)?;
        let record = CredentialRecord {
            name: name.clone(),
            binding,
            settings,
            public: given.public,
            secret: given.secret.keys().cloned().collect(),
            generation: first_generation()?,
            entered_ms: self.storage.now_ms(),
            entered_by: by,
            refreshed_ms: None,
            expires_ms,
            redeeming_ms: None,
        };
        let mut attempts = Attempts::at(CREDENTIALS);
        loop {
            let mut change = self.change();
            match self.read_credential(&name).await? {
                Some((former, revision)) => {
                    not_of_another(&former, &record)?;
                    change = change.expect(CREDENTIALS, record_key(&name), Some(&revision));
                    change = change.discard(CREDENTIAL_SECRETS, secrets_key(&name, former.generation));
                }
                None => change = change.expect(CREDENTIALS, record_key(&name), None),
            }
            let value = codec::to_json(CREDENTIALS, &record)?;
            let secrets = fields::encode(&name, &given.secret)?;
            let change = change.put(CREDENTIALS, record_key(&name), Life::Standing, value).put(
                CREDENTIAL_SECRETS,
                secrets_key(&name, record.generation),
                Life::Standing,
                secrets,
            );
            if self.try_commit(change).await? {
                return Ok(record.into());
            }
            attempts.again()?;
        }
    }
}

fn not_of_another(former: &CredentialRecord, new: &CredentialRecord) -> Result<(), Error> {
    if former.binding.is_same_ask(&new.binding) {
        return Ok(());
    }
    Err(Error::CredentialTaken {
        name: former.name.clone(),
        ask: former.binding.ask.clone(),
        connector: former.binding.connector.clone(),
    })
}
