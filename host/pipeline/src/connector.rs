//! The port `Connector`: a source, a destination and a transform as a run sees them.
//!
//! Each object is one connector bound to one configuration and one set of rights. Opening one costs a fresh instance;
//! after any failure the instance behind a reader, writer or transformer is gone and only dropping it is useful.
//! All arguments and results are owned and serializable: an implementation may live in another process.

use crate::failure::Failure;
use crate::model::{
    Batch, Capabilities, Catalog, CommitReport, LastCommit, OpenRead, PageBudget, Step, StreamPlan,
    StreamSchema, StreamVerdict, TransformPlan, Transformed, WriteReport,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One limit and how much of it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The limit's name, as in a manifest's `[limits]`.
    pub limit: String,
    /// How much was used, in the limit's unit.
    pub used: u64,
    /// How much is allowed.
    pub allowed: u64,
}

/// What was used of a budget so far; empty where nothing is measured.
pub type Budget = Vec<Usage>;

/// A connector from which rows come.
#[async_trait]
pub trait Source: Send + Sync {
    /// Whether the configuration works. Called at a user's wish, before a run.
    async fn check(&self) -> Result<(), Failure>;

    /// What there is to read. Called once at the start of each run, and again before an attempt that follows a change of a
    /// schema.
    async fn discover(&self) -> Result<Catalog, Failure>;

    /// Open a reader in a fresh instance: once for each read group and attempt.
    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure>;

    /// What all its instances used so far, those among them that could not be opened. Asked after a call that failed before
    /// there was one to ask.
    fn budget(&self) -> Budget {
        Budget::new()
    }
}

/// Reads one group.
#[async_trait]
pub trait Reader: Send {
    /// The next step. The page was validated: counts, offsets, UTF-8, sizes. Never called after `End` or a failure.
    async fn next(&mut self, budget: PageBudget) -> Result<Step, Failure>;

    /// Everything up to this checkpoint is durable. Called after a commit, newest checkpoint only.
    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure>;

    /// What the instance used so far.
    fn budget(&self) -> Budget;
}

/// A connector to which rows go.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Whether the configuration works. Called at a user's wish, before a run.
    async fn check(&self) -> Result<(), Failure>;

    /// Open a writer in a fresh instance: once for each commit unit and attempt. Without a fence nothing may be changed.
    async fn open(&self, unit: String, fence: Option<u64>) -> Result<Box<dyn Writer>, Failure>;

    /// What all its instances used so far, those among them that could not be opened. Asked after a call that failed before
    /// there was one to ask.
    fn budget(&self) -> Budget {
        Budget::new()
    }
}

/// Writes one commit unit.
#[async_trait]
pub trait Writer: Send {
    /// What the destination can do.
    async fn capabilities(&mut self) -> Result<Capabilities, Failure>;

    /// The last durable commit of this unit. Its late rejects name rows of a commit that this writer has not seen: whether
    /// there are such rows is for the caller to see.
    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure>;

    /// What will come; the verdicts were validated to cover each stream and field.
    async fn prepare(&mut self, plans: Vec<StreamPlan>, dry_run: bool)
    -> Result<Vec<StreamVerdict>, Failure>;

    /// Take one batch; numbers rise by one from 0 after each commit. The caller keeps the rows until their commit.
    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure>;

    /// Make everything since the last commit durable under this token.
    async fn commit(&mut self, token: String, last: bool) -> Result<CommitReport, Failure>;

    /// What the instance used so far.
    fn budget(&self) -> Budget;
}

/// A connector that changes rows on their way.
#[async_trait]
pub trait Transform: Send + Sync {
    /// Whether the configuration works. Called at a user's wish, before a run.
    async fn check(&self) -> Result<(), Failure>;

    /// What comes out of what comes in. Called before rows flow and at each change of a schema.
    async fn plan(&self, inputs: Vec<StreamSchema>) -> Result<TransformPlan, Failure>;

    /// Open a transformer in a fresh instance: once for each read group and attempt. `outputs` are those of the plan, against
    /// which what comes out is held.
    async fn open(
        &self,
        inputs: Vec<StreamSchema>,
        outputs: Vec<StreamSchema>,
    ) -> Result<Box<dyn Transformer>, Failure>;

    /// What all its instances used so far, those among them that could not be opened. Asked after a call that failed before
    /// there was one to ask.
    fn budget(&self) -> Budget {
        Budget::new()
    }
}

/// Changes batches; stateless between them.
#[async_trait]
pub trait Transformer: Send {
    /// Change one batch; the outcome was validated: each origin and reject names a row of the input.
    async fn apply(&mut self, batch: Arc<Batch>) -> Result<Transformed, Failure>;

    /// What the instance used so far.
    fn budget(&self) -> Budget;
}
