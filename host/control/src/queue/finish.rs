//! Holders keep their runs, learn what is wished of them, and say how they ended.

use super::lane::Lane;
use super::record::{Cause, Ending, Run, Taken, Wish};
use super::{Queue, backoff};
use crate::error::Error;
use crate::filed::Head;
use crate::keeper::Attempts;
use crate::syncs::{self, Behind, Kept, LastRun};
use crate::tables::RUNS;
use std::sync::atomic::Ordering;
use storage::{Change, Lease};

/// What a holder says of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// It did what it was to do.
    Done,
    /// It did not.
    Failed {
        /// The code of its error.
        error: String,
        /// Whether trying again could help.
        can_retry: bool,
        /// Not before so much time has passed, where the other side says so.
        retry_after_ms: Option<u64>,
    },
    /// It was ended, as was wished.
    Cancelled,
    /// Its holder goes away; somebody else is to go on with it. No attempt is counted.
    HandedBack,
}

impl Queue {
    /// Holds a run for as long again, from now on; answers what is wished of it.
    ///
    /// # Errors
    /// [`Error::RunLost`]: its holder must stop at once, and has nothing to say any more; or when storage refuses.
    pub async fn renew(&self, taken: &mut Taken) -> Result<Option<Wish>, Error> {
        let lost = || Error::RunLost { run: taken.order.run.clone() };
        let keeper = &self.organizations().keeper;
        match keeper.storage.renew(&mut taken.lease, self.options.lease_ms).await {
            Err(storage::Error::Fenced { .. }) => return Err(lost()),
            renewed => renewed?,
        }
        self.wish_of(taken).await
    }

    /// What is wished of a run that is held. To be asked whenever [`Queue::wishes`] has changed.
    ///
    /// # Errors
    /// As [`Queue::renew`].
    pub async fn wish_of(&self, taken: &Taken) -> Result<Option<Wish>, Error> {
        match self.run(&taken.order.organization, &taken.order.run).await? {
            Some(run) if is_ours(&run, taken) => Ok(run.record.wish),
            Some(_) | None => Err(Error::RunLost { run: taken.order.run.clone() }),
        }
    }

    /// Notes that a run which was taken over has committed something since: whatever ended the processes before, it is not what it
    /// does there.
    ///
    /// # Errors
    /// As [`Queue::renew`].
    pub async fn has_moved(&self, taken: &mut Taken) -> Result<(), Error> {
        let lost = || Error::RunLost { run: taken.order.run.clone() };
        let keeper = &self.organizations().keeper;
        let mut attempts = Attempts::at(RUNS);
        loop {
            let run = self.run(&taken.order.organization, &taken.order.run).await?;
            let mut run = run.filter(|run| is_ours(run, taken)).ok_or_else(lost)?;
            run.record.takeovers = 0;
            match keeper.try_commit(run.put(taken.lease.change())?).await {
                Ok(None) => break,
                Ok(Some(_)) => attempts.again().await?,
                Err(Error::Storage(storage::Error::Fenced { .. })) => return Err(lost()),
                Err(error) => return Err(error),
            }
        }
        taken.is_doubted = false;
        Ok(())
    }

    /// For how long a run is held by whoever says nothing.
    #[must_use]
    pub fn lease_ms(&self) -> u64 {
        self.options.lease_ms
    }

    /// Says how a run ended. When it returns, that is durable, and the run is nobody's any more.
    ///
    /// # Errors
    /// [`Error::RunLost`] when somebody else has it by now: what this holder says is not taken; or when storage refuses.
    pub async fn finish(&self, taken: Taken, outcome: &RunOutcome) -> Result<(), Error> {
        let mut attempts = Attempts::at(RUNS);
        loop {
            let run = self.run(&taken.order.organization, &taken.order.run).await?;
            let run = run.filter(|run| is_ours(run, &taken));
            let run = run.ok_or_else(|| Error::RunLost { run: taken.order.run.clone() })?;
            let done = match self.wait_ms(&run, outcome) {
                Some(wait_ms) => self.put_back(counted(run, outcome), &taken.lease, wait_ms).await,
                None => self.try_end(run, &taken.lease, &ending(outcome)).await,
            };
            match done {
                Ok(true) => break,
                Ok(false) => attempts.again().await?,
                Err(Error::Storage(storage::Error::Fenced { .. })) => {
                    return Err(Error::RunLost { run: taken.order.run });
                }
                Err(error) => return Err(error),
            }
        }
        self.organizations().keeper.storage.release(taken.lease).await?;
        self.changed.notify_one();
        self.syncs.due.notify_one();
        Ok(())
    }

