//! Syncs: from which connection to which, what of it, and when. Made stopped.
//!
//! *Pause* and *stop* differ. A paused sync's run ends at its next commit, and what is due meanwhile is made up for when it
//! goes on. A stopped sync's run is ended at once, and what would have been due is not made up for.

mod check;
mod list;
mod looked;
mod record;
mod spec;
mod states;

pub use list::SyncSummary;
pub use looked::LookedInto;
pub use record::{LastRun, PauseCause, SyncState};
pub use spec::{SchemaChanges, SyncSpec};

pub(crate) use record::{Behind, Kept, due_key};

use crate::access::Action;
use crate::audit::{Act, Event};
use crate::connections::{self, Connections, Made};
use crate::endpoints;
use crate::error::Error;
use crate::filed::{Filed, Head, Kind, Left, Uses};
use crate::keeper::{Attempts, INSTALLATION};
use crate::live::{Happened, Live};
use crate::organizations::{Organizations, checked_name};
use crate::secret::draw_id;
use crate::tables::{ENDPOINT_SECRETS, EVENT_HEADS, EVENT_MESSAGES, EVENT_SEEN, SYNC_BODIES, SYNCS};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use storage::{Change, Table};
use tokio::sync::{Notify, watch};

pub(crate) const KIND: Kind =
    Kind { what: "sync", heads: SYNCS, bodies: SYNC_BODIES, beside: EVENTS, left: Some(Left::Sync) };
/// The head first: nothing is accepted any more when it is gone.
const EVENTS: &[Table] = &[EVENT_HEADS, EVENT_MESSAGES, EVENT_SEEN, ENDPOINT_SECRETS];

/// The syncs of every organization.
pub struct Syncs {
    pub(crate) organizations: Arc<Organizations>,
    pub(crate) connections: Arc<Connections>,
    /// A schedule is to be looked at earlier than was said.
    pub(crate) due: Notify,
    /// Something may be wished of runs that are under way.
    pub(crate) wishes: watch::Sender<u64>,
    live: Arc<Live>,
}

/// A sync, as members of its organization see it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSync {
    /// Drawn when it was made; on it positions hang.
    pub id: String,
    /// What it does.
    pub spec: SyncSpec,
    /// Of what it does, to be named when that is changed. What becomes of it meanwhile (it is started, it has run) raises
    /// none.
    pub revision: u64,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// When what it does was changed last.
    pub changed_ms: u64,
    /// Whether it runs when it is due.
    pub state: SyncState,
    /// The run that waits or is under way.
    pub run: Option<String>,
    /// When its schedule is looked at next; none: it has none, or does not run now.
    pub due_ms: Option<u64>,
    /// How its last run ended.
    pub last: Option<LastRun>,
}

impl Syncs {
    /// The syncs of these organizations.
    #[must_use]
    pub fn new(connections: Arc<Connections>) -> Self {
        let organizations = Arc::clone(&connections.organizations);
        let (due, wishes) = (Notify::new(), watch::Sender::new(0));
        Self { organizations, connections, due, wishes, live: Arc::default() }
    }

