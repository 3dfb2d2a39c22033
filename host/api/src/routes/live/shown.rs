//! Events as they are told. Has no texts but ids and words of ours.

use crate::routes::syncs::{Outcome, SyncWord};
use axum::response::sse::Event;
use control::{Happened, Heard, LiveEvent, RunCounts};
use serde::Serialize;
use utoipa::ToSchema;

/// Something that happened. Its kind stands in `event` too.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiveEvent)]
pub(crate) struct ShownEvent {
    kind: Kind,
    /// When; not of `here` and `missed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// Of `sync_state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<SyncWord>,
    /// Of `run_waits` and `run_began`: how often the run was begun by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    /// Of `run_progress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
    /// Of `run_ended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
}

/// What happened. `missed`: something that is told no more.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LiveEventKind)]
enum Kind {
    #[default]
    Here,
    Missed,
    SyncChanged,
    SyncState,
    SyncDeleted,
    RunWaits,
    RunBegan,
    RunProgress,
    RunEnded,
}

/// Rows of a run by now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunCounts)]
struct Counts {
    read: u64,
    accepted: u64,
    rejected: u64,
    filtered: u64,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Missed => "missed",
            Self::SyncChanged => "sync_changed",
            Self::SyncState => "sync_state",
            Self::SyncDeleted => "sync_deleted",
            Self::RunWaits => "run_waits",
            Self::RunBegan => "run_began",
            Self::RunProgress => "run_progress",
            Self::RunEnded => "run_ended",
        }
    }
}

impl ShownEvent {
    fn plain(kind: Kind) -> Self {
        let (sync, run, state, attempts) = (None, None, None, None);
        Self { kind, at_ms: None, sync, run, state, attempts, counts: None, outcome: None }
    }

    fn of_sync(kind: Kind, sync: String) -> Self {
        Self { sync: Some(sync), ..Self::plain(kind) }
    }

    fn of_run(kind: Kind, run: String, sync: String) -> Self {
        Self { run: Some(run), ..Self::of_sync(kind, sync) }
    }

    fn of(LiveEvent { at_ms, what }: LiveEvent) -> Self {
        let shown = match what {
            Happened::SyncChanged { sync, .. } => Self::of_sync(Kind::SyncChanged, sync),
            Happened::SyncDeleted { sync } => Self::of_sync(Kind::SyncDeleted, sync),
            Happened::SyncState { sync, state } => {
                Self { state: Some(SyncWord::of(&state).0), ..Self::of_sync(Kind::SyncState, sync) }
            }
            Happened::RunWaits { run, sync, attempts } => {
                Self { attempts: Some(attempts), ..Self::of_run(Kind::RunWaits, run, sync) }
            }
            Happened::RunBegan { run, sync, attempts } => {
                Self { attempts: Some(attempts), ..Self::of_run(Kind::RunBegan, run, sync) }
            }
            Happened::RunProgress { run, sync, counts } => {
                Self { counts: Some(counts.into()), ..Self::of_run(Kind::RunProgress, run, sync) }
            }
            Happened::RunEnded { run, sync, outcome } => {
                Self { outcome: Some(outcome.into()), ..Self::of_run(Kind::RunEnded, run, sync) }
            }
        };
        Self { at_ms: Some(at_ms), ..shown }
    }
}

impl From<RunCounts> for Counts {
    fn from(counts: RunCounts) -> Self {
        let RunCounts { read, accepted, rejected, filtered } = counts;
        Self { read, accepted, rejected, filtered }
    }
}

/// What was heard, as it is told.
pub(super) fn event((id, heard): (String, Heard)) -> Event {
    let shown = match heard {
        Heard::Here => ShownEvent::plain(Kind::Here),
        Heard::Missed => ShownEvent::plain(Kind::Missed),
        Heard::Event(event) => ShownEvent::of(event),
    };
    let data = serde_json::to_string(&shown).unwrap_or_default();
    Event::default().id(id).event(shown.kind.name()).data(data)
}
