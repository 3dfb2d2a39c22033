//! The keyring, shared by all who seal and open; changed on a thread that may block.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use vault::{Bucket, Keyring, Place, SealError};

use crate::error::Error;

/// The keyring of storage.
pub(crate) struct Keys {
    keyring: Arc<RwLock<Keyring>>,
    /// Of many tasks that find the same thing missing one has it written, and the others find it there.
    mending: tokio::sync::Mutex<()>,
}

impl Keys {
    pub(crate) fn new(keyring: Keyring) -> Self {
        Self { keyring: Arc::new(RwLock::new(keyring)), mending: tokio::sync::Mutex::default() }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Keyring> {
        self.keyring.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the keyring. It writes to disk, so whoever seals meanwhile waits for a few milliseconds.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Keyring) -> Result<T, vault::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let keyring = Arc::clone(&self.keyring);
        let changing = tokio::task::spawn_blocking(move || {
            change(&mut keyring.write().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(changing.await.map_err(|_| Error::Interrupted)??)
    }

    /// Seals; what the keyring needs for it is written first: the counters after an opening, which a process that seals
    /// nothing need not write, and the key of a life that is longer than the keys that are made ahead.
    pub(crate) async fn seal(
        &self,
        place: &Place<'_>,
        plaintext: &[u8],
        now_ms: u64,
    ) -> Result<Vec<u8>, Error> {
        let seal = || self.read().seal(place, plaintext, now_ms);
        let is_mendable = |sealed: &Result<Vec<u8>, SealError>| {
            matches!(sealed, Err(SealError::NoBucket { .. } | SealError::CounterUnsaved { .. }))
        };
        let mut sealed = seal();
        while is_mendable(&sealed) {
            let _one_at_a_time = self.mending.lock().await;
            sealed = seal();
            match &sealed {
                Err(SealError::NoBucket { bucket }) => self.create_bucket(*bucket, now_ms).await?,
                Err(SealError::CounterUnsaved { .. }) => self.change(Keyring::save_counters).await?,
                _ => break,
            }
            sealed = seal();
        }
        Ok(sealed?)
    }

    async fn create_bucket(&self, bucket: Bucket, now_ms: u64) -> Result<(), Error> {
        self.change(move |keyring| keyring.create_buckets(&[bucket], now_ms)).await
    }
}
