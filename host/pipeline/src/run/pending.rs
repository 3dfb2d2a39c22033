//! Everything that was read since the last commit: what was written of it, and what becomes of each row.

use super::ledger::{Tally, balance};
use super::pipe::{PageEnd, RawReject};
use super::spec::{RejectPolicy, RowData};
use super::track::{Origin, Tracked};
use crate::error::Error;
use crate::model::{CommitReport, Reject, StreamSchema};
use crate::records::{
    Amendment, Effect, KeyHash, PreparedBatch, RejectedBy, RowCopy, RowError, RowErrorChunk,
};
use std::collections::{BTreeMap, BTreeSet};

/// Row errors of one chunk: enough to make the chunk's schema cheap, few enough to read one by one.
const CHUNK_ERRORS_MAX: usize = 1_024;

/// One batch that the destination took, by its number.
#[derive(Debug)]
pub(super) struct Written {
    /// The place of the source batch among the parcels.
    pub(super) parcel: usize,
    pub(super) origin: Origin,
    pub(super) stream: String,
    pub(super) rows: u32,
    pub(super) rejected: BTreeSet<u32>,
}

/// What waits for the next commit.
#[derive(Debug, Default)]
pub(super) struct Pending {
    parcels: Vec<Tracked>,
    selected: BTreeMap<String, u64>,
    pub(super) written: Vec<Written>,
    raw: Vec<(RawReject, u64)>,
    /// What the reader counted.
    read: BTreeMap<String, u64>,
    kept_bytes: u64,
    /// The parcels before this one have given up their rows.
    given_up: usize,
    /// When the first of it came, by the monotonic clock.
    pub(super) since_ms: Option<u64>,
    /// The newest checkpoint, if one came.
    pub(super) checkpoint: Option<String>,
}

/// Keys of open row errors, by source stream.
type Hashes = BTreeMap<String, Vec<KeyHash>>;

/// What a commit would make true.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) streams: BTreeMap<String, Tally>,
    pub(super) written: BTreeMap<String, u64>,
}

impl Settled {
    pub(super) fn effect(&self, row_errors: Vec<RowErrorChunk>, settled: Hashes) -> Effect {
        Effect {
            streams: self.streams.iter().map(|(stream, tally)| (stream.clone(), tally.counters)).collect(),
            written: self.written.clone(),
            row_errors,
            settled,
        }
    }
}

/// Whose row errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) run: u64,
    pub(super) unit: &'a str,
    pub(super) attempt: u32,
    pub(super) row_data: RowData,
}

impl Pending {
    /// Whether there is anything to commit.
    pub(super) fn any(&self) -> bool {
        self.checkpoint.is_some() || !self.parcels.is_empty() || !self.raw.is_empty()
    }

    pub(super) fn kept_bytes(&self) -> u64 {
        self.kept_bytes
    }

    /// Takes a source batch whose rows were written; its outputs were noted with its place, which is
    /// [`Pending::next_parcel`].
    pub(super) fn add(&mut self, tracked: Tracked, selected: u64) {
        *self.selected.entry(tracked.stream().to_owned()).or_default() += selected;
        self.kept_bytes += tracked.kept_bytes();
        self.parcels.push(tracked);
    }

    pub(super) fn next_parcel(&self) -> usize {
        self.parcels.len()
    }

    /// Takes what stands at the end of a page; `index_of` numbers the rows of a stream.
    pub(super) fn end_page(&mut self, end: PageEnd, mut index_of: impl FnMut(&str) -> u64) {
        for (stream, rows) in end.read {
            *self.read.entry(stream).or_default() += rows;
        }
        for raw in end.raw {
            self.kept_bytes += (raw.bytes.len() + raw.message.len() + size_of::<RowError>()) as u64;
            let index = index_of(&raw.schema.stream);
            self.raw.push((raw, index));
        }
        if end.checkpoint.is_some() {
            self.checkpoint = end.checkpoint;
        }
    }

    /// Gives up the oldest rows until no more than `bytes_max` are kept, or nothing is left to give up. Only for sources that
    /// give no checkpoints: a commit is not possible before one comes.
    pub(super) fn give_up(&mut self, bytes_max: u64) {
        while self.kept_bytes > bytes_max {
            let Some(tracked) = self.parcels.get_mut(self.given_up) else { return };
            let before = tracked.kept_bytes();
            tracked.give_up();
            self.kept_bytes = (self.kept_bytes + tracked.kept_bytes()).saturating_sub(before);
            self.given_up += 1;
        }
    }

