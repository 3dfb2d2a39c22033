//! Reads credentials: what there is, whether it may be used for something, and, apart from that, its secrets.

use super::{CredentialBinding, CredentialRecord, fields, record_key, secrets_key};
use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::tables::{CREDENTIAL_SECRETS, CREDENTIALS};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use storage::Revision;
use vault::Plaintext;

/// What may be told of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCredential {
    /// Its name.
    pub name: String,
    /// What it was entered for.
    pub binding: CredentialBinding,
    /// How it is used, as it was entered.
    pub settings: serde_json::Value,
    /// Fields that may be shown.
    pub public: BTreeMap<String, String>,
    /// Names of the fields that may not.
    pub secret: BTreeSet<String>,
    /// Another one after each change of a field.
    pub generation: u64,
    /// When it was entered, in milliseconds since 1970.
    pub entered_ms: u64,
    /// By whom.
    pub entered_by: String,
    /// When its fields were last refreshed by the host.
    pub refreshed_ms: Option<u64>,
    /// When what is sent ends by itself, where that is known.
    pub expires_ms: Option<u64>,
    /// Since when the host waits for the answer to a token that may be redeemed only once. There when nobody is at it: a crash
    /// came between, and the answer may be lost with the next such token in it.
    pub redeeming_ms: Option<u64>,
}

/// A credential with its secrets, which are wiped when this is dropped and which nothing prints.
pub struct OpenedCredential {
    /// What may be told.
    pub kept: KeptCredential,
    /// By name.
    pub secret: BTreeMap<String, Plaintext>,
}

impl SealedRecords {
    /// All credentials by their names. No secret is opened.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn credentials(&self) -> Result<Vec<KeptCredential>, Error> {
        let found = self.scan_all(CREDENTIALS, &[]).await?;
        let records = found
            .iter()
            .map(|(_, found)| codec::from_json::<CredentialRecord>(CREDENTIALS, found.value.expose()));
        let mut all: Vec<KeptCredential> =
            records.map(|record| Ok(record?.into())).collect::<Result<_, Error>>()?;
        all.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(all)
    }

    /// The credential of this name. No secret is opened.
    ///
    /// # Errors
    /// [`Error::UnknownCredential`], or when storage cannot be read.
    pub async fn credential(&self, name: &str) -> Result<KeptCredential, Error> {
        match self.read_credential(name).await? {
            Some((record, _)) => Ok(record.into()),
            None => Err(self.unknown_credential(name).await?),
        }
    }

    /// The credential of this name, if it may be used for this. No secret is opened.
    ///
    /// # Errors
    /// [`Error::CredentialOfAnother`] or [`Error::CredentialBinding`] when it was entered for something else, and as
    /// [`SealedRecords::credential`].
    pub async fn usable_credential(
        &self,
        name: &str,
        wanted: &CredentialBinding,
    ) -> Result<KeptCredential, Error> {
        let kept = self.credential(name).await?;
        kept.binding.serves(name, wanted)?;
        Ok(kept)
    }

    /// The credential of this name with its secrets, both of one generation.
    ///
    /// # Errors
    /// As [`SealedRecords::credential`].
    pub async fn open_credential(&self, name: &str) -> Result<OpenedCredential, Error> {
        let mut attempts = Attempts::at(CREDENTIALS);
        loop {
            let kept = self.credential(name).await?;
            let key = secrets_key(name, kept.generation);
            if let Some(found) = self.get(CREDENTIAL_SECRETS, &key).await? {
                return Ok(OpenedCredential { kept, secret: fields::decode(found.value.expose())? });
            }
            // Changed between the two.
            attempts.again()?;
        }
    }

    pub(super) async fn read_credential(
        &self,
        name: &str,
    ) -> Result<Option<(CredentialRecord, Revision)>, Error> {
        self.read_json(CREDENTIALS, &record_key(name)).await
    }

    pub(super) async fn unknown_credential(&self, name: &str) -> Result<Error, Error> {
        let known = self.credentials().await?.into_iter().map(|kept| kept.name).collect();
        Ok(Error::UnknownCredential { name: name.to_owned(), known })
    }
}

impl From<CredentialRecord> for KeptCredential {
    fn from(record: CredentialRecord) -> Self {
        Self {
            name: record.name,
            binding: record.binding,
            settings: record.settings,
            public: record.public,
            secret: record.secret,
            generation: record.generation,
            entered_ms: record.entered_ms,
            entered_by: record.entered_by,
            refreshed_ms: record.refreshed_ms,
            expires_ms: record.expires_ms,
            redeeming_ms: record.redeeming_ms,
        }
    }
}
