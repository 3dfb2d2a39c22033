//! One pass of what must happen whether or not anybody reads or writes: keys of ended buckets are destroyed, their rows
//! removed, keys made ahead, what crashes have left is swept, and what was deleted is erased.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use vault::Bucket;

use crate::engine::Batch;
use crate::error::Error;
use crate::notes;
use crate::storage::Storage;

const HOUR_MS: u64 = 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Lives of up to 24 hours end in one of these hours, with one to spare until the next pass.
const HOURS_AHEAD: u64 = 26;
/// Row errors and run logs live for 45 days.
const DAYS_AHEAD: u64 = 47;

/// What a pass has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pass {
    /// The clock has leapt by more than a day. What it says has ended is not served, and not destroyed either before a
    /// later pass still sees the leap: time to put a wrong clock right.
    pub is_clock_doubted: bool,
    /// Buckets whose keys were destroyed.
    pub buckets_destroyed: Vec<Bucket>,
    /// Expired records that were removed.
    pub records_purged: u64,
    /// Values, organizations and entries of caches that nobody needed any more.
    pub swept: u64,
    /// Records that were sealed anew so that what was deleted can be erased.
    pub records_resealed: u64,
    /// Organizations in which what was deleted is erased now.
    pub organizations_erased: Vec<String>,
}

impl Storage {
    /// Makes one pass. Due every five minutes at least while the process lives: that is how long a key may outlive its
    /// bucket. A pass that has nothing to do costs a few reads.
    ///
    /// # Errors
    /// When the engine or the keyring refuse; the next pass goes on from there.
    pub async fn maintain(&self) -> Result<Pass, Error> {
        let _one_at_a_time = self.maintaining.lock().await;
        let mut pass = Pass { is_clock_doubted: self.time.judge(), ..Pass::default() };
        self.keep_mark().await?;
        pass.buckets_destroyed = self.turn_buckets().await?;
        pass.records_purged = self.purge().await?;
        if self.time.believed_ms() >= self.next_sweep_ms.load(Ordering::Acquire) {
            pass.swept = self.sweep_organizations().await? + self.sweep_values().await?;
            self.next_sweep_ms.store(self.time.believed_ms().saturating_add(DAY_MS), Ordering::Release);
        }
        pass.swept += self.sweep_caches().await?;
        self.reseal_in_passing(&mut pass).await?;
        Ok(pass)
    }

    /// Makes passes until it is stopped. `tell` is called after each, on the task that makes them. Between them what readers
    /// find sealed under an earlier generation of a key is sealed anew; only its failure is told.
    pub fn spawn_maintenance(
        self: &Arc<Self>,
        interval: Duration,
        tell: impl Fn(Result<Pass, Error>) + Send + Sync + 'static,
    ) -> Maintenance {
        let storage = Arc::clone(self);
        Maintenance(tokio::spawn(async move {
            let mut due = Instant::now() + interval;
            loop {
                tokio::select! {
                    biased;
                    () = tokio::time::sleep_until(due) => {
                        tell(storage.maintain().await);
                        due = Instant::now() + interval;
                    }
                    () = storage.outdated.gathered() => {
                        if let Err(error) = storage.reseal_what_was_read().await {
                            tell(Err(error));
                        }
                    }
                }
            }
        }))
    }

    /// For an operator who has put a clock right that went wrong for so long that it was believed: from now on the time is
    /// what the clock says. What was destroyed meanwhile is gone, and what was hidden and not destroyed is there again.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn set_time_by_clock(&self) -> Result<(), Error> {
        let _between_two_passes = self.maintaining.lock().await;
        let mark = self.time.set_by_clock();
        self.engine.commit(Batch { put: vec![notes::mark_entry(mark)], ..Batch::default() }).await?;
        Ok(())
    }

    /// Keeps the time, when an hour has begun or a doubt has come or gone.
    async fn keep_mark(&self) -> Result<(), Error> {
        let mark = self.time.mark();
        let kept = notes::mark(self.engine.as_ref()).await?;
        if self.time.due().is_none() && kept.is_some_and(|kept| kept.doubted_ms == mark.doubted_ms) {
            return Ok(());
        }
        self.engine.commit(Batch { put: vec![notes::mark_entry(mark)], ..Batch::default() }).await?;
        self.time.set_kept(mark);
        Ok(())
    }

    /// Destroys the keys of what has ended and makes those of what comes, in two writes of the keyring at most.
    async fn turn_buckets(&self) -> Result<Vec<Bucket>, Error> {
        let now_ms = self.time.believed_ms();
        let wanted = ahead(now_ms);
        let is_due = self.with_keyring(|keyring| {
            let known: Vec<Bucket> = keyring.buckets().collect();
            known.iter().any(|bucket| bucket.has_ended(now_ms))
                || wanted.iter().any(|one| !known.contains(one))
        });
        if !is_due {
            return Ok(Vec::new());
        }
        self.keys
            .change(move |keyring| {
                let destroyed = keyring.destroy_ended_buckets(now_ms)?;
                keyring.create_buckets(&wanted, now_ms)?;
                Ok(destroyed)
            })
            .await
    }
}

/// The buckets of the lives that are usual. Longer ones get their keys when they come.
fn ahead(now_ms: u64) -> Vec<Bucket> {
    let number = |start: u64, step: u64| u32::try_from(start.saturating_add(step)).unwrap_or(u32::MAX);
    let hours = (1..=HOURS_AHEAD).map(|step| Bucket::Hour(number(now_ms / HOUR_MS, step)));
    let days = (1..=DAYS_AHEAD).map(|step| Bucket::Day(number(now_ms / DAY_MS, step)));
    hours.chain(days).filter(|bucket| !bucket.has_ended(now_ms)).collect()
}

/// Passes that are made in the background, until this is dropped or stopped.
#[must_use = "maintenance ends when this is dropped"]
pub struct Maintenance(tokio::task::JoinHandle<()>);

impl Maintenance {
    /// Ends it, between two steps of a pass if there is one, and returns when it has ended.
    pub async fn stop(mut self) {
        self.0.abort();
        let _cancelled = (&mut self.0).await;
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.0.abort();
    }
}
