//! Runs come to wait: because somebody asks, because a sync is due, because something has come.

use super::lane::Lane;
use super::record::{Cause, Run, RunRecord};
use super::{Order, Queue};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::filed::{Filed, Head};
use crate::keeper::{Attempts, INSTALLATION};
use crate::secret::draw_id;
use crate::syncs::{self, Kept};
use crate::tables::RUNS;
use std::sync::atomic::Ordering;
use storage::Change;

impl Queue {
    /// Lets a sync run now, whether it is stopped, paused or runs when it is due.
    ///
    /// # Errors
    /// [`Error::RunPending`], [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn run_now(&self, by: &str, organization: &str, sync: &str) -> Result<Order, Error> {
        self.start(by, organization, sync, Cause::Manual { by: by.to_owned() }).await
    }

    /// Lets a sync send row errors through again: those that a request names, which is kept by whoever keeps row errors.
    ///
    /// # Errors
    /// As [`Queue::run_now`].
    pub async fn reprocess(
        &self,
        by: &str,
        organization: &str,
        sync: &str,
        request: &str,
    ) -> Result<Order, Error> {
        let cause = Cause::Reprocess { by: by.to_owned(), request: request.to_owned() };
        self.start(by, organization, sync, cause).await
    }

    async fn start(&self, by: &str, organization: &str, sync: &str, cause: Cause) -> Result<Order, Error> {
        self.organizations().may(by, organization, Action::StartRuns).await?;
        let mut attempts = Attempts::at(RUNS);
        loop {
            let filed = self.organizations().head::<Kept>(organization, syncs::KIND, sync).await?;
            if filed.head.more.run.is_some() {
                return Err(Error::RunPending { sync: sync.to_owned() });
            }
            let kept = filed.head.more.clone();
            if let Some(order) = self.enqueue(organization, &filed, kept, cause.clone()).await? {
                return Ok(order);
            }
            attempts.again().await?;
        }
    }

    /// Notes that something has come for a sync. It runs as soon as it may: now, behind the run that it has, when
    /// it is started again, or when what runs have left is come for again. Answers the run, where there is a new one.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], or when storage refuses.
    pub async fn note_event(&self, organization: &str, sync: &str) -> Result<Option<Order>, Error> {
        let mut attempts = Attempts::at(RUNS);
        loop {
            let filed = self.organizations().head::<Kept>(organization, syncs::KIND, sync).await?;
            let mut kept = filed.head.more.clone();
            let now_ms = self.organizations().keeper.now_ms();
            if kept.is_running() && kept.run.is_none() && kept.event_ms(now_ms) <= now_ms {
                if let Some(order) = self.enqueue(organization, &filed, kept, Cause::Event).await? {
                    return Ok(Some(order));
                }
            } else if kept.again {
                return Ok(None);
            } else {
                kept.again = true;
                let head = Head { more: kept, ..filed.head.clone() };
                let at = (organization, sync);
                let change = syncs::KIND.put(Change::new(INSTALLATION), at, &head, Some(&filed.seen))?;
                if self.organizations().keeper.try_commit(change).await?.is_none() {
                    return Ok(None);
                }
            }
            attempts.again().await?;
        }
    }

    /// Lets a run of a sync wait that has none; `kept`: the sync as it is to be, without the run. None: somebody else was
    /// faster.
    pub(crate) async fn enqueue(
        &self,
        organization: &str,
        filed: &Filed<Kept>,
        mut kept: Kept,
        cause: Cause,
    ) -> Result<Option<Order>, Error> {
        let keeper = &self.organizations().keeper;
        let now_ms = keeper.now_ms();
        let id = draw_id("run")?;
        kept.again &= cause != Cause::Event;
        let change = kept.set_due(Change::new(INSTALLATION), (organization, &filed.id), None);
        kept.run = Some(id.clone());
        let event = match &cause {
            Cause::Manual { by } => Some(Event::done(Act::RunRequested, by, &id).detail("sync", &filed.id)),
            Cause::Reprocess { by, request } => {
                let event = Event::done(Act::ReprocessRequested, by, &id).detail("sync", &filed.id);
                Some(event.detail("request", request))
            }
            Cause::Schedule { .. } | Cause::Event => None,
        };
        let record = RunRecord {
            sync: filed.id.clone(),
            cause,
            queued_ms: now_ms,
            ready_ms: now_ms,
            attempt: 0,
            failed: 0,
            takeovers: 0,
            taken: None,
            wish: None,
        };
        let run = Run { organization: organization.to_owned(), id, record, seen: None };
        let mut lane = Lane::read(keeper, organization).await?;
        lane.comes(self.turn.load(Ordering::Acquire));
        let head = Head { more: kept, ..filed.head.clone() };
        let change = syncs::KIND.put(change, (organization, &filed.id), &head, Some(&filed.seen))?;
        let change = lane.put(run.put_waiting(run.put(change)?))?;
        let is_done = match event {
            Some(event) => {
                let log = self.organizations().log(organization);
                self.organizations().audit.try_append_with(&log, &event, change).await?
            }
            None => keeper.try_commit(change).await?.is_none(),
        };
        if is_done {
            self.changed.notify_one();
            self.syncs.tell(organization, run.waits());
        }
        Ok(is_done.then(|| run.order(self.options.attempts_max)))
    }
}
