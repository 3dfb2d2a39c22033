//! Sealed storage: what it is made of, and how it is opened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use vault::{DeploymentId, Keyring, random_bytes};

use crate::chunks::Writing;
use crate::clock::Clock;
use crate::engine::{Batch, Engine, Scan};
use crate::error::Error;
use crate::heads::Heads;
use crate::key::{self, Space};
use crate::keys::Keys;
use crate::notes;
use crate::reseal::Outdated;
use crate::time::Time;

/// Sealed storage over an engine. Every call may be made from any task of a tokio runtime.
///
/// # Guarantees
/// - An engine sees ciphertext, ids and names of tables; see the crate's `key` and `value`.
/// - A change is durable when [`Storage::commit`] returns, whole; what is not durable is seen by nobody.
/// - What has expired is not read, expected or listed, under any clock; its keys are destroyed by [`Storage::maintain`].
/// - A future that is dropped leaves its change done whole or not at all.
pub struct Storage {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) keys: Keys,
    pub(crate) time: Time,
    pub(crate) heads: Heads,
    /// Values whose chunks are being written by this process.
    pub(crate) writing: Writing,
    /// Whether there may be values in chunks, which whoever overwrites a record must look for.
    pub(crate) has_chunks: AtomicBool,
    /// Of this process: leases and caches of others are told by it.
    pub(crate) process: [u8; 16],
    pub(crate) caches: crate::cache::Caches,
    pub(crate) next_sweep_ms: AtomicU64,
    /// One pass of maintenance at a time.
    pub(crate) maintaining: tokio::sync::Mutex<()>,
    /// One job of sealing anew at a time.
    pub(crate) resealing: tokio::sync::Mutex<()>,
    /// What was read and is to be sealed anew.
    pub(crate) outdated: Outdated,
}

impl Storage {
    /// Storage in this engine under the keys of this keyring. Makes one pass of maintenance: what has ended while nobody
    /// was here is destroyed, and what crashes have left is removed.
    ///
    /// # Errors
    /// When the engine or the keyring refuse, or a restore into this engine was not finished.
    pub async fn open(
        engine: Arc<dyn Engine>,
        keyring: Keyring,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        if engine.get(&notes::key(notes::RESTORING)).await?.is_some() {
            return Err(Error::RestoreUnfinished);
        }
        let mark = notes::mark(engine.as_ref()).await?;
        let values = Scan { prefix: vec![Space::Values as u8], after: None, limit: 1 };
        let has_chunks = !engine.is_exclusive() || !engine.scan(values).await?.is_empty();
        let storage = Self {
            engine,
            keys: Keys::new(keyring),
            time: Time::new(clock, mark),
            heads: Heads::default(),
            writing: Writing::default(),
            has_chunks: has_chunks.into(),
            process: random_bytes().map_err(vault::SealError::from)?,
            caches: crate::cache::Caches::default(),
            next_sweep_ms: AtomicU64::new(0),
            maintaining: tokio::sync::Mutex::new(()),
            resealing: tokio::sync::Mutex::new(()),
            outdated: Outdated::default(),
        };
        storage.maintain().await?;
        Ok(storage)
    }

    /// The time by which records expire, in milliseconds since the epoch. Lives are to be reckoned from it: it never goes
    /// back, while the clock may.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.time.now_ms()
    }

    /// The deployment that the keyring belongs to.
    #[must_use]
    pub fn deployment(&self) -> DeploymentId {
        *self.keys.read().deployment()
    }

    /// Asks the keyring something: its status, an export. Must not block for long: nobody can change a key meanwhile.
    pub fn with_keyring<T>(&self, ask: impl FnOnce(&Keyring) -> T) -> T {
        ask(&self.keys.read())
    }

    /// Changes the keyring, on a thread that may block. For what storage has no call for: rotating the KEK.
    ///
    /// # Errors
    /// What the change answers.
    pub async fn with_keyring_mut<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Keyring) -> Result<T, vault::Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.keys.change(change).await
    }

    /// The engine's value of a key, for the parts of storage.
    pub(crate) async fn stored(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.engine.get(key).await?)
    }

    pub(crate) fn may_have_chunks(&self) -> bool {
        self.has_chunks.load(Ordering::Acquire)
    }

    /// Removes everything with this prefix, a batch at a time.
    pub(crate) async fn remove_all(&self, prefix: Vec<u8>) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let scan =
                Scan { prefix: prefix.clone(), after: None, limit: crate::engine::BATCH_OPERATIONS_MAX };
            let entries = self.engine.scan(scan).await?;
            if entries.is_empty() {
                return Ok(removed);
            }
            removed += entries.len() as u64;
            let delete = entries.into_iter().map(|(key, _)| key).collect();
            self.engine.commit(Batch { delete, ..Batch::default() }).await?;
        }
    }

    /// The key of what there is once for an organization.
    pub(crate) fn head_key(organization: &str) -> Result<Vec<u8>, Error> {
        key::of(Space::Heads, organization)
    }
}
