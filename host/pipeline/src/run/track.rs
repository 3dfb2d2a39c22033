//! What becomes of each row of a source batch, on its way to the destination and until its commit.

use super::kept::{Kept, gathered, kept};
use super::spec::RowData;
use crate::error::Error;
use crate::model::{Batch, Reject, StreamSchema};
use crate::records::{Counters, KeyHash, OpenKeys, RejectedBy, RowError};
use crate::rows::{self, Keys};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// For each row of a batch the index of the source row from which it came.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// Row `i` came from row `i`.
    Same,
    /// Row `i` came from the row that stands at `i`.
    Rows(Arc<[u32]>),
}

impl Origin {
    /// The source row of a row. The indexes were validated; one that is not there is the host's fault.
    pub(super) fn of(&self, row: u32) -> Result<u32, Error> {
        match self {
            Self::Same => Ok(row),
            Self::Rows(rows) => rows
                .get(row as usize)
                .copied()
                .ok_or_else(|| Error::internal(format!("row {row} has no origin among {} rows", rows.len()))),
        }
    }

    /// The origin of rows that were made of these rows: `next` says of which.
    pub(super) fn then(&self, next: Option<Vec<u32>>) -> Result<Self, Error> {
        match (self, next) {
            (_, None) => Ok(self.clone()),
            (Self::Same, Some(next)) => Ok(Self::Rows(next.into())),
            (Self::Rows(_), Some(next)) => {
                let rows = next.into_iter().map(|row| self.of(row)).collect::<Result<Vec<u32>, Error>>()?;
                Ok(Self::Rows(rows.into()))
            }
        }
    }

    /// As a list, where it is one.
    pub(super) fn rows(&self) -> Option<Vec<u32>> {
        match self {
            Self::Same => None,
            Self::Rows(rows) => Some(rows.to_vec()),
        }
    }

    fn byte_count(&self) -> usize {
        match self {
            Self::Same => 0,
            Self::Rows(rows) => rows.len() * size_of::<u32>(),
        }
    }
}

/// A set of rows of one batch.
#[derive(Debug, Default)]
struct RowSet {
    words: Vec<u64>,
    all_below: u32,
}

impl RowSet {
    fn insert(&mut self, row: u32) {
        let word = row as usize / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(bits) = self.words.get_mut(word) {
            *bits |= 1 << (row % 64);
        }
    }

    fn insert_below(&mut self, rows: u32) {
        self.all_below = self.all_below.max(rows);
    }

    fn contains(&self, row: u32) -> bool {
        row < self.all_below
            || self.words.get(row as usize / 64).is_some_and(|bits| bits >> (row % 64) & 1 == 1)
    }
}

/// Why a row is rejected.
#[derive(Debug, Clone)]
struct Why {
    by: RejectedBy,
    code: String,
    message: String,
    retryable: bool,
}

/// Messages longer than this are cut: they may quote the row, and the row is kept beside them.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

pub(super) fn cut_message(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    message
}

/// A source batch and what becomes of its rows.
#[derive(Debug)]
pub(super) struct Tracked {
    /// By which it is laid out.
    pub(super) schema: Arc<StreamSchema>,
    rows: u32,
    /// The rows themselves, for row errors; none once they were given up.
    batch: Option<Arc<Batch>>,
    bytes: usize,
    reached: RowSet,
    rejected: BTreeMap<u32, Why>,
    /// Rejected rows of which nothing is kept or shown.
    secret: BTreeSet<u32>,
    /// Row errors that were made when the rows were given up.
    made: Vec<RowError>,
    made_bytes: u64,
    /// Rows whose key has an open row error, in their order.
    open: Vec<(u32, KeyHash)>,
    /// How many rows of the stream the run had seen before.
    pub(super) first_index: u64,
    attempt: u32,
    row_data: RowData,
}

impl Tracked {
    pub(super) fn new(batch: Arc<Batch>, schema: Arc<StreamSchema>, attempt: u32, row_data: RowData) -> Self {
        Self {
            schema,
            rows: batch.row_count(),
            bytes: batch.byte_count(),
            batch: Some(batch),
            reached: RowSet::default(),
            rejected: BTreeMap::new(),
            secret: BTreeSet::new(),
            made: Vec::new(),
            made_bytes: 0,
            open: Vec::new(),
            first_index: 0,
            attempt,
            row_data,
        }
    }

    /// The rows that are accepted as things stand, and which they are if they are not all; none where there are none or they
    /// were given up.
    pub(super) fn accepted_rows(&self) -> Option<(Option<Vec<u32>>, Arc<Batch>)> {
        let batch = self.batch.as_ref()?;
        match self.counters().accepted {
            0 => None,
            all if all == u64::from(self.rows) => Some((None, Arc::clone(batch))),
            _ => {
                let rows: Vec<u32> = (0..self.rows).filter(|row| self.is_accepted(*row)).collect();
                let batch = Arc::new(rows::take(batch, &rows));
                Some((Some(rows), batch))
            }
        }
    }

