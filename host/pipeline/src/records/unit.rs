//! What is kept of one commit unit, and how it changes: the same for every implementation of the port.

use super::{Error, RowErrorChunk};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A keyed hash of [`RowError::key`](super::RowError::key).
pub type KeyHash = [u8; 32];

/// What a run is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To move what the source has.
    #[default]
    Sync,
    /// To send stored row errors through once more. The positions of the sync stay where they are.
    Reprocess,
}

/// Where a unit stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The newest checkpoint of which everything before is durable at the destination.
    pub checkpoint: Option<String>,
    /// Whether the source had come to its end here.
    pub complete: bool,
    /// Whether this was written as a refill.
    pub replace: bool,
    /// Counts the refills.
    pub generation: u64,
    /// The streams that were read up to here: a position says nothing of another one's rows.
    #[serde(default)]
    pub streams: BTreeSet<String>,
}

/// What became of source rows: `read = accepted + rejected + filtered`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Rows that the source gave, those that it rejected itself included.
    pub read: u64,
    /// Rows of which all that came out is durable at the destination.
    pub accepted: u64,
    /// Rows that someone rejected, or any of whose outputs was.
    pub rejected: u64,
    /// Rows from which nothing came out by someone's wish: a filter, a limit, a transform.
    pub filtered: u64,
}

impl Counters {
    /// Rows of which it is known what became of them.
    pub fn settled(self) -> u64 {
        self.accepted.saturating_add(self.rejected).saturating_add(self.filtered)
    }

    /// Adds the other's counts.
    pub fn add(&mut self, other: Self) {
        self.read = self.read.saturating_add(other.read);
        self.accepted = self.accepted.saturating_add(other.accepted);
        self.rejected = self.rejected.saturating_add(other.rejected);
        self.filtered = self.filtered.saturating_add(other.filtered);
    }

    /// These rows were counted as accepted and are rejected after all.
    pub(crate) fn reject_late(&mut self, rows: u64) {
        self.accepted = self.accepted.saturating_sub(rows);
        self.rejected = self.rejected.saturating_add(rows);
    }
}

/// What a commit adds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Source rows, by source stream.
    pub streams: BTreeMap<String, Counters>,
    /// Output rows that the destination took, by output stream.
    pub written: BTreeMap<String, u64>,
    /// Rejected rows.
    pub row_errors: Vec<RowErrorChunk>,
    /// What [`OpenKeys`](super::OpenKeys) answered for accepted rows, each hash once, by source stream: open row errors of
    /// these keys **that were committed before** are superseded. Those of this very commit are not: their rows may have come
    /// after the accepted one.
    #[serde(default)]
    pub settled: BTreeMap<String, Vec<KeyHash>>,
}

/// What will be true if a commit of the destination takes effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// The commit's token.
    pub token: String,
    /// The run that commits.
    pub run: u64,
    /// What that run is for.
    #[serde(default)]
    pub purpose: Purpose,
    /// Where the unit stands then.
    pub position: Position,
    /// What it adds.
    pub effect: Effect,
    /// The batches of this commit by their number, where the destination may reject rows at its commit and tells them again
    /// after a crash: by them those rejects find their rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<PreparedBatch>,
}

/// Whence the rows of a written batch came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreparedBatch {
    /// The output stream.
    pub output: String,
    /// The rows of the batch.
    pub rows: u32,
    /// Counts the source batches of the commit, from 0: that of which it was made.
    #[serde(default)]
    pub source: u32,
    /// The source stream.
    pub stream: String,
    /// What the rows of the source batch are counted from, as [`RowError::index`] counts them.
    pub first_index: u64,
    /// For each row the row of the source batch from which it came; none: the same.
    pub origin: Option<Vec<u32>>,
    /// Rows of the source batch that are rejected already.
    pub rejected: Vec<u32>,
    /// Accepted rows of the source batch whose key has an open row error. Of several batches that came of one source batch,
    /// the first has them.
    #[serde(default)]
    pub open: Vec<(u32, KeyHash)>,
}

/// What the destination rejected late, in its answer to the commit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Amendment {
    /// Source rows that were counted as accepted and are rejected, by source stream.
    pub rejected: BTreeMap<String, u64>,
    /// Output rows that were counted as written and are not, by output stream.
    pub unwritten: BTreeMap<String, u64>,
    /// The rows.
    pub row_errors: Vec<RowErrorChunk>,
    /// Hashes to be taken out of [`Effect::settled`] again: no row of this key is accepted after all.
    #[serde(default)]
    pub unsettled: BTreeMap<String, Vec<KeyHash>>,
}

/// What is kept of one commit unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitRecord {
    /// Where it stands.
    pub position: Position,
    /// Token of the last commit.
    pub token: Option<String>,
    /// The run that made the last commit; 0 before the first.
    pub run: u64,
    /// Counts the commits.
    pub commits: u64,
    /// Source rows of all runs, by source stream.
    pub streams: BTreeMap<String, Counters>,
    /// Output rows of all runs, by output stream.
    pub written: BTreeMap<String, u64>,
    /// A commit of which it is not yet known whether it took effect.
    pub prepared: Option<Prepared>,
}

impl Effect {
    /// What is true after the destination's answer.
    pub fn amend(&mut self, amendment: Amendment) {
        for (stream, rows) in amendment.rejected {
            self.streams.entry(stream).or_default().reject_late(rows);
        }
        for (stream, rows) in amendment.unwritten {
            let written = self.written.entry(stream).or_default();
            *written = written.saturating_sub(rows);
        }
        self.row_errors.extend(amendment.row_errors);
        for (stream, hashes) in amendment.unsettled {
            if let Some(settled) = self.settled.get_mut(&stream) {
                settled.retain(|hash| !hashes.contains(hash));
            }
        }
        self.settled.retain(|_, hashes| !hashes.is_empty());
    }
}

impl UnitRecord {
    /// Note a commit that is about to be made.
    pub fn prepare(&mut self, unit: &str, prepared: Prepared) -> Result<(), Error> {
        if let Some(waiting) = &self.prepared {
            let message =
                format!("`{}` is prepared while `{}` is not settled", prepared.token, waiting.token);
            return Err(Error::Disorder { unit: unit.into(), message });
        }
        self.prepared = Some(prepared);
        Ok(())
    }

    /// Make the prepared record true and return the row errors that it brings, with the run that made them; none if it
    /// was true already.
    pub fn commit(
        &mut self,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<Option<(u64, Vec<RowErrorChunk>)>, Error> {
        if self.prepared.is_none() && self.token.as_deref() == Some(token) {
            return Ok(None);
        }
        let Some(prepared) = self.prepared.take_if(|prepared| prepared.token == token) else {
            let message = format!("`{token}` is committed, but it is not what was prepared");
            return Err(Error::Disorder { unit: unit.into(), message });
        };
        let Prepared { token, run, position, mut effect, .. } = prepared;
        effect.amend(amendment);
        for (stream, counters) in effect.streams {
            self.streams.entry(stream).or_default().add(counters);
        }
        for (stream, rows) in effect.written {
            *self.written.entry(stream).or_default() += rows;
        }
        self.position = position;
        self.token = Some(token);
        self.run = run;
        self.commits += 1;
        Ok(Some((run, effect.row_errors)))
    }

    /// Forget the prepared record.
    pub fn discard(&mut self, token: &str) {
        if self.prepared.as_ref().is_some_and(|prepared| prepared.token == token) {
            self.prepared = None;
        }
    }
}
