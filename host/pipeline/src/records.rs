//! The port `RunRecords`: what must outlive a run.
//!
//! Positions, prepared and committed records, counters and row errors of each commit unit; numbers and reports of runs;
//! and the right to be the only run of a sync. Knows nothing of what the values mean.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod kept_batch;
mod kept_row;
mod memory;
mod row_error;
mod unit;

pub use kept_batch::KeptBatch;
pub use kept_row::KeptRow;
pub use memory::MemoryRecords;
pub use row_error::{RejectedBy, RowCopy, RowError, RowErrorChunk};
pub use unit::{
    Amendment, Counters, Effect, KeyHash, Position, Prepared, PreparedBatch, Purpose, UnitRecord,
};

use crate::report::RunReport;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How often [`RunRecords::keep`] is called for one commit at most: what is kept goes with one change.
pub const KEEP_CALLS_MAX: usize = 16;

/// The right to run a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTicket {
    /// The sync.
    pub sync: String,
    /// Counts the runs of the sync, from 1. Also the fence that destinations are given: it rises with each run.
    pub run: u64,
}

/// Where a run keeps what must outlive it. Every call of a run carries its ticket, and an implementation refuses a ticket
/// after whose run another began ([`Error::Fenced`]). A call returns only when what it wrote is durable. Calls come from
/// the tasks of a run, those of one unit one after the other, a few for each commit; they may wait for a disk or a
/// network, and must survive that their future is dropped at any moment: then all or nothing of them has happened.
#[async_trait]
pub trait RunRecords: Send + Sync {
    /// Begin a run: once for each run, before anything else. Refused ([`Error::Locked`]) while another run of this sync
    /// is alive, in whichever process.
    async fn begin(&self, sync: &str) -> Result<RunTicket, Error>;

    /// What is known of a commit unit; the default for a new one. Once for each attempt.
    async fn unit(&self, ticket: &RunTicket, unit: &str) -> Result<UnitRecord, Error>;

    /// The keys of the open row errors of a source stream, so that the run can tell which of them are superseded. Once for
    /// each chosen stream with a key, read group and attempt, before rows flow. None where there is nothing to look for: then
    /// rows pass without their keys being looked at.
    async fn open_keys(
        &self,
        _ticket: &RunTicket,
        _stream: &str,
    ) -> Result<Option<Arc<dyn OpenKeys>>, Error> {
        Ok(None)
    }

    /// Source batches of the commit that will have this token, of which the destination may reject rows as late as at its
    /// commit: kept so that they outlive a crash. Called beside everything else while rows flow, for destinations that tell
    /// late rejects again after a crash, up to [`KEEP_CALLS_MAX`] times for each commit, one after the other, and no longer
    /// once that commit is prepared. What is kept goes with that commit or with its discarding. Of a commit that is never
    /// prepared it goes when something is kept for another commit of the unit, or when the next run begins.
    async fn keep(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        batches: Vec<KeptBatch>,
    ) -> Result<(), Error>;

    /// What was kept for the commit that is prepared under this token, as far as it is still there. Only after a crash, and
    /// only where rows were rejected late.
    async fn kept(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<Vec<KeptBatch>, Error>;

    /// Before the destination's commit: what will be true if that commit takes effect. Once for each commit. Refused
    /// while an earlier prepared record is neither committed nor discarded.
    async fn prepare(&self, ticket: &RunTicket, unit: &str, prepared: Prepared) -> Result<(), Error>;

    /// After the destination's commit, or when it turns out later that it had taken effect: make the prepared record
    /// true, once however often it is called. The amendment says what the destination rejected late.
    async fn commit(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<(), Error>;

    /// The destination's commit did not take effect: forget the prepared record. Nothing happens where there is none.
    async fn discard(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<(), Error>;

    /// Keep the report of the run: once, at its end.
    async fn finish(&self, ticket: &RunTicket, report: RunReport) -> Result<(), Error>;

    /// Give the right back: once for each ticket, also when the run was dropped. Must not block, and must come into effect
    /// no earlier than the calls that are still under way.
    fn release(&self, ticket: &RunTicket);

    /// The report of a run; none: the newest. For commands, not for runs.
    async fn report(&self, sync: &str, run: Option<u64>) -> Result<Option<RunReport>, Error>;

    /// Row errors of a run in the order in which they were committed, from the chunk number `skip` on, at most `limit`
    /// chunks. For commands, not for runs.
    async fn row_errors(
        &self,
        sync: &str,
        run: u64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RowErrorChunk>, Error>;
}

/// Keys of open row errors of one stream. Asked for each row of the stream that is about to be accepted, on a task of the
/// run, from which it must neither wait nor block: a hash and a look into a set that is in memory.
pub trait OpenKeys: Send + Sync {
    /// The keyed hash of the key ([`RowError::key`]), if a row error with it may be open. A hash too many does no harm, as
    /// long as no open row error has it.
    fn hash_if_open(&self, key: &[u8]) -> Option<KeyHash>;
}

/// Why records cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Error {
    /// Another run of the sync is alive.
    #[error("another run of the sync `{sync}` is under way")]
    Locked {
        /// The sync.
        sync: String,
    },
    /// The ticket is no longer, or not yet, the right to run.
    #[error("run {run} of the sync `{sync}` has lost its right to run")]
    Fenced {
        /// The sync.
        sync: String,
        /// The run.
        run: u64,
    },
    /// The place where records are kept fails.
    #[error("cannot {operation} `{place}`: {message}")]
    Unavailable {
        /// What was tried.
        operation: String,
        /// Where.
        place: String,
        /// What the place answered.
        message: String,
    },
    /// What is kept there is not what was written.
    #[error("the record `{place}` cannot be read: {message}")]
    Corrupt {
        /// Where.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// The calls came in an order that cannot be.
    #[error("the records of the unit `{unit}` are in disorder: {message}")]
    Disorder {
        /// The unit.
        unit: String,
        /// What was asked and what is there.
        message: String,
    },
}

impl Error {
    /// The stable code of the page that explains it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "CD0730",
            Self::Fenced { .. } => "CD0731",
            Self::Unavailable { .. } => "CD0732",
            Self::Corrupt { .. } => "CD0733",
            Self::Disorder { .. } => "CD0734",
        }
    }
}

#[cfg(test)]
mod tests;