    pub(super) fn stream(&self) -> &str {
        &self.schema.stream
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    pub(super) fn row_count(&self) -> u32 {
        self.rows
    }

    /// Bytes that it keeps in memory: the rows, and a guess for what row errors will add.
    pub(super) fn kept_bytes(&self) -> u64 {
        const EACH: usize = 256;
        let rows = if self.batch.is_some() { self.bytes } else { 0 };
        let reasons: usize = self.rejected.values().map(|why| why.message.len() + EACH).sum();
        let open = self.open.len() * size_of::<(u32, KeyHash)>();
        (rows + reasons + open + EACH) as u64 + self.made_bytes
    }

    /// Rejects a source row; the first reason counts. True if it was not rejected before.
    pub(super) fn reject(&mut self, row: u32, reject: Reject, by: RejectedBy) -> bool {
        if self.rejected.contains_key(&row) {
            return false;
        }
        let Reject { code, message, retryable, .. } = self.row_data.allowed(reject);
        self.rejected.insert(row, Why { by, code, message: cut_message(message), retryable });
        true
    }

    /// Rejects a source row that holds a secret: its copy would keep the secret too.
    pub(super) fn reject_secret(&mut self, reject: Reject) {
        self.secret.insert(reject.row);
        self.reject(reject.row, reject, RejectedBy::Host);
    }

    pub(super) fn is_rejected(&self, row: u32) -> bool {
        self.rejected.contains_key(&row)
    }

    pub(super) fn rejected_rows(&self) -> impl Iterator<Item = u32> {
        self.rejected.keys().copied()
    }

    pub(super) fn any_rejected(&self) -> bool {
        !self.rejected.is_empty()
    }

    /// Something that was made of these source rows reached the destination.
    pub(super) fn reach(&mut self, origin: &Origin, rows: u32) {
        match origin {
            Origin::Same => self.reached.insert_below(rows),
            Origin::Rows(list) => list.iter().take(rows as usize).for_each(|row| self.reached.insert(*row)),
        }
    }

    /// Whether the row is accepted as things stand.
    pub(super) fn is_accepted(&self, row: u32) -> bool {
        self.reached.contains(row) && !self.is_rejected(row)
    }

    /// Notes which accepted rows have the key of an open row error. Once, as long as the rows are there.
    pub(super) fn look_up(&mut self, open: &dyn OpenKeys) {
        let (Some(batch), Some(keys)) = (&self.batch, Keys::new(&self.schema)) else { return };
        let mut found = Vec::new();
        keys.each(batch, (0..self.rows).filter(|row| self.is_accepted(*row)), |row, key| {
            found.extend(open.hash_if_open(key).map(|hash| (row, hash)))
        });
        self.open = found;
    }

    /// The accepted rows, as things stand, whose key has an open row error.
    pub(super) fn open(&self) -> impl Iterator<Item = (u32, KeyHash)> {
        self.open.iter().copied().filter(|(row, _)| self.is_accepted(*row))
    }

    /// What became of the rows as things stand.
    pub(super) fn counters(&self) -> Counters {
        let accepted = if self.rejected.is_empty() && self.reached.all_below >= self.rows {
            u64::from(self.rows)
        } else {
            (0..self.rows).filter(|row| self.is_accepted(*row)).count() as u64
        };
        let rejected = self.rejected.len() as u64;
        let read = u64::from(self.rows);
        Counters { read, accepted, rejected, filtered: read.saturating_sub(accepted + rejected) }
    }

    /// The code of each rejected row.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.rejected.values().map(|why| why.code.as_str())
    }

    /// The first rejected row, for a run that fails at it.
    pub(super) fn first_rejected(&self) -> Option<Error> {
        let (row, why) = self.rejected.first_key_value()?;
        Some(Error::RowRejected {
            stream: self.stream().to_owned(),
            index: self.first_index + u64::from(*row),
            code: why.code.clone(),
            message: why.message.clone(),
            row: self.shown(*row),
        })
    }

    /// The row as JSON, for people.
    fn shown(&self, row: u32) -> Option<String> {
        let is_shown = self.row_data != RowData::Off && !self.secret.contains(&row);
        let batch = self.batch.as_ref().filter(|_| is_shown)?;
        rows::row_json(batch, &self.schema, row)
    }