    /// What became of each row, proven: as many as the reader counted, each in one way.
    pub(super) fn settle(&self) -> Result<Settled, Error> {
        let mut settled = Settled::default();
        for tracked in &self.parcels {
            let tally = settled.streams.entry(tracked.stream().to_owned()).or_default();
            tally.counters.add(tracked.counters());
            tally.bytes += tracked.bytes();
            tracked.codes().for_each(|code| tally.code(code, 1));
        }
        for (raw, _) in &self.raw {
            let tally = settled.streams.entry(raw.schema.stream.clone()).or_default();
            tally.counters.read += 1;
            tally.counters.rejected += 1;
            tally.bytes += raw.bytes.len() as u64;
            tally.code(&raw.code, 1);
        }
        for (stream, tally) in &mut settled.streams {
            tally.selected = self.selected.get(stream).copied().unwrap_or(0);
            balance(stream, tally.counters)?;
        }
        let streams: BTreeSet<&String> = self.read.keys().chain(settled.streams.keys()).collect();
        for stream in streams {
            let read = self.read.get(stream).copied().unwrap_or(0);
            let arrived = settled.streams.get(stream).map_or(0, |tally| tally.counters.read);
            if read != arrived {
                return Err(Error::CountersUnbalanced { stream: stream.clone(), read, settled: arrived });
            }
        }
        for written in &self.written {
            let rows = u64::from(written.rows).saturating_sub(written.rejected.len() as u64);
            *settled.written.entry(written.stream.clone()).or_default() += rows;
        }
        Ok(settled)
    }

    /// The keys of accepted rows that have open row errors, each once.
    pub(super) fn settled_keys(&self) -> Hashes {
        let mut settled: BTreeMap<&str, BTreeSet<KeyHash>> = BTreeMap::new();
        for tracked in &self.parcels {
            for (_, hash) in tracked.open() {
                settled.entry(tracked.stream()).or_default().insert(hash);
            }
        }
        let listed = |(stream, hashes): (&str, BTreeSet<KeyHash>)| {
            (stream.to_owned(), hashes.into_iter().collect::<Vec<_>>())
        };
        settled.into_iter().map(listed).collect()
    }

    /// The row errors so far, in chunks of one schema.
    pub(super) fn row_errors(&self, policy: RejectPolicy, owner: Owner<'_>) -> Vec<RowErrorChunk> {
        let mut chunks = Vec::new();
        if policy == RejectPolicy::Skip {
            return chunks;
        }
        for tracked in self.parcels.iter().filter(|tracked| tracked.any_rejected()) {
            push(&mut chunks, &tracked.schema, tracked.row_errors(), owner);
        }
        for (raw, index) in &self.raw {
            push(&mut chunks, &raw.schema, vec![raw_error(raw, *index, owner)], owner);
        }
        chunks
    }

    /// What the destination rejected in its answer to the commit, held against what was written.
    pub(super) fn reject_late(
        &mut self,
        report: CommitReport,
        settled: &mut Settled,
        policy: RejectPolicy,
        owner: Owner<'_>,
    ) -> Result<Amendment, Error> {
        let mut amendment = Amendment::default();
        if report.rejected.is_empty() {
            return Ok(amendment);
        }
        let settled_before = self.settled_keys();
        let mut rejected: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
        for late in report.rejected {
            let written = usize::try_from(late.batch).ok().and_then(|number| self.written.get_mut(number));
            let written = written.filter(|written| late.reject.row < written.rows);
            let Some(written) = written else {
                return Err(Error::internal(format!(
                    "a late reject of batch {}, which was not written",
                    late.batch
                )));
            };
            let row = written.origin.of(late.reject.row)?;
            if written.rejected.insert(late.reject.row) {
                *amendment.unwritten.entry(written.stream.clone()).or_default() += 1;
            }
            let Some(tracked) = self.parcels.get_mut(written.parcel) else {
                return Err(Error::internal("a late reject of a source batch that is gone"));
            };
            if tracked.reject(row, late.reject, RejectedBy::Destination) {
                *amendment.rejected.entry(tracked.stream().to_owned()).or_default() += 1;
                note_late(tracked, row, settled);
                rejected.entry(written.parcel).or_default().insert(row);
            }
        }
        for (stream, rows) in &amendment.unwritten {
            if let Some(written) = settled.written.get_mut(stream) {
                *written = written.saturating_sub(*rows);
            }
        }
        if policy != RejectPolicy::Skip {
            amendment.row_errors = self.late_errors(&rejected, owner);
        }
        amendment.unsettled = without(settled_before, &self.settled_keys());
        Ok(amendment)
    }

