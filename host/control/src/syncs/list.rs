//! Lists of syncs: what is known of each without reading what it does.

use super::{KIND, Kept, LastRun, SyncState, Syncs};
use crate::access::Action;
use crate::error::Error;
use crate::filed::{Filed, Head, Page};

/// A sync in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSummary {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The connection from which rows come.
    pub source: String,
    /// The connections that change them on their way.
    pub transforms: Vec<String>,
    /// The connection to which they go.
    pub destination: String,
    /// Whether it has times of its own.
    pub has_schedule: bool,
    /// Of what it does.
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
    /// The syncs of an organization. One scan, however many there are.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn list(
        &self,
        by: &str,
        organization: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<SyncSummary>, Error> {
        // Names and states tell nothing of what a sync does.
        self.organizations.may(by, organization, Action::ReadRuns).await?;
        let heads = self.organizations.heads::<Kept>(organization, KIND, after, limit).await?;
        Ok(Page { items: heads.items.into_iter().map(summary).collect(), next: heads.next })
    }
}

fn summary(filed: Filed<Kept>) -> SyncSummary {
    let Filed { id, head, .. } = filed;
    let Head { name, revision, created_ms, changed_ms, more, .. } = head;
    let Kept { source, transforms, destination, has_schedule, state, run, due_ms, last, .. } = more;
    SyncSummary {
        id,
        name,
        source,
        transforms,
        destination,
        has_schedule,
        revision,
        created_ms,
        changed_ms,
        state,
        run,
        due_ms,
        last,
    }
}
