//! Ends runs at a person's wish: those that wait at once, and those under way through their holders.

use super::Queue;
use super::lane::Lane;
use super::record::{Cause, Ending, Run, RunRecord, Wish};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION};
use crate::syncs::{Kept, LastRun, Syncs};
use crate::tables::{Key, RUNS};
use storage::Change;

impl Queue {
    /// Ends a run. One that is under way ends when its holder has learned of it.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn cancel(&self, by: &str, organization: &str, id: &str) -> Result<(), Error> {
        self.organizations().may(by, organization, Action::StartRuns).await?;
        let unknown = || Error::UnknownObject { what: "run", id: id.to_owned() };
        let event = Event::done(Act::RunCancelled, by, id);
        let mut attempts = Attempts::at(RUNS);
        loop {
            let mut run = self.run(organization, id).await?.ok_or_else(unknown)?;
            let change = Change::new(INSTALLATION);
            let is_waiting = run.record.taken.is_none();
            let change = if is_waiting {
                let mut lane = Lane::read(&self.organizations().keeper, organization).await?;
                lane.goes();
                let change = lane.put(run.end_waiting(run.end(change)))?;
                self.leave_sync(change, &run, (Ending::Cancelled, None)).await?
            } else {
                run.record.wish = Some(Wish::Cancel);
                run.put(change)?
            };
            let log = self.organizations().log(organization);
            if self.organizations().audit.try_append_with(&log, &event, change).await? {
                if is_waiting {
                    self.syncs.tell(organization, run.ended(Ending::Cancelled));
                }
                self.syncs.wishes.send_modify(|count| *count += 1);
                return Ok(());
            }
            attempts.again().await?;
        }
    }
}

impl Syncs {
    /// Adds to a change what a sync that is paused or stopped wishes of its run: one that waits goes, and one that was due is
    /// due again when the sync goes on.
    pub(crate) async fn wish(
        &self,
        change: Change,
        organization: &str,
        kept: &mut Kept,
        wish: Wish,
    ) -> Result<Change, Error> {
        let Some(id) = kept.run.clone() else { return Ok(change) };
        let keeper = &self.organizations.keeper;
        let at = Key::of(organization).id(&id);
        let Some((record, seen)) = keeper.read::<RunRecord>(INSTALLATION, RUNS, &at).await? else {
            return Ok(change);
        };
        let mut run = Run { organization: organization.to_owned(), id, record, seen: Some(seen) };
        if run.record.taken.is_some() {
            run.record.wish = Some(wish);
            return run.put(change);
        }
        match run.record.cause {
            Cause::Schedule { due_ms } => kept.settled_ms = kept.settled_ms.min(due_ms.saturating_sub(1)),
            Cause::Event => kept.again = wish == Wish::Pause,
            Cause::Manual { .. } | Cause::Reprocess { .. } => {}
        }
        let (outcome, ended_ms) = (Ending::Cancelled, keeper.now_ms());
        kept.last = Some(LastRun { run: run.id.clone(), ended_ms, outcome, error: None });
        kept.run = None;
        let mut lane = Lane::read(keeper, organization).await?;
        lane.goes();
        lane.put(run.end_waiting(run.end(change)))
    }
}
