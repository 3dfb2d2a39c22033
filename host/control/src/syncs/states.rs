//! Starts, pauses and stops syncs, and what becomes of their run by that.

use super::{KIND, Kept, PauseCause, StoredSync, SyncState, Syncs};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::filed::Head;
use crate::keeper::{Attempts, INSTALLATION};
use crate::live::Happened;
use crate::queue::{Ending, Wish};
use crate::tables::{EVENT_MESSAGES, Key, SYNCS};
use storage::{Change, Range};

impl Syncs {
    /// Lets a sync run when it is due. One that was stopped begins now; one that was paused makes up for what was due. Messages
    /// that wait at its event endpoint are moved in any case.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn start(&self, by: &str, organization: &str, id: &str) -> Result<StoredSync, Error> {
        self.organizations.may(by, organization, Action::StartRuns).await?;
        let event = Event::done(Act::SyncStarted, by, id);
        self.set_state(organization, id, &SyncState::Running, &event).await
    }

    /// Pauses a sync: its run ends at its next commit.
    ///
    /// # Errors
    /// As [`Syncs::start`].
    pub async fn pause(&self, by: &str, organization: &str, id: &str) -> Result<StoredSync, Error> {
        self.organizations.may(by, organization, Action::StartRuns).await?;
        let event = Event::done(Act::SyncPaused, by, id);
        self.set_state(organization, id, &SyncState::Paused(PauseCause::Wished), &event).await
    }

    /// Pauses a sync because of what its run has found; one that is stopped stays so. For whoever runs it.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], or when storage refuses.
    pub async fn pause_for(
        &self,
        organization: &str,
        id: &str,
        cause: PauseCause,
    ) -> Result<StoredSync, Error> {
        let filed = self.organizations.head::<Kept>(organization, KIND, id).await?;
        if filed.head.more.state == SyncState::Stopped {
            return self.read(organization, id).await;
        }
        let event = Event::done(Act::SyncPaused, "system", id);
        self.set_state(organization, id, &SyncState::Paused(cause), &event).await
    }

    /// Stops a sync: its run is ended at once.
    ///
    /// # Errors
    /// As [`Syncs::start`].
    pub async fn stop(&self, by: &str, organization: &str, id: &str) -> Result<StoredSync, Error> {
        self.organizations.may(by, organization, Action::StartRuns).await?;
        let event = Event::done(Act::SyncStopped, by, id);
        self.set_state(organization, id, &SyncState::Stopped, &event).await
    }

    async fn set_state(
        &self,
        organization: &str,
        id: &str,
        state: &SyncState,
        event: &Event,
    ) -> Result<StoredSync, Error> {
        let mut attempts = Attempts::at(SYNCS);
        loop {
            let filed = self.organizations.head::<Kept>(organization, KIND, id).await?;
            if filed.head.more.state == *state {
                return self.read(organization, id).await;
            }
            let mut kept = filed.head.more.clone();
            let run = kept.run.clone();
            let now_ms = self.organizations.keeper.now_ms();
            if kept.state == SyncState::Stopped {
                kept.settled_ms = now_ms;
            }
            kept.state = state.clone();
            let mut change = Change::new(INSTALLATION);
            let wish = match state {
                SyncState::Running => None,
                SyncState::Paused(_) => Some(Wish::Pause),
                SyncState::Stopped => Some(Wish::Cancel),
            };
            kept.behind = None;
            match state {
                SyncState::Running => kept.again |= self.has_messages(organization, id).await?,
                SyncState::Paused(_) => {}
                SyncState::Stopped => kept.again = false,
            }
            if let Some(wish) = wish {
                change = self.wish(change, organization, &mut kept, wish).await?;
            }
            change = kept.look(change, (organization, id), now_ms);
            let ended = run.filter(|_| kept.run.is_none());
            let head = Head { more: kept, ..filed.head.clone() };
            let entry = (event, change);
            if self.organizations.try_refile(organization, KIND, (&filed, &head), entry).await? {
                self.due.notify_one();
                self.wishes.send_modify(|count| *count += 1);
                self.tell_state(organization, id, (state, ended));
                return self.read(organization, id).await;
            }
            attempts.again().await?;
        }
    }

    /// Whether something waits at its event endpoint, whoever was to come for it. One that comes meanwhile asks for a run itself.
    pub(crate) async fn has_messages(&self, organization: &str, id: &str) -> Result<bool, Error> {
        let (owner, prefix) = (self.organizations.owner(organization), Key::of(id));
        let first = Range { prefix: &prefix, after: None, limit: 1 };
        Ok(!self.organizations.keeper.page(&owner, EVENT_MESSAGES, first).await?.is_empty())
    }

    /// The run that waited went with it.
    fn tell_state(&self, organization: &str, id: &str, (state, ended): (&SyncState, Option<String>)) {
        let sync = || id.to_owned();
        if let Some(run) = ended {
            let what = Happened::RunEnded { run, sync: sync(), outcome: Ending::Cancelled };
            self.tell(organization, what);
        }
        self.tell(organization, Happened::SyncState { sync: sync(), state: state.clone() });
    }
}
