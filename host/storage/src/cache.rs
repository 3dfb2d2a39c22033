//! What a run may lose: sealed under a key that is nowhere but in memory, so that a crash makes it unreadable at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vault::{Bucket, Class, MemoryKey, Place, Plaintext, SealError, random_bytes};

use crate::engine::{Batch, Scan};
use crate::error::Error;
use crate::key::Space;
use crate::storage::Storage;

const TABLE: &str = "cache";

/// The caches of this process that are in use.
#[derive(Default, Clone)]
pub(crate) struct Caches(Arc<Mutex<HashSet<[u8; 16]>>>);

impl Caches {
    fn ids(&self) -> MutexGuard<'_, HashSet<[u8; 16]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cache of one run. When it is dropped, its key is gone and nothing in it opens again; its entries are removed by
/// [`Cache::clear`], or by the next pass of maintenance.
pub struct Cache<'a> {
    storage: &'a Storage,
    key: MemoryKey,
    id: [u8; 16],
    organization: String,
}

impl Drop for Cache<'_> {
    fn drop(&mut self) {
        self.storage.caches.ids().remove(&self.id);
    }
}

impl Storage {
    /// A cache for one run of an organization.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn cache(&self, organization: &str) -> Result<Cache<'_>, Error> {
        let id = random_bytes().map_err(SealError::from)?;
        let key = MemoryKey::random()?;
        self.caches.ids().insert(id);
        Ok(Cache { storage: self, key, id, organization: organization.to_owned() })
    }

    /// Removes the entries of caches whose key is gone. Where others may have the engine open, theirs are left alone.
    pub(crate) async fn sweep_caches(&self) -> Result<u64, Error> {
        let whose = if self.engine.is_exclusive() { &[][..] } else { &self.process };
        let prefix = [&[Space::Cache as u8], whose].concat();
        let (mut after, mut swept) = (None, 0);
        loop {
            let scan = Scan { prefix: prefix.clone(), after, limit: 1 };
            let entries = self.engine.scan(scan).await?;
            let Some(cache) = entries.first().and_then(|(key, _)| key.get(..33)) else { return Ok(swept) };
            let is_ours = cache.get(1..17) == Some(self.process.as_slice());
            let is_used = is_ours && self.caches.ids().iter().any(|id| cache.ends_with(id));
            if !is_used {
                swept += self.remove_all(cache.to_vec()).await?;
            }
            let mut behind = cache.to_vec();
            behind.resize(crate::engine::KEY_BYTES_MAX, u8::MAX);
            after = Some(behind);
        }
    }
}

impl Cache<'_> {
    /// Keeps a value. It must fit into one value of an engine.
    ///
    /// # Errors
    /// When it is too large, or the engine refuses.
    pub async fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let sealed = self.key.seal(&self.place(key), value)?;
        let put = vec![(self.stored_key(key), sealed)];
        self.storage.engine.commit(Batch { put, ..Batch::default() }).await?;
        Ok(())
    }

    /// What was kept.
    ///
    /// # Errors
    /// When it cannot be read or was changed.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Plaintext>, Error> {
        let sealed = self.storage.stored(&self.stored_key(key)).await?;
        Ok(sealed.map(|sealed| self.key.open_record(&self.place(key), &sealed)).transpose()?)
    }

    /// Forgets a value.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn delete(&self, key: &[u8]) -> Result<(), Error> {
        let delete = vec![self.stored_key(key)];
        self.storage.engine.commit(Batch { delete, ..Batch::default() }).await?;
        Ok(())
    }

    /// Ends the cache and removes its entries.
    ///
    /// # Errors
    /// When the engine refuses; nothing opens all the same.
    pub async fn clear(self) -> Result<(), Error> {
        self.storage.remove_all(self.prefix()).await.map(drop)
    }

    fn place<'a>(&'a self, key: &'a [u8]) -> Place<'a> {
        Place {
            organization: &self.organization,
            table: TABLE,
            key,
            schema_version: 1,
            class: Class::Cache,
            bucket: Bucket::Standing,
        }
    }

    fn prefix(&self) -> Vec<u8> {
        [&[Space::Cache as u8], self.storage.process.as_slice(), &self.id].concat()
    }

    fn stored_key(&self, key: &[u8]) -> Vec<u8> {
        [self.prefix().as_slice(), key].concat()
    }
}
