//! What waits and what is under way, as members of an organization see it.

use super::Queue;
use super::record::{Cause, Run, RunRecord, Wish};
use crate::access::Action;
use crate::error::Error;
use crate::keeper::{INSTALLATION, SCAN_RECORDS, decode};
use crate::tables::{Key, RUNS};
use storage::Range;

/// A run that waits or is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveRun {
    /// The run.
    pub run: String,
    /// Of which sync.
    pub sync: String,
    /// Why.
    pub cause: Cause,
    /// Since when it waited, in milliseconds since the epoch.
    pub queued_ms: u64,
    /// How often it was begun by now.
    pub attempts: u32,
    /// How far it is.
    pub state: ActiveState,
    /// What is wished of it.
    pub wish: Option<Wish>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActiveState {
    /// It waits.
    Waiting {
        /// From when on it may begin.
        ready_ms: u64,
    },
    /// It is under way.
    Running {
        /// Since when.
        since_ms: u64,
    },
}

impl Queue {
    /// The runs of an organization that wait or are under way, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn list(&self, by: &str, organization: &str) -> Result<Vec<ActiveRun>, Error> {
        self.organizations().may(by, organization, Action::ReadRuns).await?;
        let (prefix, mut after, mut runs) = (Key::of(organization), None::<Vec<u8>>, Vec::new());
        loop {
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.organizations().keeper.page(INSTALLATION, RUNS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(runs) };
            after = Some(last.clone());
            for (key, found) in page {
                let id = Key::read_id(key.get(prefix.len()..).unwrap_or_default());
                let record = decode(RUNS, found.value.expose())?;
                let run = Run { organization: organization.to_owned(), id, record, seen: None };
                runs.push(shown(run));
            }
        }
    }
}

fn shown(run: Run) -> ActiveRun {
    let RunRecord { sync, cause, queued_ms, ready_ms, attempt, taken, wish, .. } = run.record;
    let state = match taken {
        Some((since_ms, _)) => ActiveState::Running { since_ms },
        None => ActiveState::Waiting { ready_ms },
    };
    ActiveRun { run: run.id, sync, cause, queued_ms, attempts: attempt, state, wish }
}
