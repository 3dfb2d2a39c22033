//! A run as it is stored, and as it is told to whoever executes it.

use crate::error::Error;
use crate::keeper::encode;
use crate::live::Happened;
use crate::tables::{Key, RUNS, RUNS_TAKEN, RUNS_WAITING};
use serde::{Deserialize, Serialize};
use storage::{Change, Lease, Life, Revision};

/// Why there is a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Somebody asked for it.
    Manual {
        /// The person's id.
        by: String,
    },
    /// The sync was due.
    Schedule {
        /// When, in milliseconds since the epoch.
        due_ms: u64,
    },
    /// Something has come that it is to move.
    Event,
    /// Somebody asked for row errors to be sent through again.
    Reprocess {
        /// The person's id.
        by: String,
        /// Names which ones: that may quote rows, and so stands among the organization's own records.
        request: String,
    },
}

/// What its holder is to do with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// End it at the next commit.
    Pause,
    /// End it at once.
    Cancel,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It did what it was to do.
    Done,
    /// It did not.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

/// A run, as whoever executes it is told. Owned and serializable: that may be another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The run.
    pub run: String,
    /// Whose.
    pub organization: String,
    /// Of which sync.
    pub sync: String,
    /// Why.
    pub cause: Cause,
    /// From 1: how often it was begun by now.
    pub attempt: u32,
    /// It is not begun once more when it fails.
    pub is_last: bool,
    /// Rises with each taking of the sync's runs: whoever sees a higher one refuses a lower.
    pub fence: u64,
    /// Since when it waited, in milliseconds since the epoch.
    pub queued_ms: u64,
}

/// A run that is held. Held until it is finished, or its lease ends because nobody renewed it.
#[derive(Debug)]
pub struct Taken {
    /// What to do.
    pub order: Order,
    pub(super) lease: Lease,
    /// It was taken over, and has committed nothing since.
    pub(super) is_doubted: bool,
}

impl Taken {
    /// Whether it was taken over and has said nothing of a commit since: see [`super::Queue::has_moved`].
    #[must_use]
    pub fn is_doubted(&self) -> bool {
        self.is_doubted
    }

    /// Until when nobody else gets it, in milliseconds since the epoch.
    #[must_use]
    pub fn until_ms(&self) -> u64 {
        self.lease.until_ms()
    }
}

/// As it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RunRecord {
    pub(super) sync: String,
    pub(super) cause: Cause,
    pub(super) queued_ms: u64,
    /// While it waits: from when on it may begin.
    pub(super) ready_ms: u64,
    pub(super) attempt: u32,
    /// How many of its attempts have failed.
    #[serde(default)]
    pub(super) failed: u32,
    /// How often it was taken over since it committed something.
    pub(super) takeovers: u32,
    /// Since when it is under way, and under which fence.
    pub(super) taken: Option<(u64, u64)>,
    pub(super) wish: Option<Wish>,
}

/// A run as it was read.
pub(super) struct Run {
    pub(super) organization: String,
    pub(super) id: String,
    pub(super) record: RunRecord,
    pub(super) seen: Option<Revision>,
}

impl Run {
    /// That it waits, for those who look on.
    pub(super) fn waits(&self) -> Happened {
        let RunRecord { sync, attempt, .. } = &self.record;
        Happened::RunWaits { run: self.id.clone(), sync: sync.clone(), attempts: *attempt }
    }

    /// That somebody executes it.
    pub(super) fn began(&self) -> Happened {
        let RunRecord { sync, attempt, .. } = &self.record;
        Happened::RunBegan { run: self.id.clone(), sync: sync.clone(), attempts: *attempt }
    }

    /// That it has ended.
    pub(super) fn ended(&self, outcome: Ending) -> Happened {
        Happened::RunEnded { run: self.id.clone(), sync: self.record.sync.clone(), outcome }
    }

    /// `attempts_max`: how often it is tried.
    pub(super) fn order(&self, attempts_max: u32) -> Order {
        let RunRecord { sync, cause, queued_ms, attempt, failed, taken, .. } = self.record.clone();
        Order {
            run: self.id.clone(),
            organization: self.organization.clone(),
            sync,
            cause,
            attempt,
            is_last: failed.saturating_add(1) >= attempts_max,
            fence: taken.map_or(0, |(_, fence)| fence),
            queued_ms,
        }
    }

    /// Adds to a change that the run is as it is here now, and was as it was read.
    pub(super) fn put(&self, change: Change) -> Result<Change, Error> {
        let value = encode(RUNS, &self.record)?;
        Ok(self.expect(change).put(RUNS, self.key(), Life::Standing, value))
    }

    /// Adds to a change that there is no such run any more.
    pub(super) fn end(&self, change: Change) -> Change {
        self.expect(change).discard(RUNS, self.key())
    }

    pub(super) fn put_waiting(&self, change: Change) -> Change {
        change.put(RUNS_WAITING, self.waiting_key(), Life::Standing, Vec::new())
    }

    pub(super) fn end_waiting(&self, change: Change) -> Change {
        change.discard(RUNS_WAITING, self.waiting_key())
    }

    pub(super) fn put_taken(&self, change: Change) -> Change {
        change.put(RUNS_TAKEN, self.key(), Life::Standing, Vec::new())
    }

    pub(super) fn end_taken(&self, change: Change) -> Change {
        change.discard(RUNS_TAKEN, self.key())
    }

    fn expect(&self, change: Change) -> Change {
        change.expect(RUNS, self.key(), self.seen.as_ref())
    }

    fn key(&self) -> Key {
        Key::of(&self.organization).id(&self.id)
    }

    fn waiting_key(&self) -> Key {
        Key::of(&self.organization).number(self.record.ready_ms).id(&self.id)
    }
}
