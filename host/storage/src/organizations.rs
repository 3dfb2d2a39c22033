//! Organizations come and go. One that goes is unreadable first, and then removed.

use std::sync::atomic::Ordering;

use crate::engine::{Batch, KEY_BYTES_MAX, Scan};
use crate::error::Error;
use crate::heads::Head;
use crate::key::{self, OF_ORGANIZATIONS, Space};
use crate::storage::Storage;

impl Storage {
    /// Draws a key for an organization. What an organization of this name has left is removed before.
    ///
    /// # Errors
    /// When it has one, or the keyring cannot be written.
    pub async fn create_organization(&self, organization: &str) -> Result<(), Error> {
        if !self.has_organization(organization) {
            self.remove_organization(organization).await?;
            let head = vec![(Self::head_key(organization)?, Head::fresh()?.encode())];
            self.engine.commit(Batch { put: head, ..Batch::default() }).await?;
        }
        self.heads.forget(organization);
        let id = organization.to_owned();
        self.keys.change(move |keyring| keyring.create_organization(&id)).await
    }

    /// Destroys the keys of an organization, after which nothing of it opens again, and removes its records. When it
    /// answers with an error of the engine, only the removing is not done; the next pass of maintenance does it.
    ///
    /// # Errors
    /// When there is no such organization, or the keyring cannot be written: then it is not deleted.
    pub async fn delete_organization(&self, organization: &str) -> Result<(), Error> {
        let id = organization.to_owned();
        self.keys.change(move |keyring| keyring.delete_organization(&id)).await?;
        let removed = self.remove_organization(organization).await;
        if removed.is_err() {
            self.next_sweep_ms.store(0, Ordering::Release);
        }
        removed
    }

    /// The organizations that have a key.
    #[must_use]
    pub fn organizations(&self) -> Vec<String> {
        self.with_keyring(|keyring| keyring.organizations().map(str::to_owned).collect())
    }

    pub(crate) fn has_organization(&self, organization: &str) -> bool {
        self.with_keyring(|keyring| keyring.current_generation(organization).is_ok())
    }

    /// Removes what organizations without a key have left: a crash came between the two steps, or a change was on its way.
    pub(crate) async fn sweep_organizations(&self) -> Result<u64, Error> {
        let mut swept = 0;
        for space in OF_ORGANIZATIONS.into_iter().chain([Space::Heads]) {
            let mut after = None;
            loop {
                let scan = Scan { prefix: vec![space as u8], after, limit: 1 };
                let entries = self.engine.scan(scan).await?;
                let Some(organization) = entries.first().and_then(|(key, _)| key::organization_of(key))
                else {
                    break;
                };
                if !self.has_organization(organization) {
                    self.remove_organization(organization).await?;
                    swept += 1;
                }
                // Behind all keys of this organization.
                let mut behind = key::of(space, organization)?;
                behind.resize(KEY_BYTES_MAX, u8::MAX);
                after = Some(behind);
            }
        }
        Ok(swept)
    }

    /// The head goes first, so that no change that was on its way comes behind.
    async fn remove_organization(&self, organization: &str) -> Result<(), Error> {
        self.remove_all(Self::head_key(organization)?).await?;
        self.heads.forget(organization);
        for space in OF_ORGANIZATIONS {
            self.remove_all(key::of(space, organization)?).await?;
        }
        Ok(())
    }
}
