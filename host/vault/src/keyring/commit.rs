//! The order of writes. A shred replaces the shred key in three steps, and a power cut may fall behind each:
//!
//! 1. the new shred key is put beside the old one in the slot: the old keyring opens, nothing is destroyed;
//! 2. the keyring is replaced, sealed under the new shred key: old or new, whichever is there finds its key in the slot;
//! 3. the old shred key is erased: the old keyring, wherever copies of it lie, opens no more. Only now the shred is done.
//!
//! Opening after a crash makes what it found durable first, and only then erases the key that this keyring does not name.

use sha2::{Digest, Sha256};

use super::format::{Body, Header};
use super::load::{body_key_without_slot, read};
use super::{Keyring, WHAT};
use crate::codec::put_counted;
use crate::counter::MESSAGES_MAX;
use crate::deployment::KeyId;
use crate::envelope::{Purpose, key_id, wrap};
use crate::error::Error;
use crate::files::{beside, directory_of, replace};
use crate::secret::{Key, NoRandomness};

/// The sequence number bounds what KEK, root key and shred key ever seal: each write seals a few messages with them.
/// At a write a second it is reached in 136 years.
const SEQUENCE_MAX: u64 = 1 << 32;

/// Whether earlier bytes of the keyring must become unreadable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Earlier {
    Stays,
    Erased,
}

impl Keyring {
    /// Writes the message counters, so that more can be sealed. Due after opening and when sealing answers
    /// [`SealError::CounterUnsaved`](crate::SealError::CounterUnsaved); every other change does it too.
    ///
    /// # Errors
    /// When the keyring cannot be written.
    pub fn save_counters(&mut self) -> Result<(), Error> {
        self.commit(self.header.clone(), self.body.clone(), Earlier::Stays)
    }

    /// Makes header and body durable. The keys in memory are the caller's part, after this has succeeded.
    pub(super) fn commit(&mut self, header: Header, body: Body, earlier: Earlier) -> Result<(), Error> {
        self.check_writable()?;
        let mut next = Next { header, body, fresh: None };
        next.header.sequence += 1;
        for (organization, generation) in self.keys.generations() {
            let entries = next.body.organizations.get_mut(organization).into_iter().flatten();
            for entry in entries.filter(|entry| entry.number == generation.number) {
                entry.reserved = generation.counter.to_reserve();
            }
        }
        // From here on a failure leaves the disk in a state that only opening finds out.
        self.is_stopped = true;
        self.write(next, earlier)?;
        self.is_stopped = false;
        Ok(())
    }

    /// The first moment after opening: makes durable what was found, then erases what it does not need.
    pub(super) fn finish_interrupted(&self) -> Result<(), Error> {
        let (files, path, header) = (&self.location.files, self.path(), &self.header);
        files.sync(path)?;
        files.sync_directory(directory_of(path))?;
        if let (Some(slot), Some(id)) = (&self.location.slot, &header.shred) {
            slot.keep_only(&header.deployment, id)?;
        }
        self.location.kek.retire_others(&header.deployment, &header.kek)?;
        files.remove(&beside(path, ".new"))
    }

    fn check_writable(&self) -> Result<(), Error> {
        let path = || self.path().to_owned();
        if self.lock.is_none() {
            return Err(Error::ReadOnly { path: path() });
        }
        if self.is_stopped {
            return Err(Error::Stopped { path: path() });
        }
        if self.header.sequence >= SEQUENCE_MAX {
            return Err(Error::Exhausted { path: path(), limit: SEQUENCE_MAX });
        }
        // Somebody who put an older file back, or a second host on the same disk: whose change would we overwrite?
        if Sha256::digest(read(&self.location)?).as_slice() != self.digest {
            return Err(Error::Changed { path: path() });
        }
        Ok(())
    }

    fn write(&mut self, mut next: Next, earlier: Earlier) -> Result<(), Error> {
        let location = &self.location;
        let deployment = next.header.deployment;
        if let (Some(slot), Some(in_use), Earlier::Erased) = (&location.slot, &self.header.shred, earlier) {
            let fresh = Key::random()?;
            slot.add(&deployment, &fresh, Some(in_use))?;
            next.header.shred = Some(key_id(&fresh));
            next.fresh = Some(fresh);
        }
        let body_key = next.fresh.as_ref().or(self.shred.as_ref());
        let bytes = encode(&next.header, &next.body, body_key, &self.root)?;
        replace(location.files.as_ref(), &location.path, &bytes)?;
        if let (Some(slot), Some(id)) = (&location.slot, &next.header.shred) {
            slot.keep_only(&deployment, id)?;
        }
        self.digest = Sha256::digest(&bytes).into();
        self.shred = next.fresh.or(self.shred.take());
        (self.header, self.body) = (next.header, next.body);
        self.set_reserved();
        Ok(())
    }

    /// What is durable now may be counted.
    pub(super) fn set_reserved(&self) {
        for (organization, generation) in self.keys.generations() {
            let entries = self.body.organizations.get(organization).into_iter().flatten();
            for entry in entries.filter(|entry| entry.number == generation.number) {
                generation.counter.set_reserved(entry.reserved.min(MESSAGES_MAX));
            }
        }
    }

    /// Whether an interrupted shred waits for this keyring to be opened by its process.
    pub(super) fn is_unfinished(&self) -> Result<bool, Error> {
        match (&self.location.slot, &self.header.shred) {
            (Some(slot), Some(id)) => Ok(!slot.holds_only(&self.header.deployment, id)?),
            _ => Ok(false),
        }
    }

    pub(super) fn kek_unchanged(&self, id: KeyId) -> Result<(), Error> {
        if id == self.header.kek { Err(Error::KekUnchanged { id }) } else { Ok(()) }
    }

    pub(super) fn exists(path: &std::path::Path) -> Error {
        Error::Exists { what: WHAT, path: path.to_owned() }
    }
}

struct Next {
    header: Header,
    body: Body,
    /// The shred key that is new in the slot.
    fresh: Option<Key>,
}

/// The whole file.
pub(super) fn encode(
    header: &Header,
    body: &Body,
    shred: Option<&Key>,
    root: &Key,
) -> Result<Vec<u8>, NoRandomness> {
    let mut bytes = header.encode();
    let sealed = match shred {
        Some(key) => wrap(key, Purpose::Body, &bytes, &body.encode())?,
        None => wrap(&body_key_without_slot(root), Purpose::Body, &bytes, &body.encode())?,
    };
    put_counted(&mut bytes, &sealed);
    Ok(bytes)
}
