//! What a run is asked to do.

use crate::connector::{Destination, Source, Transform};
use crate::error::Error;
use crate::model::{Condition, Mode, PageBudget};
use crate::records::Purpose;
use crate::secrets::Secrets;
use crate::validate::Limits;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One stream of the source that moves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenStream {
    /// Its name.
    pub stream: String,
    /// What to do with the rows that are at the destination already.
    pub mode: Mode,
    /// The fields wanted, in this order; none: all.
    pub fields: Option<Vec<String>>,
    /// All must hold.
    pub filter: Vec<Condition>,
    /// At most so many rows in one run.
    pub limit: Option<u64>,
}

/// What becomes of a rejected row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RejectPolicy {
    /// The run fails at the first.
    Fail,
    /// It is counted and let go.
    Skip,
    /// It is kept with its source row.
    #[default]
    Quarantine,
}

/// What is kept of a rejected row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowData {
    /// No value of it: the code, the names of its fields, its place in the stream, and its key for a keyed hash. Texts of
    /// connectors, which may quote rows, are kept from the records and from the report.
    Off,
    /// The row, on the machine that runs the sync and nowhere else. The same as `Stored` as long as runs happen where their
    /// records are.
    Local,
    /// The row.
    #[default]
    Stored,
}

/// What becomes of rejected rows, and how many are borne.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rejects {
    /// What becomes of each.
    pub policy: RejectPolicy,
    /// What is kept of each.
    pub row_data: RowData,
    /// The run fails when there are more.
    pub max_count: Option<u64>,
    /// The run fails when they are a larger part of the rows, 0 to 1; judged from 100 rows on.
    pub max_rate: Option<f64>,
}

impl Rejects {
    /// Of a reprocess each row is an error already: it stays one, whatever the policy, and there is nothing to be borne.
    pub(super) fn for_purpose(self, purpose: Purpose) -> Self {
        match purpose {
            Purpose::Sync => self,
            Purpose::Reprocess => Self { row_data: self.row_data, ..Self::default() },
        }
    }
}

/// How a run goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many read groups move at one time.
    pub parallel_groups: u32,
    /// How often a read group is tried, the first time included; counted anew after each commit.
    pub attempts: u32,
    /// A commit is due when source rows of so many bytes wait for it (contract: at most 64 MiB).
    pub commit_bytes: u64,
    /// A commit is due when the first row has waited for so long (contract: at most 60 s).
    pub commit_every_ms: u64,
    /// What one page may hold. Pages of the look-ahead and those that wait for a commit are what a run costs in memory.
    pub page: PageBudget,
    /// How far reading may be ahead of transforming, and transforming of writing.
    pub look_ahead_bytes: u32,
    /// After a wish to stop, calls under way may go on for so long; then they are abandoned.
    pub stop_grace_ms: u64,
    /// The first wait after a transient failure; each further one is twice as long.
    pub backoff_first_ms: u64,
    /// The longest such wait.
    pub backoff_max_ms: u64,
    /// How long rate limits are waited for in all, without a commit in between.
    pub rate_limit_max_ms: u64,
    /// How many pages in a row may come without a row, a checkpoint or a wait.
    pub empty_pages_max: u64,
    /// Bytes of source rows of one commit that are kept until it is settled, where the destination may reject rows as late as
    /// at its commit. Rows beyond it that are rejected so and after a crash have no copy.
    pub late_rows_bytes: u64,
    /// Sizes that converted batches keep.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallel_groups: 2,
            attempts: 5,
            commit_bytes: 16 << 20,
            commit_every_ms: 60_000,
            page: PageBudget { max_rows: 10_000, max_bytes: 4 << 20, deadline_ms: 30_000 },
            look_ahead_bytes: 8 << 20,
            stop_grace_ms: 5_000,
            backoff_first_ms: 1_000,
            backoff_max_ms: 60_000,
            rate_limit_max_ms: 3_600_000,
            empty_pages_max: 10_000,
            // Four times what a commit has as a rule: that of a source which gives few checkpoints is larger.
            late_rows_bytes: 64 << 20,
            limits: Limits::default(),
        }
    }
}

/// What a run is asked to do.
#[derive(Clone)]
pub struct RunSpec {
    /// The stable name on which positions hang.
    pub sync: String,
    /// Where rows come from.
    pub source: Arc<dyn Source>,
    /// What changes them on their way, in this order.
    pub transforms: Vec<Arc<dyn Transform>>,
    /// Where they go.
    pub destination: Arc<dyn Destination>,
    /// The streams that move; none: every stream of the source, appended.
    pub streams: Option<Vec<ChosenStream>>,
    /// Modes of streams that transforms make. Without an entry such a stream has the mode of the chosen stream of its
    /// name, or else the mode that all chosen streams of its read group have.
    pub output_modes: BTreeMap<String, Mode>,
    /// What becomes of rejected rows.
    pub rejects: Rejects,
    /// What the run is for. For [`Purpose::Reprocess`] the source is one that gives stored rows, and
    ///
    /// - the position of each commit unit stays as it is, and the source is always opened without a checkpoint;
    /// - of the chosen streams those are written that the source has; limits do not count, and what of the filter and of the
    ///   fields the source had applied itself is taken as applied;
    /// - `replace` becomes `upsert` where the rows have a key and the destination knows it, else `append`; a group of which
    ///   a refill is not complete is refused ([`Error::RefillUnderWay`]);
    /// - rejected rows are kept, whatever [`Rejects::policy`] says, and may be as many as they like.
    pub purpose: Purpose,
    /// How the run goes.
    pub options: Options,
    /// What the connectors were entrusted with, so that it is seen where it comes back.
    pub secrets: Secrets,
}

impl RunSpec {
    /// Every stream, appended, rejected rows kept, everything else by default.
    pub fn new(sync: impl Into<String>, source: Arc<dyn Source>, destination: Arc<dyn Destination>) -> Self {
        Self {
            sync: sync.into(),
            source,
            transforms: Vec::new(),
            destination,
            streams: None,
            output_modes: BTreeMap::new(),
            rejects: Rejects::default(),
            purpose: Purpose::default(),
            options: Options::default(),
            secrets: Secrets::default(),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let bad = |setting: &str, reason: &str| {
            Err(Error::BadSetting { setting: setting.into(), reason: reason.into() })
        };
        let Options { parallel_groups, attempts, commit_bytes, commit_every_ms, page, .. } = &self.options;
        if self.sync.is_empty() {
            return bad("sync", "is empty");
        }
        if *parallel_groups == 0 || *attempts == 0 {
            return bad(if *attempts == 0 { "attempts" } else { "parallel_groups" }, "must be at least 1");
        }
        if *commit_bytes == 0 || *commit_every_ms == 0 {
            return bad("commit_bytes, commit_every", "must be at least 1");
        }
        if page.max_rows == 0 || page.max_bytes == 0 {
            return bad("page", "must hold at least one row");
        }
        if self.rejects.max_rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate)) {
            return bad("max_rate", "must be from 0 to 1");
        }
        Ok(())
    }
}
