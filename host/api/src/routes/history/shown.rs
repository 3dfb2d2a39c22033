//! Runs as they are shown.

use pipeline::connector::Usage;
use pipeline::records::{Counters, Purpose};
use pipeline::report::{Delivery, Outcome, RunReport, StreamReport};
use records::{GroupEnd, LogLine, LogPage, RunEnd, RunEntry, TakenBack};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What became of rows of a source.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ShownCounters {
    read: u64,
    accepted: u64,
    rejected: u64,
    filtered: u64,
}

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownRunLine {
    /// Counts the runs of the sync, from 1.
    run: u64,
    /// `sync` or `reprocess`.
    #[schema(schema_with = purpose)]
    purpose: Purpose,
    /// The run whose row errors it sent through again.
    #[serde(skip_serializing_if = "Option::is_none")]
    reprocesses: Option<u64>,
    /// The run of the queue that it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    started_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// None: it goes on, or its process ended before it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = outcome)]
    outcome: Option<Outcome>,
    /// The code of its error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Of all its streams.
    rows: ShownCounters,
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownRun {
    #[serde(flatten)]
    line: ShownRunLine,
    groups: Vec<ShownGroup>,
    /// By source stream.
    streams: BTreeMap<String, ShownStream>,
    /// Rows that the destination took, by output stream.
    written: BTreeMap<String, u64>,
    /// Commits of earlier runs that were made true, by source stream.
    recovered: BTreeMap<String, ShownCounters>,
    /// What each connector used of its limits: `source`, `transform 0`, `destination`.
    budgets: BTreeMap<String, Vec<ShownUsage>>,
    /// What was taken back from it while it went on.
    taken_back: Vec<ShownTaking>,
    notes: Vec<String>,
}

/// What one read group did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownGroup {
    group: String,
    streams: Vec<String>,
    #[schema(schema_with = outcome)]
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    attempts: u32,
    commits: u64,
    /// Whether a crash can make rows come twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = delivery)]
    delivery: Option<Delivery>,
}

/// What became of the rows of a stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownStream {
    rows: ShownCounters,
    bytes: u64,
    /// Rejected rows by their code.
    rejected_by_code: BTreeMap<String, u64>,
}

/// One limit, and how much of it was used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownUsage {
    limit: String,
    used: u64,
    allowed: u64,
}

/// Something that was taken back from a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownTaking {
    at_ms: u64,
    by: String,
    connection: String,
    /// What it was, and what came of it.
    text: String,
    /// The code with which the run was ended for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// The texts of a run, which may quote rows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownReport {
    /// None: it has expired, or the run gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    report: Option<RunReport>,
    /// Requests of connectors by host and end. None: they have expired, or there were none.
    #[schema(value_type = Vec<Object>)]
    ledger: Vec<Value>,
}

/// Lines of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownLog {
    items: Vec<ShownLogLine>,
    /// How many were said beyond what is kept, between these.
    dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownLogLine {
    at_ms: u64,
    /// Who said it.
    connector: String,
    #[schema(schema_with = level)]
    level: records::LogLevel,
    text: String,
}

fn purpose() -> utoipa::openapi::schema::Object {
    super::super::words::one_of(&[Purpose::Sync, Purpose::Reprocess])
}

fn outcome() -> utoipa::openapi::schema::Object {
    super::super::words::one_of(&[Outcome::Completed, Outcome::Cancelled, Outcome::Failed])
}

fn delivery() -> utoipa::openapi::schema::Object {
    super::super::words::one_of(&[Delivery::ExactlyOnce, Delivery::AtLeastOnce])
}

fn level() -> utoipa::openapi::schema::Object {
    use records::LogLevel::{Critical, Debug, Error, Info, Trace, Warn};
    super::super::words::one_of(&[Trace, Debug, Info, Warn, Error, Critical])
}

impl From<Counters> for ShownCounters {
    fn from(counters: Counters) -> Self {
        let Counters { read, accepted, rejected, filtered } = counters;
        Self { read, accepted, rejected, filtered }
    }
}

impl ShownRunLine {
    pub(super) fn of(entry: &RunEntry) -> Self {
        let end = entry.end.as_ref();
        let mut total = Counters::default();
        for stream in end.iter().flat_map(|end| end.streams.values()) {
            total.add(stream.counters);
        }
        // What connectors make of what was taken from them is its consequence.
        let revoked = entry.taken_back.iter().find_map(|taken| taken.code.clone());
        Self {
            run: entry.run,
            purpose: entry.purpose,
            reprocesses: entry.reprocesses,
            order: entry.order.clone(),
            started_ms: entry.started_ms,
            duration_ms: end.map(|end| end.duration_ms),
            outcome: end.map(|end| end.outcome),
            error: revoked.or_else(|| end.and_then(|end| end.error.clone())),
            rows: total.into(),
        }
    }
}

impl ShownRun {
    pub(super) fn of(entry: RunEntry) -> Self {
        let line = ShownRunLine::of(&entry);
        let taken_back = entry.taken_back.into_iter().map(ShownTaking::from).collect();
        let run = Self {
            line,
            groups: Vec::new(),
            streams: BTreeMap::new(),
            written: BTreeMap::new(),
            recovered: BTreeMap::new(),
            budgets: BTreeMap::new(),
            taken_back,
            notes: entry.notes,
        };
        match entry.end {
            Some(end) => run.ended(end),
            None => run,
        }
    }

    fn ended(self, end: RunEnd) -> Self {
        let RunEnd { groups, streams, written, recovered, budgets, .. } = end;
        let usage = |Usage { limit, used, allowed }| ShownUsage { limit, used, allowed };
        let budgets = budgets.into_iter().map(|(name, all)| (name, all.into_iter().map(usage).collect()));
        Self {
            groups: groups.into_iter().map(ShownGroup::from).collect(),
            streams: streams.into_iter().map(|(name, stream)| (name, stream.into())).collect(),
            written,
            recovered: recovered.into_iter().map(|(name, counters)| (name, counters.into())).collect(),
            budgets: budgets.collect(),
            ..self
        }
    }
}

impl From<GroupEnd> for ShownGroup {
    fn from(end: GroupEnd) -> Self {
        let GroupEnd { group, streams, outcome, error, attempts, commits, delivery, .. } = end;
        Self { group, streams, outcome, error, attempts, commits, delivery }
    }
}

impl From<StreamReport> for ShownStream {
    fn from(report: StreamReport) -> Self {
        let StreamReport { counters, bytes, reject_codes } = report;
        Self { rows: counters.into(), bytes, rejected_by_code: reject_codes }
    }
}

impl From<TakenBack> for ShownTaking {
    fn from(taken: TakenBack) -> Self {
        let TakenBack { at_ms, by, connection, text, code } = taken;
        Self { at_ms, by, connection, text, code }
    }
}

impl ShownReport {
    pub(super) fn of(mut report: Option<RunReport>, ledger: Option<Vec<Value>>) -> Self {
        // Those are told to who may see positions.
        report.iter_mut().flat_map(|report| &mut report.groups).for_each(|group| group.position = None);
        Self { report, ledger: ledger.unwrap_or_default() }
    }
}

impl ShownLog {
    pub(super) fn of(page: LogPage, next: Option<String>) -> Self {
        let shown =
            |LogLine { at_ms, connector, level, text }| ShownLogLine { at_ms, connector, level, text };
        Self { items: page.lines.into_iter().map(shown).collect(), dropped: page.dropped, next }
    }
}
