//! What the installation keeps of a sync beside its body: whether it runs when it is due, which run it has, and up to where
//! its schedule is settled.

use super::SyncSpec;
use crate::tables::{Key, SYNCS_DUE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use storage::{Change, Life};

/// Whether a sync runs when it is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// It does not, and what would have been due is not made up for.
    Stopped,
    /// It does.
    Running,
    /// It does not, and what is due meanwhile is made up for as its schedule says.
    Paused(PauseCause),
}

/// Why a sync is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// Somebody wished it.
    Wished,
    /// The source's schema has changed, or has lost a key or a cursor.
    SchemaChanged,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The run.
    pub run: String,
    /// When, in milliseconds since the epoch.
    pub ended_ms: u64,
    /// In which words.
    pub outcome: crate::queue::Ending,
    /// The code of its error.
    pub error: Option<String>,
}

/// That runs, one after the other, have left messages where they wait.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Behind {
    /// How many runs.
    pub(crate) runs: u32,
    /// When the next one comes for them.
    pub(crate) next_ms: u64,
}

/// What a head has beside the common parts. Everything that begins or ends a run writes it, so no sync has two.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) source: String,
    pub(crate) transforms: Vec<String>,
    pub(crate) destination: String,
    pub(crate) has_schedule: bool,
    pub(crate) state: SyncState,
    /// Up to where the schedule is settled.
    pub(crate) settled_ms: u64,
    /// Where it stands in the index of what is due.
    pub(crate) due_ms: Option<u64>,
    pub(crate) run: Option<String>,
    /// Whether something has happened since the run began that wants another one.
    pub(crate) again: bool,
    #[serde(default)]
    pub(crate) behind: Option<Behind>,
    pub(crate) last: Option<LastRun>,
}

/// Where a sync stands in the index of what is due.
pub(crate) fn due_key(due_ms: u64, organization: &str, sync: &str) -> Key {
    Key::default().number(due_ms).id(organization).id(sync)
}

impl Kept {
    pub(crate) fn of(spec: &SyncSpec, now_ms: u64) -> Self {
        Self {
            source: spec.source.clone(),
            transforms: spec.transforms.clone(),
            destination: spec.destination.clone(),
            has_schedule: spec.schedule.is_some(),
            state: SyncState::Stopped,
            settled_ms: now_ms,
            due_ms: None,
            run: None,
            again: false,
            behind: None,
            last: None,
        }
    }

    /// What was left is come for at once: what was in the way may be what was changed.
    pub(crate) fn with(self, spec: &SyncSpec) -> Self {
        let Self { settled_ms, state, due_ms, run, again, last, .. } = self;
        Self { state, due_ms, run, again, last, ..Self::of(spec, settled_ms) }
    }

    pub(crate) fn connections(&self) -> BTreeSet<String> {
        [&self.source, &self.destination].into_iter().chain(&self.transforms).cloned().collect()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state == SyncState::Running
    }

    /// From when on it may run for messages.
    pub(crate) fn event_ms(&self, now_ms: u64) -> u64 {
        self.behind.map_or(now_ms, |behind| behind.next_ms.max(now_ms))
    }

    /// Moves it in the index of what is due.
    pub(crate) fn set_due(&mut self, change: Change, (of, id): (&str, &str), due_ms: Option<u64>) -> Change {
        let former = std::mem::replace(&mut self.due_ms, due_ms).filter(|former| Some(*former) != due_ms);
        let change = match former {
            Some(former) => change.discard(SYNCS_DUE, due_key(former, of, id)),
            None => change,
        };
        match due_ms {
            Some(due_ms) => change.put(SYNCS_DUE, due_key(due_ms, of, id), Life::Standing, Vec::new()),
            None => change,
        }
    }

    /// Lets the schedule be looked at now, if there is anything to look at, and what runs have left when it is time.
    pub(crate) fn look(&mut self, change: Change, at: (&str, &str), now_ms: u64) -> Change {
        let is_free = self.is_running() && self.run.is_none();
        let due_ms = match (self.has_schedule, self.again) {
            (true, _) => Some(now_ms),
            (false, true) => Some(self.event_ms(now_ms)),
            (false, false) => None,
        };
        self.set_due(change, at, due_ms.filter(|_| is_free))
    }

    /// A schedule that was changed begins now: what the former one missed is not made up for by the new one.
    pub(crate) fn reschedule(&mut self, change: Change, at: (&str, &str), now_ms: u64) -> Change {
        self.settled_ms = now_ms;
        self.look(change, at, now_ms)
    }
}
