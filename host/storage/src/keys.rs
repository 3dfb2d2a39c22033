//! The keyring, shared by all who seal and open; changed on a thread that may block.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use vault::{Bucket, Keyring, Place, SealError};

use crate::error::Error;

/// The keyring of storage.
pub(crate) struct Keys(Arc<RwLock<Keyring>>);

impl Keys {
    pub(crate) fn new(keyring: Keyring) -> Self {
        Self(Arc::new(RwLock::new(keyring)))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Keyring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the keyring. It writes to disk, so whoever seals meanwhile waits for a few milliseconds.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Keyring) -> Result<T, vault::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let keyring = Arc::clone(&self.0);
        let changing = tokio::task::spawn_blocking(move || {
            change(&mut keyring.write().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(changing.await.map_err(|_| Error::Interrupted)??)
    }

    /// Seals; what the keyring needs for it is written first.
    pub(crate) async fn seal(
        &self,
        place: &Place<'_>,
        plaintext: &[u8],
        now_ms: u64,
    ) -> Result<Vec<u8>, Error> {
        loop {
            let sealed = self.read().seal(place, plaintext, now_ms);
            match sealed {
                // A life longer than the keys that are made ahead.
                Err(SealError::NoBucket { bucket }) => self.create_bucket(bucket, now_ms).await?,
                Err(SealError::CounterUnsaved { .. }) => self.change(Keyring::save_counters).await?,
                sealed => return Ok(sealed?),
            }
        }
    }

    async fn create_bucket(&self, bucket: Bucket, now_ms: u64) -> Result<(), Error> {
        self.change(move |keyring| keyring.create_buckets(&[bucket], now_ms)).await
    }
}
