//! What is kept of the installation: the account, the certificate with its key, and when it was tried last. All of it is
//! sealed; keys of records hold digests.

use crate::attempts::Attempts;
use crate::error::Error;
use instant_acme::AccountCredentials;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::Arc;
use storage::{Change, Life, Storage, Table};
use vault::Class;
use zeroize::Zeroizing;

const fn table(name: &'static str, class: Class) -> Table {
    Table { name, class, schema_version: 1 }
}

/// `digest of directory, contact and external account`: the account's URL and key.
const ACCOUNTS: Table = table("acme_accounts", Class::Credentials);
/// One record: the certificate that is shown, and its key.
const CERTIFICATE: Table = table("acme_certificate", Class::Credentials);
/// One record: how often in a row no certificate came, and when the next may be asked for.
const ATTEMPTS: Table = table("acme_attempts", Class::Metadata);
/// The key of what there is one of.
const ONLY: &[u8] = b"only";

#[derive(Clone)]
pub(crate) struct Kept {
    storage: Arc<Storage>,
    organization: &'static str,
}

/// A certificate as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptCertificate {
    /// The settings for which it was asked.
    pub(crate) of: [u8; 32],
    /// The chain, as PEM.
    pub(crate) chain: String,
    /// The key, as PEM.
    pub(crate) key: Zeroizing<String>,
    /// When it came, in milliseconds since the epoch.
    pub(crate) kept_ms: u64,
}

impl Kept {
    /// `organization`: of storage, in which things of the installation are kept. There is a key for it.
    pub(crate) fn new(storage: Arc<Storage>, organization: &'static str) -> Self {
        Self { storage, organization }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.storage.now_ms()
    }

    pub(crate) async fn account(&self, of: &[u8; 32]) -> Result<Option<AccountCredentials>, Error> {
        self.read(ACCOUNTS, of, "the account").await
    }

    pub(crate) async fn keep_account(
        &self,
        of: &[u8; 32],
        credentials: &AccountCredentials,
    ) -> Result<(), Error> {
        let change = self.put(self.change(), ACCOUNTS, of, credentials, "the account")?;
        self.commit(change).await
    }

    /// It is known nowhere any more.
    pub(crate) async fn forget_account(&self, of: &[u8; 32]) -> Result<(), Error> {
        self.commit(self.change().delete(ACCOUNTS, of)).await
    }

    pub(crate) async fn certificate(&self) -> Result<Option<KeptCertificate>, Error> {
        self.read(CERTIFICATE, ONLY, "the certificate").await
    }

    /// With it whatever went wrong before it is over.
    pub(crate) async fn keep_certificate(&self, certificate: &KeptCertificate) -> Result<(), Error> {
        let change = self.put(self.change(), CERTIFICATE, ONLY, certificate, "the certificate")?;
        self.commit(change.discard(ATTEMPTS, ONLY)).await
    }

    pub(crate) async fn attempts(&self) -> Result<Option<Attempts>, Error> {
        self.read(ATTEMPTS, ONLY, "attempts").await
    }

    pub(crate) async fn keep_attempts(&self, attempts: &Attempts) -> Result<(), Error> {
        let change = self.put(self.change(), ATTEMPTS, ONLY, attempts, "attempts")?;
        self.commit(change).await
    }

    fn change(&self) -> Change {
        Change::new(self.organization)
    }

    fn put<T: Serialize>(
        &self,
        change: Change,
        table: Table,
        key: &[u8],
        value: &T,
        what: &'static str,
    ) -> Result<Change, Error> {
        let value = serde_json::to_vec(value).map_err(|_| Error::Unreadable { what })?;
        Ok(change.put(table, key, Life::Standing, value))
    }

    async fn commit(&self, change: Change) -> Result<(), Error> {
        self.storage.commit(change).await?;
        Ok(())
    }

    async fn read<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
        what: &'static str,
    ) -> Result<Option<T>, Error> {
        let found = self.storage.get(self.organization, table, key).await?;
        let read = found.map(|found| serde_json::from_slice(found.value.expose()));
        // What serde says of it could quote it.
        read.transpose().map_err(|_| Error::Unreadable { what })
    }
}
