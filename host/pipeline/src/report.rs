//! What a run says of itself at its end.

use crate::connector::Budget;
use crate::error::Error;
use crate::records::{Counters, Position, Purpose, RunTicket};
use crate::secrets::SecretFound;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a run, or the part of it that is one read group, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All has been read and is durable.
    Completed,
    /// It was asked to stop; what it says of where it resumes is true.
    Cancelled,
    /// It failed; what was committed before stays.
    Failed,
}

/// Whether a crash can make rows come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// It cannot: the destination knows which commits took effect.
    ExactlyOnce,
    /// It can: the rows of a commit that a crash or an error cuts off are written again.
    AtLeastOnce,
}

/// An error of a run, with its code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The stable code.
    pub code: String,
    /// The message.
    pub message: String,
    /// All that is known.
    pub error: Error,
    /// The attempt in which it happened, from 1; none where it is not of one attempt.
    pub attempt: Option<u32>,
}

impl ErrorReport {
    pub(crate) fn new(error: Error, attempt: Option<u32>) -> Self {
        Self { code: error.code().into(), message: error.to_string(), error, attempt }
    }
}

/// What became of the rows of one source stream in this run. Only what was committed is counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamReport {
    /// Rows.
    pub counters: Counters,
    /// Bytes of the batches in which they came.
    pub bytes: u64,
    /// Rejected rows by their code; codes beyond the first 64 are counted under `…`.
    pub reject_codes: BTreeMap<String, u64>,
}

/// What one read group did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupReport {
    /// The read group.
    pub group: String,
    /// The commit unit: the name under which the destination and the records know it.
    pub unit: String,
    /// Its chosen streams.
    pub streams: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The error that ended it.
    pub error: Option<ErrorReport>,
    /// Errors after which it was tried again, the last 16 of them.
    pub retried: Vec<ErrorReport>,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it committed.
    pub commits: u64,
    /// Where it stands: the next run resumes here. None where that could not be learned.
    pub position: Option<Position>,
    /// Whether a crash can make rows come twice; none where the destination was never opened.
    pub delivery: Option<Delivery>,
    /// What the destination does to fields: dropped or narrowed ones.
    pub notes: Vec<String>,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The sync.
    pub sync: String,
    /// The run; 0 where it could not begin.
    pub run: u64,
    /// What it was for.
    #[serde(default)]
    pub purpose: Purpose,
    /// How it ended: failed if any of its groups failed.
    pub outcome: Outcome,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The error of the run as a whole, or the first of its groups.
    pub error: Option<ErrorReport>,
    /// Its read groups, by name.
    pub groups: Vec<GroupReport>,
    /// What became of source rows, by source stream.
    pub streams: BTreeMap<String, StreamReport>,
    /// Output rows that the destination took, by output stream.
    pub written: BTreeMap<String, u64>,
    /// Commits of earlier runs that had taken effect at the destination and were made true in the records now.
    pub recovered: BTreeMap<String, Counters>,
    /// What each connector used of its limits: `source`, `transform 0`, …, `destination`.
    pub budgets: BTreeMap<String, Budget>,
    /// Secrets that came back and were blanked, rejected or refused.
    #[serde(default)]
    pub secrets: Vec<SecretFound>,
}

impl RunReport {
    pub(crate) fn empty(sync: String, started_ms: u64) -> Self {
        Self {
            sync,
            run: 0,
            purpose: Purpose::Sync,
            outcome: Outcome::Completed,
            started_ms,
            duration_ms: 0,
            error: None,
            groups: Vec::new(),
            streams: BTreeMap::new(),
            written: BTreeMap::new(),
            recovered: BTreeMap::new(),
            budgets: BTreeMap::new(),
            secrets: Vec::new(),
        }
    }

    /// Of a run that has its number and went no further.
    pub fn not_begun(ticket: &RunTicket, started_ms: u64, error: Error) -> Self {
        let error = Some(ErrorReport::new(error, None));
        Self {
            run: ticket.run,
            outcome: Outcome::Failed,
            error,
            ..Self::empty(ticket.sync.clone(), started_ms)
        }
    }

    /// The counters of all streams together.
    pub fn total(&self) -> Counters {
        let mut total = Counters::default();
        for stream in self.streams.values() {
            total.add(stream.counters);
        }
        total
    }
}
