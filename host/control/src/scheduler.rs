//! Lets syncs run that are due. Syncs with a schedule stand in an index by the time at which it is to be looked at, so a pass
//! costs what is due and not what there is.
//!
//! A sync that has a run does not stand there: the run's end puts it back, and what was due meanwhile counts as missed.

use crate::error::Error;
use crate::filed::{Filed, Head};
use crate::keeper::{Attempts, INSTALLATION, SCAN_FEW};
use crate::queue::{Cause, Queue};
use crate::schedules::Schedule;
use crate::syncs::{self, Kept, SyncSpec};
use crate::tables::{Key, SYNCS, SYNCS_DUE};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use storage::{Change, Range};

/// Whose schedule could not be read is looked at again after this.
const AFTER_FAILURE_MS: u64 = 60_000;

/// Wakes syncs when they are due.
pub struct Scheduler {
    queue: Arc<Queue>,
}

/// What a pass did.
#[derive(Debug, Default)]
pub struct SchedulerPass {
    /// How many runs came to wait.
    pub started: usize,
    /// When to come again, in milliseconds since the epoch; none: when a sync is started or a run ends.
    pub wake_ms: Option<u64>,
    /// Syncs whose schedule could not be looked at, and why. The others are.
    pub failed: Vec<(String, Error)>,
}

impl Scheduler {
    /// The scheduler of the syncs of this queue.
    #[must_use]
    pub fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// Waits until there may be something due earlier than the last pass said: a sync was started, or a run has ended.
    pub async fn changed(&self) {
        self.queue.syncs.due.notified().await;
    }

    /// Lets run what is due now. To be asked when the last pass said, and when [`Scheduler::changed`] returns.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn pass(&self) -> Result<SchedulerPass, Error> {
        let keeper = &self.queue.syncs.organizations.keeper;
        let (now_ms, mut pass, mut after) = (keeper.now_ms(), SchedulerPass::default(), None::<Vec<u8>>);
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_FEW };
            let page = keeper.page(INSTALLATION, SYNCS_DUE, range).await?;
            let Some((last, _)) = page.last() else { return Ok(pass) };
            after = Some(last.clone());
            for (key, _) in page {
                let Some((due, rest)) = key.split_first_chunk() else { continue };
                let due_ms = u64::from_be_bytes(*due);
                if due_ms > now_ms {
                    pass.wake(due_ms);
                    return Ok(pass);
                }
                let [organization, sync] = Key::read_ids(rest);
                match self.look(&organization, &sync, key.clone()).await {
                    Ok(Looked::Started) => pass.started += 1,
                    Ok(Looked::Waits(Some(wake_ms))) => pass.wake(wake_ms.max(now_ms + 1)),
                    Ok(Looked::Waits(None)) => {}
                    Err(error) => {
                        pass.wake(now_ms + AFTER_FAILURE_MS);
                        pass.failed.push((sync, error));
                    }
                }
            }
        }
    }

    async fn look(&self, organization: &str, sync: &str, entry: Vec<u8>) -> Result<Looked, Error> {
        let organizations = &self.queue.syncs.organizations;
        match organizations.get(organization).await {
            // Another region's process looks at its own.
            Err(Error::OtherRegion { .. }) => return Ok(Looked::Waits(None)),
            Err(Error::UnknownOrganization { .. }) => return self.forget(entry).await,
            found => found.map(drop)?,
        }
        let mut attempts = Attempts::at(SYNCS);
        loop {
            let (filed, spec) = match self.queue.syncs.whole(organization, sync).await {
                Err(Error::UnknownObject { .. }) => return self.forget(entry).await,
                found => found?,
            };
            if filed.head.more.due_ms.map(|due_ms| syncs::due_key(due_ms, organization, sync).to_vec())
                != Some(entry.clone())
            {
                // It was moved since the index was read.
                return Ok(Looked::Waits(None));
            }
            if let Some(looked) = self.settle(organization, &filed, &spec).await? {
                return Ok(looked);
            }
            attempts.again().await?;
        }
    }

    /// None: the sync was changed meanwhile.
    async fn settle(
        &self,
        organization: &str,
        filed: &Filed<Kept>,
        spec: &SyncSpec,
    ) -> Result<Option<Looked>, Error> {
        let keeper = &self.queue.syncs.organizations.keeper;
        let now_ms = keeper.now_ms();
        let mut kept = filed.head.more.clone();
        let is_free = kept.is_running() && kept.run.is_none();
        let event_ms = (is_free && kept.again).then(|| kept.event_ms(now_ms));
        let mut start = event_ms.filter(|event_ms| *event_ms <= now_ms).map(|_| Cause::Event);
        let mut wake_ms = event_ms;
        if let Some(schedule) = spec.schedule.as_ref().filter(|_| is_free && start.is_none()) {
            // A schedule that is never due any more is none.
            if let Ok(schedule) = Schedule::new(schedule, now_ms) {
                let plan = schedule.plan(kept.settled_ms, now_ms, seed(&filed.id));
                wake_ms = [event_ms, plan.wake_ms].into_iter().flatten().min();
                kept.settled_ms = plan.settled_ms;
                if let [first, others @ ..] = plan.start.as_slice() {
                    start = Some(Cause::Schedule { due_ms: *first });
                    if !others.is_empty() {
                        // One after the other: its end is when the next one is found.
                        kept.settled_ms = *first;
                    }
                }
            }
        }
        if let Some(cause) = start {
            let enqueued = self.queue.enqueue(organization, filed, kept, cause).await?;
            return Ok(enqueued.map(|_| Looked::Started));
        }
        let wake_ms = wake_ms.map(|wake_ms| wake_ms.max(now_ms + 1));
        let change = kept.set_due(Change::new(INSTALLATION), (organization, &filed.id), wake_ms);
        let head = Head { more: kept, ..filed.head.clone() };
        let change = syncs::KIND.put(change, (organization, &filed.id), &head, Some(&filed.seen))?;
        Ok(keeper.try_commit(change).await?.is_none().then_some(Looked::Waits(wake_ms)))
    }

    async fn forget(&self, entry: Vec<u8>) -> Result<Looked, Error> {
        let change = Change::new(INSTALLATION).discard(SYNCS_DUE, entry);
        self.queue.syncs.organizations.keeper.storage.commit(change).await?;
        Ok(Looked::Waits(None))
    }
}

enum Looked {
    Started,
    Waits(Option<u64>),
}

impl SchedulerPass {
    fn wake(&mut self, ms: u64) {
        self.wake_ms = Some(self.wake_ms.map_or(ms, |earliest| earliest.min(ms)));
    }
}

/// The same for one sync always, another for each.
fn seed(sync: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(sync.as_bytes()).into();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