    /// What happens to syncs and their runs, for those who look on.
    #[must_use]
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Between which they move rows.
    #[must_use]
    pub fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.connections)
    }

    /// Every fault that a sync would have, without keeping anything.
    ///
    /// # Errors
    /// [`Error::BadSync`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn validate(&self, by: &str, organization: &str, spec: &SyncSpec) -> Result<(), Error> {
        self.organizations.may(by, organization, Action::ChangeSyncs).await?;
        if spec.schedule.is_some() {
            self.organizations.may(by, organization, Action::ChangeSchedules).await?;
        }
        self.check(organization, spec).await
    }

    /// Makes a sync, stopped.
    ///
    /// # Errors
    /// As [`Syncs::validate`], or when storage refuses.
    pub async fn create(&self, by: &str, organization: &str, spec: SyncSpec) -> Result<StoredSync, Error> {
        self.validate(by, organization, &spec).await?;
        let spec = SyncSpec { name: checked_name(KIND.what, &spec.name)?, ..spec };
        let id = draw_id("syn")?;
        let body = self.organizations.write_body(organization, KIND, &id, &spec).await?;
        let now_ms = self.organizations.keeper.now_ms();
        let head = Head::new(spec.name.clone(), body, now_ms, Kept::of(&spec, now_ms));
        let event = Event::done(Act::SyncCreated, by, &id);
        let mut attempts = Attempts::at(SYNCS);
        loop {
            let uses = head.more.connections().into_iter().map(|connection| (connection, Uses::More));
            let change = self.used(Change::new(INSTALLATION), organization, uses.collect()).await?;
            let change = KIND.put(change, (organization, &id), &head, None)?;
            let log = self.organizations.log(organization);
            if self.organizations.audit.try_append_with(&log, &event, change).await? {
                self.tell(organization, Happened::SyncChanged { sync: id.clone(), revision: head.revision });
                return Ok(shown(id, head, spec));
            }
            attempts.again().await?;
        }
    }

    /// A sync.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn get(&self, by: &str, organization: &str, id: &str) -> Result<StoredSync, Error> {
        self.organizations.may(by, organization, Action::ReadConfigurations).await?;
        self.read(organization, id).await
    }

    /// Changes what a sync does, if it still has this revision. A run that is under way goes on as it began.
    ///
    /// # Errors
    /// [`Error::StaleRevision`], as [`Syncs::validate`], or when storage refuses.
    pub async fn update(
        &self,
        by: &str,
        organization: &str,
        (id, revision): (&str, u64),
        spec: SyncSpec,
    ) -> Result<StoredSync, Error> {
        self.validate(by, organization, &spec).await?;
        let spec = SyncSpec { name: checked_name(KIND.what, &spec.name)?, ..spec };
        let mut attempts = Attempts::at(SYNCS);
        loop {
            let (filed, former) = self.whole(organization, id).await?;
            filed.expect(KIND, revision)?;
            let written = self.organizations.write_body(organization, KIND, id, &spec).await?;
            let now_ms = self.organizations.keeper.now_ms();
            let is_rescheduled = former.schedule != spec.schedule;
            let act = if is_rescheduled { Act::ScheduleChanged } else { Act::SyncChanged };
            let event = Event::done(act, by, id);
            let kept = filed.head.more.clone().with(&spec);
            let uses = difference(&filed.head.more, &kept);
            let change = self.used(Change::new(INSTALLATION), organization, uses).await?;
            let mut head = Head { more: kept, ..filed.head.clone() };
            head = head.changed(spec.name.clone(), written.clone(), now_ms);
            let change = match is_rescheduled {
                true => head.more.reschedule(change, (organization, id), now_ms),
                false if head.more.again => head.more.look(change, (organization, id), now_ms),
                false => change,
            };
            let entry = (&event, change);
            let is_done = self.organizations.try_refile(organization, KIND, (&filed, &head), entry).await?;
            let left = if is_done { &filed.head.body } else { &written };
            self.organizations.discard_body(organization, KIND, id, left).await?;
            if is_done {
                self.due.notify_one();
                let (sync, revision) = (id.to_owned(), head.revision);
                self.tell(organization, Happened::SyncChanged { sync, revision });
                return Ok(shown(id.to_owned(), head, spec));
            }
            attempts.again().await?;
        }
    }

    /// Deletes a sync that has no run. What is kept of its runs is for whoever keeps it, who says so afterwards:
    /// [`Organizations::forgotten`].
    ///
    /// # Errors
    /// [`Error::RunPending`], [`Error::StaleRevision`], [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn delete(
        &self,
        by: &str,
        organization: &str,
        (id, revision): (&str, u64),
    ) -> Result<(), Error> {
        self.organizations.may(by, organization, Action::ChangeSyncs).await?;
        let event = Event::done(Act::SyncDeleted, by, id);
        let mut attempts = Attempts::at(SYNCS);
        loop {
            let mut filed = self.organizations.head::<Kept>(organization, KIND, id).await?;
            filed.expect(KIND, revision)?;
            if filed.head.more.run.is_some() {
                return Err(Error::RunPending { sync: id.to_owned() });
            }
            let uses = filed.head.more.connections().into_iter();
            let uses = uses.map(|connection| (connection, Uses::Fewer)).collect();
            let change = self.used(Change::new(INSTALLATION), organization, uses).await?;
            let change = filed.head.more.set_due(change, (organization, id), None);
            let change = endpoints::retire(&self.organizations.keeper, change, (organization, id)).await?;
            if self.organizations.try_unfile(organization, KIND, &filed, (&event, change)).await? {
                self.tell(organization, Happened::SyncDeleted { sync: id.to_owned() });
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// An organization is no more: whoever holds a run of it or looks on learns so at once.
    pub fn organization_ended(&self, organization: &str) {
        self.live.end(organization);
        self.wishes.send_modify(|count| *count += 1);
    }

    /// Tells those who look on what has become true.
    pub(crate) fn tell(&self, organization: &str, what: Happened) {
        self.live.tell(organization, self.organizations.keeper.now_ms(), what);
    }

    /// That an organization has this sync; what it does is not told.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], or when storage cannot be read.
    pub async fn is_known(&self, organization: &str, id: &str) -> Result<(), Error> {
        self.organizations.head::<Kept>(organization, KIND, id).await.map(|_| ())
    }

    pub(crate) async fn whole(&self, organization: &str, id: &str) -> Result<(Filed<Kept>, SyncSpec), Error> {
        self.organizations.whole(organization, KIND, id).await
    }

    pub(crate) async fn read(&self, organization: &str, id: &str) -> Result<StoredSync, Error> {
        let (filed, spec) = self.whole(organization, id).await?;
        Ok(shown(filed.id, filed.head, spec))
    }

    /// Adds to a change that syncs come to use these connections or no more: none of them is removed meanwhile.
    async fn used(
        &self,
        mut change: Change,
        organization: &str,
        uses: BTreeMap<String, Uses>,
    ) -> Result<Change, Error> {
        for (id, uses) in uses {
            let stands_on = self.organizations.head::<Made>(organization, connections::KIND, &id).await?;
            let head = stands_on.head.clone().used(uses);
            change = connections::KIND.put(change, (organization, &id), &head, Some(&stands_on.seen))?;
        }
        Ok(change)
    }
}

fn difference(before: &Kept, after: &Kept) -> BTreeMap<String, Uses> {
    let (before, after): (BTreeSet<String>, BTreeSet<String>) = (before.connections(), after.connections());
    let fewer = before.difference(&after).map(|id| (id.clone(), Uses::Fewer));
    fewer.chain(after.difference(&before).map(|id| (id.clone(), Uses::More))).collect()
}

fn shown(id: String, head: Head<Kept>, spec: SyncSpec) -> StoredSync {
    let Head { revision, created_ms, changed_ms, more, .. } = head;
    let Kept { state, run, due_ms, last, .. } = more;
    StoredSync { id, spec, revision, created_ms, changed_ms, state, run, due_ms, last }
}
