//! Organizations come, get new keys and go.

use super::Keyring;
use super::commit::Earlier;
use super::format::{GenerationEntry, organization_context, root_context};
use super::keys::Generation;
use crate::envelope::{Purpose, wrap};
use crate::error::Error;
use crate::kek::KekProvider;
use crate::secret::Key;
use std::sync::Arc;

/// Ids are short; the limit keeps a keyring of many organizations small.
const ORGANIZATION_BYTES_MAX: usize = 255;

impl Keyring {
    /// Draws a key for an organization.
    ///
    /// # Errors
    /// When it has one, the id is too long, or the keyring cannot be written.
    pub fn create_organization(&mut self, organization: &str) -> Result<(), Error> {
        if !(1..=ORGANIZATION_BYTES_MAX).contains(&organization.len()) {
            return Err(Error::OrganizationId { bytes: organization.len(), most: ORGANIZATION_BYTES_MAX });
        }
        if self.body.organizations.contains_key(organization) {
            return Err(Error::OrganizationExists { organization: organization.to_owned() });
        }
        self.add_generation(organization, 1)
    }

    /// Draws the next generation of an organization's key. It seals from now on; earlier ones still open, until
    /// [`Keyring::retire_generations`].
    ///
    /// # Errors
    /// When there is no such organization, or the keyring cannot be written.
    pub fn rotate_organization(&mut self, organization: &str) -> Result<u32, Error> {
        let next = self.current_generation(organization)?.saturating_add(1);
        self.add_generation(organization, next)?;
        Ok(next)
    }

    /// Destroys every generation but the current one, after all records were sealed anew. This is also how single
    /// records are erased: what was not sealed anew opens no more.
    ///
    /// # Errors
    /// When there is no such organization, or the keyring cannot be written.
    pub fn retire_generations(&mut self, organization: &str) -> Result<(), Error> {
        let current = self.current_generation(organization)?;
        let mut body = self.body.clone();
        if let Some(entries) = body.organizations.get_mut(organization) {
            if entries.len() == 1 {
                return Ok(());
            }
            entries.retain(|entry| entry.number == current);
        }
        body.shreds += 1;
        self.commit(self.header.clone(), body, Earlier::Erased)?;
        if let Some(generations) = self.keys.organizations.get_mut(organization) {
            generations.retain(|generation| generation.number == current);
        }
        Ok(())
    }

    /// Destroys the keys of an organization: nothing that was sealed for it opens again.
    ///
    /// # Errors
    /// When there is no such organization, or the keyring cannot be written; then it is not destroyed.
    pub fn delete_organization(&mut self, organization: &str) -> Result<(), Error> {
        let mut body = self.body.clone();
        if body.organizations.remove(organization).is_none() {
            return Err(no_organization(organization));
        }
        body.shreds += 1;
        self.commit(self.header.clone(), body, Earlier::Erased)?;
        self.keys.organizations.remove(organization);
        Ok(())
    }

    /// The organizations that have a key.
    pub fn organizations(&self) -> impl Iterator<Item = &str> {
        self.body.organizations.keys().map(String::as_str)
    }

    /// The organizations whose earlier generations wait for their records to be sealed anew.
    pub fn rotating(&self) -> impl Iterator<Item = &str> {
        let rotating = self.body.organizations.iter().filter(|(_, generations)| generations.len() > 1);
        rotating.map(|(organization, _)| organization.as_str())
    }

    /// The generation of an organization's key that seals.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn current_generation(&self, organization: &str) -> Result<u32, Error> {
        let entries = self.body.organizations.get(organization);
        let current = entries.and_then(|entries| entries.last());
        current.map(|entry| entry.number).ok_or_else(|| no_organization(organization))
    }

    /// Wraps the root key under the KEK that the provider has now, and lets the former provider and this one forget the
    /// others. No record and no other key is touched. Copies of the keyring from before open no more, neither under the
    /// former KEK, unless the keyring has no slot.
    ///
    /// # Errors
    /// When it is the same KEK, or the keyring cannot be written.
    pub fn rotate_kek(&mut self, provider: Arc<dyn KekProvider>) -> Result<(), Error> {
        let deployment = self.header.deployment;
        let kek = provider.current(&deployment)?;
        self.kek_unchanged(kek.id())?;
        let mut header = self.header.clone();
        header.kek = kek.id();
        header.wrapped_root =
            wrap(kek.key(), Purpose::RootKey, &root_context(&deployment), self.root.expose())?;
        header.hint = kek.hint().to_vec();
        self.commit(header, self.body.clone(), Earlier::Erased)?;
        let former = std::mem::replace(&mut self.location.kek, provider);
        self.is_stopped = true;
        former.retire_others(&deployment, &self.header.kek)?;
        self.location.kek.retire_others(&deployment, &self.header.kek)?;
        self.is_stopped = false;
        Ok(())
    }

    fn add_generation(&mut self, organization: &str, number: u32) -> Result<(), Error> {
        let key = Key::random()?;
        let context = organization_context(&self.header.deployment, organization, number);
        let wrapped = wrap(&self.root, Purpose::OrganizationKey, &context, key.expose())?;
        let generation = Generation::new(number, key, 0);
        let reserved = generation.counter.to_reserve();
        let mut body = self.body.clone();
        let entry = GenerationEntry { number, reserved, wrapped };
        body.organizations.entry(organization.to_owned()).or_default().push(entry);
        self.commit(self.header.clone(), body, Earlier::Stays)?;
        self.keys.organizations.entry(organization.to_owned()).or_default().push(generation);
        self.set_reserved();
        Ok(())
    }
}

fn no_organization(organization: &str) -> Error {
    Error::NoOrganization { organization: organization.to_owned() }
}
