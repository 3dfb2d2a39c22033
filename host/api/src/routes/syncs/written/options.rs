//! What becomes of rejected rows, and how a run goes.

use super::words;
use manifest::{RejectPolicy, Rejects, RowData, RunOptions};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What becomes of rejected rows, and how many are borne.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SyncRejects)]
pub(crate) struct WrittenRejects {
    /// What becomes of each.
    #[serde(default)]
    #[schema(schema_with = words::reject_policy)]
    policy: RejectPolicy,
    /// What is kept of each.
    #[serde(default)]
    #[schema(schema_with = words::row_data)]
    row_data: RowData,
    /// The run fails when there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_count: Option<u64>,
    /// The run fails when they are a larger part of the rows read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    max_rate: Option<f64>,
}

/// How a run goes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SyncRun)]
pub(crate) struct WrittenRun {
    /// How many read groups are read at one time.
    #[schema(minimum = 1, maximum = 64)]
    parallel_groups: u32,
    /// How often a read group is tried, the first time included.
    #[schema(minimum = 1, maximum = 100)]
    attempts: u32,
    /// A commit is due after this much.
    #[schema(minimum = 1, maximum = 67_108_864)]
    commit_bytes: u64,
    /// A commit is due after this time.
    #[schema(minimum = 1, maximum = 60_000)]
    commit_every_ms: u64,
}

impl Default for WrittenRun {
    fn default() -> Self {
        RunOptions::default().into()
    }
}

impl From<WrittenRejects> for Rejects {
    fn from(written: WrittenRejects) -> Self {
        let WrittenRejects { policy, row_data, max_count, max_rate } = written;
        Self { policy, row_data, max_count, max_rate }
    }
}

impl From<Rejects> for WrittenRejects {
    fn from(rejects: Rejects) -> Self {
        let Rejects { policy, row_data, max_count, max_rate } = rejects;
        Self { policy, row_data, max_count, max_rate }
    }
}

impl From<WrittenRun> for RunOptions {
    fn from(written: WrittenRun) -> Self {
        let WrittenRun { parallel_groups, attempts, commit_bytes, commit_every_ms } = written;
        Self { parallel_groups, attempts, commit_bytes, commit_every_ms }
    }
}

impl From<RunOptions> for WrittenRun {
    fn from(options: RunOptions) -> Self {
        let RunOptions { parallel_groups, attempts, commit_bytes, commit_every_ms } = options;
        Self { parallel_groups, attempts, commit_bytes, commit_every_ms }
    }
}
