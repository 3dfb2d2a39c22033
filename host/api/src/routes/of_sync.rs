//! What is kept of one sync: who asks is let in, the sync is known, and its organization's records are opened.

use crate::caller::Caller;
use crate::house::House;
use crate::refusal::Refusal;
use control::{Action, Event, Outcome};
use records::{RunEntry, SealedRecords};
use std::sync::Arc;

/// A sync, and the records of its organization.
pub(super) struct OfSync {
    pub(super) organization: String,
    pub(super) sync: String,
    pub(super) records: Arc<SealedRecords>,
}

impl OfSync {
    /// For who may do all of this.
    pub(super) async fn enter(
        house: &House,
        caller: &Caller,
        (organization, sync): (String, String),
        actions: &[Action],
    ) -> Result<Self, Refusal> {
        for action in actions {
            caller.enter(house, &organization, *action).await?;
        }
        house.parts.syncs.is_known(&organization, &sync).await?;
        let records = records(house, &organization);
        Ok(Self { organization, sync, records })
    }

    /// A list of what is kept of this sync.
    pub(super) fn list(&self, of: &str) -> String {
        format!("{of} {}", self.sync)
    }

    /// A run of the sync.
    pub(super) async fn run(&self, run: u64) -> Result<RunEntry, Refusal> {
        let never = || records::Error::UnknownRun { sync: self.sync.clone(), run, newest: 0 };
        match self.records.run(&self.sync, Some(run)).await {
            Err(records::Error::UnknownSync { .. }) => Err(never().into()),
            found => Ok(found?),
        }
    }

    /// Notes an act of this caller in the audit log, and does it.
    pub(super) async fn act<T, E: Into<Refusal>>(
        &self,
        house: &House,
        event: Event,
        deed: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Refusal> {
        act(house, &self.organization, event, deed).await
    }
}

/// Notes an act in the audit log of an organization, and does it. Records lie under the organization's own key and the log does
/// not, so no one batch has both: the entry comes first, so that nothing is done of which the log does not tell. What then
/// fails is told by a second one.
pub(super) async fn act<T, E: Into<Refusal>>(
    house: &House,
    organization: &str,
    event: Event,
    deed: impl Future<Output = Result<T, E>>,
) -> Result<T, Refusal> {
    let log = house.parts.organizations.log(organization);
    house.parts.audit.append(&log, &event).await?;
    let refusal = match deed.await {
        Ok(done) => return Ok(done),
        Err(error) => error.into(),
    };
    let event = Event { outcome: Outcome::Refused, ..event };
    house.parts.audit.append(&log, &event.detail("code", &*refusal.code)).await?;
    Err(refusal)
}

/// The records of an organization.
pub(super) fn records(house: &House, organization: &str) -> Arc<SealedRecords> {
    house.parts.records.of(&house.parts.organizations.owner(organization))
}

/// Of a sync that never ran nothing is kept, and that is no fault.
pub(super) fn or_nothing<T: Default>(found: Result<T, records::Error>) -> Result<T, Refusal> {
    match found {
        Err(records::Error::UnknownSync { .. }) => Ok(T::default()),
        found => Ok(found?),
    }
}

/// The read group of a commit unit, which is called by its sync and its group.
pub(super) fn group<'a>(sync: &str, unit: &'a str) -> &'a str {
    unit.strip_prefix(sync).and_then(|rest| rest.strip_prefix('/')).unwrap_or(unit)
}

/// The commit unit of a read group.
pub(super) fn unit(sync: &str, group: &str) -> String {
    format!("{sync}/{group}")
}
