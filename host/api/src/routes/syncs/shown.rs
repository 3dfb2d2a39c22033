//! Syncs as they are shown.

use super::super::words;
use super::written::WrittenSync;
use control::{Ending, LastRun, PauseCause, StoredSync, SyncState, SyncSummary};
use serde::Serialize;
use utoipa::ToSchema;

/// A sync.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownSync {
    id: String,
    /// What it does: what its `ETag` names.
    does: WrittenSync,
    created_ms: u64,
    /// When what it does was changed last.
    changed_ms: u64,
    #[serde(flatten)]
    now: Now,
}

/// A sync in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListedSync {
    id: String,
    name: String,
    /// The connection from which rows come.
    source: String,
    /// The connections that change them on their way.
    transforms: Vec<String>,
    /// The connection to which they go.
    destination: String,
    has_schedule: bool,
    created_ms: u64,
    /// When what it does was changed last.
    changed_ms: u64,
    #[serde(flatten)]
    now: Now,
}

/// How a sync is now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SyncNow)]
struct Now {
    state: SyncWord,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::pause_cause)]
    pause_cause: Option<PauseCause>,
    /// The run that waits or is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// When its schedule is looked at next.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Last>,
}

/// Whether a sync runs when it is due. What is due while it is paused is made up for; what is due while it is stopped is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncState)]
pub(crate) enum SyncWord {
    Stopped,
    Running,
    Paused,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunOutcome)]
pub(crate) enum Outcome {
    Done,
    Failed,
    Cancelled,
}

/// How a sync's last run ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LastRun)]
struct Last {
    run: String,
    ended_ms: u64,
    outcome: Outcome,
    /// The code of its error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl ShownSync {
    pub(super) fn of(sync: StoredSync) -> Self {
        let StoredSync { id, spec, created_ms, changed_ms, state, run, due_ms, last, .. } = sync;
        Self { id, does: spec.into(), created_ms, changed_ms, now: Now::of(&state, run, due_ms, last) }
    }
}

impl ListedSync {
    pub(super) fn of(sync: SyncSummary) -> Self {
        let SyncSummary { id, name, source, transforms, destination, has_schedule, .. } = sync;
        let SyncSummary { created_ms, changed_ms, state, run, due_ms, last, .. } = sync;
        let now = Now::of(&state, run, due_ms, last);
        Self { id, name, source, transforms, destination, has_schedule, created_ms, changed_ms, now }
    }
}

impl Now {
    fn of(state: &SyncState, run: Option<String>, due_ms: Option<u64>, last: Option<LastRun>) -> Self {
        let (state, pause_cause) = SyncWord::of(state);
        Self { state, pause_cause, run, due_ms, last: last.map(Last::of) }
    }
}

impl SyncWord {
    pub(crate) fn of(state: &SyncState) -> (Self, Option<PauseCause>) {
        match state {
            SyncState::Stopped => (Self::Stopped, None),
            SyncState::Running => (Self::Running, None),
            SyncState::Paused(cause) => (Self::Paused, Some(cause.clone())),
        }
    }
}

impl Last {
    fn of(last: LastRun) -> Self {
        let LastRun { run, ended_ms, outcome, error } = last;
        Self { run, ended_ms, outcome: outcome.into(), error }
    }
}

impl From<Ending> for Outcome {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::Done,
            Ending::Failed => Self::Failed,
            Ending::Cancelled => Self::Cancelled,
        }
    }
}
