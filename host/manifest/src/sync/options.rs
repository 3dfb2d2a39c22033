//! What becomes of rejected rows, and how the run goes.

use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use crate::amount::{bytes, milliseconds};
use crate::fault::Code;
use crate::reader::Node;

/// What becomes of a rejected row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectPolicy {
    /// The run fails at the first.
    Fail,
    /// It is counted and dropped.
    Skip,
    /// It is kept with its source row.
    #[default]
    Quarantine,
}

const POLICIES: [(&str, RejectPolicy); 3] =
    [("fail", RejectPolicy::Fail), ("skip", RejectPolicy::Skip), ("quarantine", RejectPolicy::Quarantine)];

/// What is kept of a rejected row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowData {
    /// No value of it: its code, the names of its fields, its place and a keyed hash of its key. What a connector says of
    /// it is dropped, as that may quote it; such a row cannot be reprocessed.
    Off,
    /// The row, which never leaves the machine that runs the sync. The same as `stored` as long as no sync runs elsewhere.
    Local,
    /// The row, sealed with everything else.
    #[default]
    Stored,
}

const ROW_DATA: [(&str, RowData); 3] =
    [("off", RowData::Off), ("local", RowData::Local), ("stored", RowData::Stored)];

/// What becomes of rejected rows, and how many are borne.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rejects {
    /// What becomes of each.
    pub policy: RejectPolicy,
    /// What is kept of each.
    #[serde(default)]
    pub row_data: RowData,
    /// The run fails when there are more.
    pub max_count: Option<u64>,
    /// The run fails when they are a larger part of the rows read, from 0 to 1.
    pub max_rate: Option<f64>,
}

/// How a run goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// How many read groups are read at one time.
    pub parallel_groups: u32,
    /// How often a read group is tried, the first time included.
    pub attempts: u32,
    /// A commit is due after this much.
    pub commit_bytes: u64,
    /// A commit is due after this time.
    pub commit_every_ms: u64,
}

/// The contract's bound: the host keeps source rows until their commit.
pub(super) const COMMIT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Waiting rows are kept in memory several times over (as they came, as they go): with four times as much a long run took
/// 244 MiB at its peak and was no faster.
const COMMIT_BYTES: u64 = 16 << 20;

/// The contract's bound.
pub(super) const COMMIT_EVERY_MS_MAX: u64 = 60_000;

/// Each group has an instance at both ends; more than this needs another machine.
pub(super) const PARALLEL_GROUPS_MAX: u64 = 64;

/// With backoff in between, this many attempts already last for hours.
pub(super) const ATTEMPTS_MAX: u64 = 100;

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            parallel_groups: 2,
            attempts: 5,
            commit_bytes: COMMIT_BYTES,
            commit_every_ms: COMMIT_EVERY_MS_MAX,
        }
    }
}

/// The `rejects` of a sync.
pub(super) fn read_rejects(node: &Node<'_>) -> Option<Rejects> {
    let table = node.table(&["policy", "row_data", "max_count", "max_rate"])?;
    let policy = table.optional("policy", |policy| policy.choice(&POLICIES));
    let row_data = table.optional("row_data", |row_data| row_data.choice(&ROW_DATA));
    let max_count = table.optional("max_count", Node::unsigned);
    let max_rate = table.optional("max_rate", read_rate);
    Some(Rejects {
        policy: policy?.unwrap_or_default(),
        row_data: row_data?.unwrap_or_default(),
        max_count: max_count?,
        max_rate: max_rate?,
    })
}

fn read_rate(node: &Node<'_>) -> Option<f64> {
    let number: Option<f64> = match node.value() {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) => integer.as_str().parse().ok(),
        _ => None,
    };
    let rate = number.filter(|rate| (0.0..=1.0).contains(rate));
    if rate.is_none() {
        node.fault(Code::WrongValue, "must be a number from 0 to 1");
    }
    rate
}

/// The `run` of a sync.
pub(super) fn read_run(node: &Node<'_>) -> Option<RunOptions> {
    let table = node.table(&["parallel_groups", "attempts", "commit_bytes", "commit_every"])?;
    let count = |key, max| {
        table.optional(key, |node| node.unsigned_within(1..=max).and_then(|count| u32::try_from(count).ok()))
    };
    let amount = |key, read: fn(&Node<'_>) -> Option<u64>, max| {
        table.optional(key, |node| read(node).and_then(|amount| within(node, amount, max)))
    };
    let parallel_groups = count("parallel_groups", PARALLEL_GROUPS_MAX);
    let attempts = count("attempts", ATTEMPTS_MAX);
    let commit_bytes = amount("commit_bytes", bytes, COMMIT_BYTES_MAX);
    let commit_every_ms = amount("commit_every", milliseconds, COMMIT_EVERY_MS_MAX);
    let default = RunOptions::default();
    Some(RunOptions {
        parallel_groups: parallel_groups?.unwrap_or(default.parallel_groups),
        attempts: attempts?.unwrap_or(default.attempts),
        commit_bytes: commit_bytes?.unwrap_or(default.commit_bytes),
        commit_every_ms: commit_every_ms?.unwrap_or(default.commit_every_ms),
    })
}

fn within(node: &Node<'_>, amount: u64, max: u64) -> Option<u64> {
    if (1..=max).contains(&amount) {
        return Some(amount);
    }
    node.fault(Code::WrongValue, format!("must be from 1 to {max}"));
    None
}