    /// By the place of the source batch, its rows that are rejected.
    fn late_errors(&self, rejected: &BTreeMap<usize, BTreeSet<u32>>, owner: Owner<'_>) -> Vec<RowErrorChunk> {
        let mut chunks = Vec::new();
        for (place, rows) in rejected {
            let Some(tracked) = self.parcels.get(*place) else { continue };
            push(&mut chunks, &tracked.schema, tracked.row_errors_of(rows), owner);
        }
        chunks
    }

    /// Whence the rows of each written batch came, for who has to know after a crash.
    pub(super) fn batches(&self) -> Vec<PreparedBatch> {
        let mut told = None;
        let batch = |written: &Written| {
            let tracked = self.parcels.get(written.parcel)?;
            let is_first = told.replace(written.parcel) != Some(written.parcel);
            Some(PreparedBatch {
                output: written.stream.clone(),
                rows: written.rows,
                source: u32::try_from(written.parcel).ok()?,
                stream: tracked.stream().to_owned(),
                first_index: tracked.first_index,
                origin: written.origin.rows(),
                rejected: tracked.rejected_rows().collect(),
                open: if is_first { tracked.open().collect() } else { Vec::new() },
            })
        };
        self.written.iter().filter_map(batch).collect()
    }

    /// The first rejected row, for a run that fails at it.
    pub(super) fn first_rejected(&self) -> Option<Error> {
        self.parcels.iter().find_map(Tracked::first_rejected).or_else(|| {
            self.raw.first().map(|(raw, index)| Error::RowRejected {
                stream: raw.schema.stream.clone(),
                index: *index,
                code: raw.code.clone(),
                message: raw.message.clone(),
                row: None,
            })
        })
    }
}

fn note_late(tracked: &Tracked, row: u32, settled: &mut Settled) {
    let tally = settled.streams.entry(tracked.stream().to_owned()).or_default();
    tally.counters.reject_late(1);
    if let Some(code) = tracked.code(row) {
        tally.code(code, 1);
    }
}

/// What was there before and is no longer.
fn without(before: Hashes, now: &Hashes) -> Hashes {
    let gone = |(stream, hashes): (String, Vec<KeyHash>)| {
        let left: BTreeSet<&KeyHash> = now.get(&stream).into_iter().flatten().collect();
        let gone: Vec<KeyHash> = hashes.into_iter().filter(|hash| !left.contains(hash)).collect();
        (!gone.is_empty()).then_some((stream, gone))
    };
    before.into_iter().filter_map(gone).collect()
}

fn raw_error(raw: &RawReject, index: u64, owner: Owner<'_>) -> RowError {
    let withheld = owner.row_data == RowData::Off;
    RowError {
        index,
        code: raw.code.clone(),
        message: raw.message.clone(),
        retryable: raw.retryable,
        by: RejectedBy::Source,
        operation: None,
        attempt: owner.attempt,
        row: if withheld { RowCopy::Withheld } else { RowCopy::Raw(raw.bytes.clone()) },
        fields: Vec::new(),
        key: None,
    }
}

/// Adds row errors of one schema.
pub(super) fn push(
    chunks: &mut Vec<RowErrorChunk>,
    schema: &StreamSchema,
    errors: Vec<RowError>,
    owner: Owner<'_>,
) {
    if let Some(last) = chunks.last_mut()
        && last.schema == *schema
        && last.errors.len() + errors.len() <= CHUNK_ERRORS_MAX
    {
        last.errors.extend(errors);
        return;
    }
    let mut errors = errors.into_iter().peekable();
    while errors.peek().is_some() {
        chunks.push(RowErrorChunk {
            run: owner.run,
            unit: owner.unit.to_owned(),
            schema: schema.clone(),
            errors: errors.by_ref().take(CHUNK_ERRORS_MAX).collect(),
        });
    }
}

/// The reason of a row that the host refuses before it is written.
pub(super) fn host_reject(row: u32, code: &str, message: &str) -> Reject {
    Reject { row, code: code.into(), message: message.into(), retryable: false }
}