    /// After what time it waits anew; none: it has ended.
    fn wait_ms(&self, run: &Run, outcome: &RunOutcome) -> Option<u64> {
        let failed = run.record.failed.saturating_add(1);
        match outcome {
            _ if run.record.wish.is_some() => None,
            RunOutcome::HandedBack => Some(0),
            RunOutcome::Failed { can_retry: true, retry_after_ms, .. }
                if failed < self.options.attempts_max =>
            {
                let wait_ms = backoff::after(&backoff::FAILED, failed, &run.id);
                Some(wait_ms.max(retry_after_ms.unwrap_or(0)))
            }
            RunOutcome::Done | RunOutcome::Failed { .. } | RunOutcome::Cancelled => None,
        }
    }

    /// Lets a run wait anew; false: somebody else was faster.
    pub(super) async fn put_back(&self, mut run: Run, lease: &Lease, wait_ms: u64) -> Result<bool, Error> {
        let keeper = &self.organizations().keeper;
        run.record.taken = None;
        run.record.ready_ms = keeper.now_ms().saturating_add(wait_ms);
        let mut lane = Lane::read(keeper, &run.organization).await?;
        lane.ends();
        lane.comes(self.turn.load(Ordering::Acquire));
        let change = run.put_waiting(run.end_taken(run.put(lease.change())?));
        let is_done = keeper.try_commit(lane.put(change)?).await?.is_none();
        if is_done {
            self.syncs.tell(&run.organization, run.waits());
        }
        Ok(is_done)
    }

    pub(super) async fn try_end(
        &self,
        run: Run,
        lease: &Lease,
        (ending, error): &(Ending, Option<String>),
    ) -> Result<bool, Error> {
        let keeper = &self.organizations().keeper;
        let mut lane = Lane::read(keeper, &run.organization).await?;
        lane.ends();
        let change = lane.put(run.end_taken(run.end(lease.change())))?;
        let change = self.leave_sync(change, &run, (*ending, error.clone())).await?;
        let is_done = keeper.try_commit(change).await?.is_none();
        if is_done {
            self.syncs.tell(&run.organization, run.ended(*ending));
        }
        Ok(is_done)
    }

    /// Adds to a change that the sync has this run no more. Its schedule is looked at then: what was due meanwhile waits.
    /// Messages that it has left where they wait are come for again.
    pub(super) async fn leave_sync(
        &self,
        change: Change,
        run: &Run,
        (outcome, error): (Ending, Option<String>),
    ) -> Result<Change, Error> {
        let (organization, sync) = (run.organization.as_str(), run.record.sync.as_str());
        let filed = match self.organizations().head::<Kept>(organization, syncs::KIND, sync).await {
            Err(Error::UnknownObject { .. }) => return Ok(change),
            filed => filed?,
        };
        let now_ms = self.organizations().keeper.now_ms();
        let mut kept = filed.head.more.clone();
        kept.run = None;
        kept.last = Some(LastRun { run: run.id.clone(), ended_ms: now_ms, outcome, error });
        // One that sends row errors through again comes for no messages, and says nothing of them.
        if !matches!(run.record.cause, Cause::Reprocess { .. }) {
            let has_left = outcome != Ending::Done
                && kept.is_running()
                && self.syncs.has_messages(organization, sync).await?;
            kept.again |= has_left;
            kept.behind = has_left.then(|| behind(&kept, sync, now_ms));
        }
        let change = kept.look(change, (organization, sync), now_ms);
        let head = Head { more: kept, ..filed.head.clone() };
        syncs::KIND.put(change, (organization, sync), &head, Some(&filed.seen))
    }
}

fn is_ours(run: &Run, taken: &Taken) -> bool {
    run.record.taken.is_some_and(|(_, fence)| fence == taken.order.fence)
}

/// With what a holder says of its attempt. One who has an end to tell was ended by nobody's death.
fn counted(mut run: Run, outcome: &RunOutcome) -> Run {
    run.record.takeovers = 0;
    if *outcome == RunOutcome::HandedBack {
        run.record.attempt = run.record.attempt.saturating_sub(1);
    } else {
        run.record.failed = run.record.failed.saturating_add(1);
    }
    run
}

/// One run more that has left messages: the next one comes later than this one did.
fn behind(kept: &Kept, sync: &str, now_ms: u64) -> Behind {
    let runs = kept.behind.map_or(0, |behind| behind.runs).saturating_add(1);
    let next_ms = now_ms.saturating_add(backoff::after(&backoff::LEFT, runs, sync));
    Behind { runs, next_ms }
}

fn ending(outcome: &RunOutcome) -> (Ending, Option<String>) {
    match outcome {
        RunOutcome::Done => (Ending::Done, None),
        RunOutcome::Failed { error, .. } => (Ending::Failed, Some(error.clone())),
        RunOutcome::Cancelled | RunOutcome::HandedBack => (Ending::Cancelled, None),
    }
}
