//! Records that were read while they were sealed under an earlier generation of their organization's key: what is in use is
//! sealed anew first, beside the job that comes to all of them in the end.
//!
//! A reader only leaves the key of the record here. Maintenance, where it runs, seals anew what has gathered; where it does
//! not, somebody else has the data directory and nothing may be written. What finds no room here waits for the job.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::job::Job;
use crate::engine::{Batch, Entry};
use crate::error::Error;
use crate::key::{self, Space};
use crate::storage::Storage;
use crate::value::Stored;

/// As many records as a page of the job has; of their keys, at most a megabyte.
const KEYS_MAX: usize = 1_024;
/// What is read within so long is sealed anew together: a job's record is written for each time.
const GATHER: Duration = Duration::from_secs(1);

/// Keys of such records, each once.
#[derive(Default)]
pub(crate) struct Outdated {
    keys: Mutex<BTreeSet<Vec<u8>>>,
    some: Notify,
}

impl Outdated {
    fn keys(&self) -> MutexGuard<'_, BTreeSet<Vec<u8>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, key: &[u8]) {
        let mut keys = self.keys();
        if keys.len() < KEYS_MAX && keys.insert(key.to_vec()) && keys.len() == 1 {
            self.some.notify_one();
        }
    }

    /// Returns when some have gathered.
    pub(crate) async fn gathered(&self) {
        self.some.notified().await;
        tokio::time::sleep(GATHER).await;
    }
}

impl Storage {
    /// Called by readers, with what they have opened.
    pub(crate) fn note_if_outdated(&self, organization: &str, key: &[u8], stored: &[u8]) {
        let is_outdated = |stored: &Stored<'_>| self.keys.read().needs_reseal(organization, stored.sealed);
        if Stored::decode(stored).is_ok_and(|stored| is_outdated(&stored).unwrap_or(false)) {
            self.outdated.note(key);
        }
    }

    /// Seals anew what was read since the last time, each on condition that nobody has replaced it. What a job is at is left
    /// to it. Answers how many they were; the job, where there is one, counts them with its own.
    pub(crate) async fn reseal_what_was_read(&self) -> Result<u64, Error> {
        let keys = std::mem::take(&mut *self.outdated.keys());
        if keys.is_empty() {
            return Ok(0);
        }
        // Somebody waits for a job of his own, which comes to these as well.
        let Ok(_one_job_at_a_time) = self.resealing.try_lock() else { return Ok(0) };
        let mut resealed = 0;
        let keys: Vec<Vec<u8>> = keys.into_iter().collect();
        for of_one in keys.chunk_by(|one, other| key::organization_of(one) == key::organization_of(other)) {
            let Some(organization) = of_one.first().and_then(|key| key::organization_of(key)) else {
                continue;
            };
            if self.has_organization(organization) {
                resealed += self.reseal_some(organization, of_one).await?;
            }
        }
        Ok(resealed)
    }

    async fn reseal_some(&self, organization: &str, keys: &[Vec<u8>]) -> Result<u64, Error> {
        let mut entries: Vec<Entry> = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(stored) = self.stored(key).await? {
                entries.push((key.clone(), stored));
            }
        }
        let known = self.job(organization).await?;
        let has_job = known.is_some();
        let mut job = known.unwrap_or_else(|| Job::new(0, 0));
        let before = job.clone();
        self.reseal_entries(organization, entries, &mut job).await?;
        let resealed = job.done.records.saturating_sub(before.done.records);
        if has_job && resealed > 0 {
            // Its walk has not come to them, and what does not open it counts when it does.
            job.in_this_walk = before.in_this_walk;
            job.done.unreadable = before.done.unreadable;
            let put = vec![(key::of(Space::Jobs, organization)?, job.encode())];
            self.engine.commit(Batch { put, ..Batch::default() }).await?;
        }
        Ok(resealed)
    }
}

#[cfg(test)]
mod tests;
