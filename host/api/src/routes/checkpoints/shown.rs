//! Positions as they are shown and sent.

use crate::routes::history::shown::ShownCounters;
use crate::routes::of_sync::group;
use records::{PositionChange, PositionChangeKind, UnitPosition};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Longer ones are left out of lists: a page of them may be hundreds of megabytes.
const SHORT_BYTES_MAX: usize = 4 << 10;

/// Where a read group stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownPosition {
    group: String,
    /// As its source has written it: one JSON value. None: at the beginning, or at its end where it is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    /// How long the position is, where it is left out of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    position_bytes: Option<usize>,
    /// Whether it was read to its end.
    complete: bool,
    /// How often it committed, in all runs.
    commits: u64,
    /// The run that made the last commit; 0 before the first.
    run: u64,
    /// Source rows of all runs, by source stream.
    streams: BTreeMap<String, ShownCounters>,
    /// Output rows of all runs, by output stream.
    written: BTreeMap<String, u64>,
    /// The run that made a commit of which it is not known yet whether it took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_doubt: Option<u64>,
}

/// Where a read group is to go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PositionEdit {
    /// One JSON value, as its source writes them.
    pub(super) position: String,
    /// The id of the sync, once more: it is not undone.
    pub(super) confirm: String,
}

/// Which positions are forgotten: that of one read group, that of the read group of one stream, or all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PositionReset {
    #[serde(default)]
    pub(super) group: Option<String>,
    #[serde(default)]
    pub(super) stream: Option<String>,
    #[serde(default)]
    pub(super) all: bool,
    /// The id of the sync, once more: it is not undone.
    pub(super) confirm: String,
}

/// Positions that were forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WasReset {
    /// Their read groups.
    pub(super) reset: Vec<String>,
}

/// What somebody did to a position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownChange {
    at_ms: u64,
    group: String,
    #[schema(schema_with = kind)]
    kind: PositionChangeKind,
}

fn kind() -> utoipa::openapi::schema::Object {
    crate::routes::words::one_of(&[PositionChangeKind::Edited, PositionChangeKind::Reset])
}

impl ShownPosition {
    pub(super) fn of(sync: &str, known: UnitPosition) -> Self {
        let UnitPosition { unit, position, commits, run, streams, written, in_doubt } = known;
        Self {
            group: group(sync, &unit).to_owned(),
            position: position.checkpoint,
            position_bytes: None,
            complete: position.complete,
            commits,
            run,
            streams: streams.into_iter().map(|(name, counters)| (name, counters.into())).collect(),
            written,
            in_doubt,
        }
    }

    /// For a list.
    pub(super) fn short(self) -> Self {
        match self.position.as_ref().map(String::len) {
            Some(bytes) if bytes > SHORT_BYTES_MAX => {
                Self { position: None, position_bytes: Some(bytes), ..self }
            }
            _ => self,
        }
    }
}

impl ShownChange {
    pub(super) fn of(sync: &str, change: PositionChange) -> Self {
        let PositionChange { at_ms, unit, kind } = change;
        Self { at_ms, group: group(sync, &unit).to_owned(), kind }
    }
}
