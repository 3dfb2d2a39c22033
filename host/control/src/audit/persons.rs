//! Seals what tells who somebody is, before it is hashed: under a key of this person in this log.
//!
//! The key lies in the organization whose log it is. When the organization is shredded, or the person removed from it, the
//! key goes and the fields are unreadable; the hashes stay what they are. The log's bytes are never sealed anew, so the key
//! that seals them cannot be one that storage rotates.

use super::entry::{Personal, SealedFields};
use super::log::Log;
use crate::error::Error;
use crate::keeper::{Keeper, unreadable};
use crate::tables::{AUDIT_PERSONS, Key};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::collections::BTreeMap;
use storage::{Change, Life};
use vault::random_bytes;

const NONCE_BYTES: usize = 12;

/// What can be told of the personal part of an entry.
#[derive(Clone, PartialEq, Eq)]
pub enum PersonalFields {
    /// The entry has none.
    None,
    /// The fields of this person.
    Of(Personal),
    /// They were made unreadable: the organization was shredded, or the person removed.
    Shredded {
        /// The person's id.
        person: String,
    },
}

impl Keeper {
    /// Seals them for this log, under the person's key, which is drawn when there is none.
    pub(super) async fn seal_personal(&self, log: &Log, personal: &Personal) -> Result<Vec<u8>, Error> {
        let key = loop {
            if let Some(key) = self.person_key(log, &personal.person).await? {
                break key;
            }
            let key = vault::Key::random().map_err(vault::SealError::from)?;
            let at = Key::of(&personal.person);
            let change = Change::new(log.owner()).expect(AUDIT_PERSONS, at.clone(), None);
            let change = change.put(AUDIT_PERSONS, at, Life::Standing, key.expose().to_vec());
            // Who was faster has drawn the one that counts.
            let _conflict = self.try_commit(change).await?;
        };
        let nonce: [u8; NONCE_BYTES] = random_bytes().map_err(vault::SealError::from)?;
        let mut bytes = serde_json::to_vec(&personal.fields).map_err(|_| Error::Sealing)?;
        // The key is that of one person in one log, so nothing else need be bound to it.
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
            .map_err(|_| Error::Sealing)?;
        Ok([nonce.as_slice(), &bytes].concat())
    }

    pub(super) async fn open_personal(
        &self,
        log: &Log,
        sealed: Option<&SealedFields>,
    ) -> Result<PersonalFields, Error> {
        let Some(SealedFields { person, sealed }) = sealed else { return Ok(PersonalFields::None) };
        let Some(key) = self.person_key(log, person).await? else {
            return Ok(PersonalFields::Shredded { person: person.clone() });
        };
        match open(&key, sealed) {
            Some(fields) => Ok(PersonalFields::Of(Personal { person: person.clone(), fields })),
            // A key that was drawn again after the person was removed opens nothing from before.
            None => Ok(PersonalFields::Shredded { person: person.clone() }),
        }
    }

    /// Destroys the key of a person in this log: the bytes of the key are gone within 24 hours, see storage.
    pub(super) async fn shred_person(&self, log: &Log, person: &str) -> Result<(), Error> {
        let change = Change::new(log.owner()).delete(AUDIT_PERSONS, Key::of(person));
        self.storage.commit(change).await?;
        Ok(())
    }

    /// None: there is no such key, or no such organization any more.
    async fn person_key(&self, log: &Log, person: &str) -> Result<Option<LessSafeKey>, Error> {
        let owner = log.owner();
        if !self.knows(owner) {
            return Ok(None);
        }
        let Some(found) = self.get(owner, AUDIT_PERSONS, &Key::of(person)).await? else { return Ok(None) };
        let key = UnboundKey::new(&AES_256_GCM, found.value.expose());
        let key = key.map_err(|_| unreadable(AUDIT_PERSONS, &"it is no key"))?;
        Ok(Some(LessSafeKey::new(key)))
    }
}

fn open(key: &LessSafeKey, sealed: &[u8]) -> Option<BTreeMap<String, String>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let mut bytes = sealed.to_vec();
    let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut bytes).ok()?;
    serde_json::from_slice(opened).ok()
}
