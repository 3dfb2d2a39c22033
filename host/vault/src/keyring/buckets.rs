//! Bucket keys come before anything is sealed for their hour or day, and go when it ends.

use super::Keyring;
use super::commit::Earlier;
use super::format::bucket_context;
use crate::bucket::Bucket;
use crate::envelope::{Purpose, wrap};
use crate::error::Error;
use crate::secret::Key;

impl Keyring {
    /// Draws keys for those of the buckets that have none, in one write. Made ahead of time, a day's buckets cost one.
    ///
    /// # Errors
    /// When one has ended, or the keyring cannot be written; then none is made.
    pub fn create_buckets(&mut self, buckets: &[Bucket], now_ms: u64) -> Result<(), Error> {
        if let Some(ended) = buckets.iter().find(|bucket| bucket.has_ended(now_ms)) {
            return Err(Error::BucketEnded { bucket: *ended });
        }
        let mut body = self.body.clone();
        let mut fresh = Vec::new();
        for bucket in buckets {
            if body.buckets.contains_key(bucket) {
                continue;
            }
            let key = Key::random()?;
            let context = bucket_context(&self.header.deployment, *bucket);
            let wrapped = wrap(&self.root, Purpose::BucketKey, &context, key.expose())?;
            body.buckets.insert(*bucket, wrapped);
            fresh.push((*bucket, key));
        }
        if fresh.is_empty() {
            return Ok(());
        }
        self.commit(self.header.clone(), body, Earlier::Stays)?;
        self.keys.buckets.extend(fresh);
        Ok(())
    }

    /// Destroys the keys of every bucket that has ended: what was sealed for them opens no more. To be called every five
    /// minutes at least; writes nothing when nothing has ended. Answers what was destroyed.
    ///
    /// # Errors
    /// When the keyring cannot be written; then they are not destroyed, though no longer served.
    pub fn destroy_ended_buckets(&mut self, now_ms: u64) -> Result<Vec<Bucket>, Error> {
        let ended: Vec<Bucket> = self.buckets().filter(|bucket| bucket.has_ended(now_ms)).collect();
        if ended.is_empty() {
            return Ok(ended);
        }
        let mut body = self.body.clone();
        body.buckets.retain(|bucket, _| !ended.contains(bucket));
        body.shreds += 1;
        self.commit(self.header.clone(), body, Earlier::Erased)?;
        self.keys.buckets.retain(|bucket, _| !ended.contains(bucket));
        self.keys.forget_data_keys();
        Ok(ended)
    }

    /// The buckets that have a key.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        self.body.buckets.keys().copied()
    }
}
