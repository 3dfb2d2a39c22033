//! Keeps the rows that a destination may reject as late as at its commit, while the run moves on: after a crash between
//! that commit and ours they are where their rejection looks for them.

use super::Trouble;
use super::context::Context;
use super::spec::{RejectPolicy, RowData};
use super::track::Tracked;
use crate::error::Error;
use crate::model::Capabilities;
use crate::records::{KEEP_CALLS_MAX, KeptBatch, Purpose};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Of one commit unit in one attempt; dropping it gives up what is under way.
pub(super) struct Keeper {
    context: Arc<Context>,
    unit: String,
    is_on: bool,
    /// Of the commit that is being filled.
    bytes: u64,
    waiting: Vec<KeptBatch>,
    waiting_bytes: u64,
    /// One call at a time.
    under_way: JoinSet<Result<(), Error>>,
}

impl Keeper {
    pub(super) fn new(context: &Arc<Context>, unit: &str, capabilities: &Capabilities) -> Self {
        let spec = &context.spec;
        let keeps_rows = spec.rejects.row_data != RowData::Off && spec.rejects.policy != RejectPolicy::Skip;
        // Of a reprocess the rows are kept already: they are row errors.
        let is_on = capabilities.tells_late_rejects() && keeps_rows && spec.purpose == Purpose::Sync;
        Self {
            context: Arc::clone(context),
            unit: unit.to_owned(),
            is_on,
            bytes: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
            under_way: JoinSet::new(),
        }
    }

    /// Takes a source batch whose rows were written, for the commit with this token. Waits only while the records are slower
    /// than the rows come.
    pub(super) async fn add(&mut self, token: &str, number: usize, tracked: &Tracked) -> Result<(), Trouble> {
        let allowed = self.context.spec.options.late_rows_bytes;
        let fits = self.bytes.saturating_add(tracked.bytes()) <= allowed;
        if !self.is_on || !fits {
            return Ok(());
        }
        let (Some((rows, batch)), Ok(number)) = (tracked.accepted_rows(), u32::try_from(number)) else {
            return Ok(());
        };
        let bytes = batch.byte_count() as u64;
        self.bytes += bytes;
        self.waiting_bytes += bytes;
        self.waiting.push(KeptBatch { number, schema: Arc::clone(&tracked.schema), rows, batch });
        if self.waiting_bytes >= call_bytes(allowed) { self.keep(token).await } else { Ok(()) }
    }

    /// Returns when everything that was taken is kept. The next batch is of another commit.
    pub(super) async fn finish(&mut self, token: &str) -> Result<(), Trouble> {
        if !self.waiting.is_empty() {
            self.keep(token).await?;
        }
        self.bytes = 0;
        self.kept().await
    }

    async fn keep(&mut self, token: &str) -> Result<(), Trouble> {
        self.kept().await?;
        let batches = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let (context, unit, token) = (Arc::clone(&self.context), self.unit.clone(), token.to_owned());
        self.under_way.spawn(async move {
            let Context { records, ticket, .. } = context.as_ref();
            Ok(records.keep(ticket, &unit, &token, batches).await?)
        });
        Ok(())
    }

    async fn kept(&mut self) -> Result<(), Trouble> {
        while let Some(ended) = self.under_way.join_next().await {
            ended.map_err(|error| Error::internal(format!("keeping rows ended early: {error}")))??;
        }
        Ok(())
    }
}

/// So many that a commit has no more calls than records have to allow: the last one may have less.
fn call_bytes(allowed: u64) -> u64 {
    allowed.div_ceil(KEEP_CALLS_MAX as u64)
}