    /// Gives the rows up to free memory; those rejected so far are kept as row errors.
    pub(super) fn give_up(&mut self) {
        if self.batch.is_some() {
            self.made = self.row_errors();
            let rows = gathered(&mut self.made);
            self.made_bytes = rows as u64 + self.made.iter().map(row_error_bytes).sum::<u64>();
            self.batch = None;
        }
    }

    /// A row error for each rejected row.
    pub(super) fn row_errors(&self) -> Vec<RowError> {
        let mut errors = self.made.clone();
        let index_of = |row: u32| self.first_index + u64::from(row);
        // Made in the order of the rows; those rejected since are added behind.
        let is_made = |row: u32| self.made.binary_search_by_key(&index_of(row), |made| made.index).is_ok();
        let rejected: Vec<(u32, &Why)> =
            self.rejected.iter().map(|(row, why)| (*row, why)).filter(|(row, _)| !is_made(*row)).collect();
        errors.extend(self.errors(&rejected));
        errors
    }

    /// The row errors of those of these rows that are rejected.
    pub(super) fn row_errors_of(&self, rows: &BTreeSet<u32>) -> Vec<RowError> {
        let rejected: Vec<(u32, &Why)> =
            rows.iter().filter_map(|row| Some((*row, self.rejected.get(row)?))).collect();
        self.errors(&rejected)
    }

    /// The code of a row that is rejected.
    pub(super) fn code(&self, row: u32) -> Option<&str> {
        self.rejected.get(&row).map(|why| why.code.as_str())
    }

    fn errors(&self, rejected: &[(u32, &Why)]) -> Vec<RowError> {
        let rows: Vec<u32> = rejected.iter().map(|(row, _)| *row).collect();
        let kept = match &self.batch {
            Some(batch) => kept(batch, &self.schema, &rows, self.row_data),
            None => rows.iter().map(|_| Kept::nothing(self.row_data)).collect(),
        };
        let without_secret =
            |(row, kept): (&u32, Kept)| if self.secret.contains(row) { Kept::withheld() } else { kept };
        let kept = rows.iter().zip(kept).map(without_secret);
        let error = |(&(row, why), kept): (&(u32, &Why), Kept)| RowError {
            index: self.first_index + u64::from(row),
            code: why.code.clone(),
            message: why.message.clone(),
            retryable: why.retryable,
            by: why.by,
            operation: self.batch.as_ref().and_then(|batch| batch.operations.get(row as usize)),
            attempt: self.attempt,
            row: kept.copy,
            fields: kept.fields,
            key: kept.key,
        };
        rejected.iter().zip(kept).map(error).collect()
    }
}

/// What a row error keeps in memory, beside its row.
fn row_error_bytes(error: &RowError) -> u64 {
    let fields: usize = error.fields.iter().map(String::len).sum();
    let key = error.key.as_ref().map_or(0, Vec::len);
    (fields + key + error.message.len() + size_of::<RowError>()) as u64
}

/// Rows on their way: what was made so far of one source batch.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) batch: Arc<Batch>,
    pub(super) origin: Origin,
}

impl Flow {
    /// Without the rows whose source row was rejected; none if no row is left.
    pub(super) fn without_rejected(self, tracked: &Tracked) -> Result<Option<Self>, Error> {
        let count = self.batch.row_count();
        if count == 0 {
            return Ok(None);
        }
        if !tracked.any_rejected() {
            return Ok(Some(self));
        }
        let mut kept = Vec::with_capacity(count as usize);
        for row in 0..count {
            if !tracked.is_rejected(self.origin.of(row)?) {
                kept.push(row);
            }
        }
        if kept.len() == count as usize {
            return Ok(Some(self));
        }
        if kept.is_empty() {
            return Ok(None);
        }
        let batch = Arc::new(rows::take(&self.batch, &kept));
        Ok(Some(Self { batch, origin: self.origin.then(Some(kept))? }))
    }

    /// These rows only; none: all of them.
    pub(super) fn pick(&self, kept: Option<Vec<u32>>) -> Result<Self, Error> {
        let Some(kept) = kept else { return Ok(self.clone()) };
        let batch = Arc::new(rows::take(&self.batch, &kept));
        Ok(Self { batch, origin: self.origin.then(Some(kept))? })
    }

    pub(super) fn byte_count(&self) -> usize {
        self.batch.byte_count() + self.origin.byte_count()
    }
}

/// One source batch on its way.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) tracked: Tracked,
    pub(super) flows: Vec<Flow>,
    /// Rows that the stream's limit counts.
    pub(super) selected: u64,
}

impl Parcel {
    pub(super) fn byte_count(&self) -> usize {
        let flows: usize = self.flows.iter().map(Flow::byte_count).sum();
        // Without transforms the flow is the source batch itself, which is then counted twice; the look-ahead is the
        // shorter for it, never the longer.
        flows + self.tracked.bytes
    }
}
