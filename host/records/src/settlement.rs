//! What a commit does to row errors of earlier commits: their key was accepted since, or they were sent through again.
//!
//! It may concern more of them than one batch can change. So it is drafted when the commit is prepared, becomes true as one
//! record in the batch that makes the commit true, and is applied to the chunks after that, as often as it takes: readers
//! and the next run look at the record first.

use crate::codec;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::reprocess::{OfCommit, Plan};
use crate::seat::Seat;
use crate::superseded::ErrorRef;
use crate::tables::{Key, SETTLEMENTS};
use pipeline::model::Operation;
use pipeline::records::{Amendment, KeyHash, Prepared, Purpose, RejectedBy, RowError, RowErrorChunk};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::{Change, Life};

const DRAFT: u64 = 0;
const TRUE: u64 = 1;

/// What will be settled if the commit takes effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// The run that commits.
    run: u64,
    /// Keys that were accepted, by stream, and the row errors that have them.
    superseded: Vec<(String, KeyHash, Vec<ErrorRef>)>,
    /// Rows that were sent through again, in their order, by stream; with the index of the first.
    reprocessed: OfCommit,
    /// Those of them that were rejected again, by stream and index.
    rejected: BTreeMap<(String, u64), Rejection>,
}

/// Why a row was rejected again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rejection {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retryable: bool,
    pub(crate) by: RejectedBy,
    pub(crate) operation: Option<Operation>,
    pub(crate) attempt: u32,
    pub(crate) fields: Vec<String>,
}

/// What becomes of one row error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Fate {
    /// Its key was accepted.
    Superseded,
    /// It is to be deleted: its row was accepted or filtered, or somebody wished it.
    Dealt,
    /// Its row was rejected again.
    Rejected(Rejection),
}

/// What is settled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settled {
    /// The run that did it.
    pub(crate) run: u64,
    pub(crate) fates: BTreeMap<ErrorRef, Fate>,
    /// How many rows of each stream were sent through again.
    pub(crate) sent: BTreeMap<String, u64>,
}

impl Draft {
    /// Late rejects change what will be settled. Returns the row errors that are none of rows sent through again.
    pub(crate) fn amend(&mut self, amendment: &Amendment, late: Vec<RowErrorChunk>) -> Vec<RowErrorChunk> {
        self.superseded.retain(|(stream, hash, _)| {
            amendment.unsettled.get(stream).is_none_or(|unsettled| !unsettled.contains(hash))
        });
        self.take_rejected(late)
    }

    fn take_rejected(&mut self, chunks: Vec<RowErrorChunk>) -> Vec<RowErrorChunk> {
        if self.reprocessed.is_empty() {
            return chunks;
        }
        for chunk in chunks {
            for error in chunk.errors {
                let RowError { index, code, message, retryable, by, operation, attempt, fields, .. } = error;
                let rejection = Rejection { code, message, retryable, by, operation, attempt, fields };
                self.rejected.insert((chunk.schema.stream.clone(), index), rejection);
            }
        }
        Vec::new()
    }

    /// What is settled now that the commit has taken effect.
    pub(crate) fn conclude(self) -> Settled {
        let Self { run, superseded, reprocessed, mut rejected } = self;
        let mut settled = Settled { run, ..Settled::default() };
        for (_, _, places) in superseded {
            settled.fates.extend(places.into_iter().map(|at| (at, Fate::Superseded)));
        }
        for (stream, (first, places)) in reprocessed {
            settled.sent.insert(stream.clone(), places.len() as u64);
            for (index, at) in (first..).zip(places) {
                let fate = rejected.remove(&(stream.clone(), index)).map_or(Fate::Dealt, Fate::Rejected);
                settled.fates.insert(at, fate);
            }
        }
        settled
    }
}

impl SealedRecords {
    /// What a commit will settle, and the row errors that are new ones. Takes the hashes out of what is prepared.
    pub(crate) fn draft_settlement(
        &self,
        seat: &Seat,
        prepared: &mut Prepared,
        row_errors: Vec<RowErrorChunk>,
        plan: Option<&Plan>,
    ) -> Result<(Vec<RowErrorChunk>, Option<Draft>), Error> {
        let mut draft = Draft { run: prepared.run, ..Draft::default() };
        let open = seat.open_errors().clone();
        for (stream, hashes) in std::mem::take(&mut prepared.effect.settled) {
            let Some(open) = open.get(&stream) else { continue };
            let found = hashes.into_iter().map(|hash| (stream.clone(), hash, open.of(&hash).collect()));
            draft.superseded.extend(found);
        }
        let mut row_errors = row_errors;
        if let Some(plan) = plan.filter(|_| prepared.purpose == Purpose::Reprocess) {
            draft.reprocessed = plan.of_commit(prepared)?;
            row_errors = draft.take_rejected(row_errors);
            Plan::check_rejects(prepared, draft.rejected.keys())?;
        }
        let any = !draft.superseded.is_empty() || !draft.reprocessed.is_empty();
        Ok((row_errors, any.then_some(draft)))
    }

    pub(crate) fn put_draft(
        &self,
        change: Change,
        seat: &Seat,
        unit: &str,
        draft: &Draft,
    ) -> Result<Change, Error> {
        let value = codec::to_compact(SETTLEMENTS, draft)?;
        Ok(change.put(SETTLEMENTS, key(&seat.sync, unit, DRAFT), self.settlement_life(seat), value))
    }

    pub(crate) async fn read_draft(&self, seat: &Seat, unit: &str) -> Result<Option<Draft>, Error> {
        let found = self.read_compact(SETTLEMENTS, &key(&seat.sync, unit, DRAFT)).await?;
        Ok(found.map(|(draft, _)| draft))
    }

    pub(crate) fn delete_draft(&self, change: Change, seat: &Seat, unit: &str) -> Change {
        change.discard(SETTLEMENTS, key(&seat.sync, unit, DRAFT))
    }

    /// In the place of its draft.
    pub(crate) fn put_settled(
        &self,
        change: Change,
        seat: &Seat,
        unit: &str,
        settled: &Settled,
    ) -> Result<Change, Error> {
        let value = codec::to_compact(SETTLEMENTS, settled)?;
        let change = change.put(SETTLEMENTS, key(&seat.sync, unit, TRUE), self.settlement_life(seat), value);
        Ok(self.delete_draft(change, seat, unit))
    }

    fn settlement_life(&self, seat: &Seat) -> Life {
        Life::Until(self.storage.now_ms().saturating_add(seat.retention().row_errors_ms))
    }

    /// Applies what is settled and not applied yet of every unit of the sync.
    pub(crate) async fn apply_settlements(&self, seat: &Seat) -> Result<(), Error> {
        for (key, found) in self.scan_all(SETTLEMENTS, &Key::of(&seat.sync)).await? {
            if key.ends_with(&TRUE.to_be_bytes()) {
                let settled = codec::from_compact(SETTLEMENTS, found.value.expose())?;
                self.apply(seat, key, settled).await?;
            }
        }
        Ok(())
    }

    /// Applies what is settled and not applied yet of a unit.
    pub(crate) async fn apply_settlement(&self, seat: &Seat, unit: &str) -> Result<(), Error> {
        let key = key(&seat.sync, unit, TRUE).bytes();
        match self.read_compact::<Settled>(SETTLEMENTS, &key).await? {
            Some((settled, _)) => self.apply(seat, key, settled).await,
            None => Ok(()),
        }
    }

    async fn apply(&self, seat: &Seat, key: Vec<u8>, settled: Settled) -> Result<(), Error> {
        if settled.fates.is_empty() {
            return Ok(());
        }
        for (at, edits) in by_chunk(settled.fates) {
            self.edit_chunk(&seat.sync, Some(seat), at, &edits, settled.run).await?;
        }
        self.commit_fenced(seat, self.change().discard(SETTLEMENTS, key)).await
    }

    /// What is settled and may not be applied yet, for readers.
    pub(crate) async fn pending_fates(&self, sync: &str) -> Result<BTreeMap<ErrorRef, (u64, Fate)>, Error> {
        let mut fates = BTreeMap::new();
        for (key, found) in self.scan_all(SETTLEMENTS, &Key::of(sync)).await? {
            if key.ends_with(&TRUE.to_be_bytes()) {
                let settled: Settled = codec::from_compact(SETTLEMENTS, found.value.expose())?;
                fates.extend(settled.fates.into_iter().map(|(at, fate)| (at, (settled.run, fate))));
            }
        }
        Ok(fates)
    }
}

/// By the chunk in which they are; offsets within.
pub(crate) fn by_chunk(fates: BTreeMap<ErrorRef, Fate>) -> BTreeMap<ErrorRef, BTreeMap<u32, Fate>> {
    let mut chunks: BTreeMap<ErrorRef, BTreeMap<u32, Fate>> = BTreeMap::new();
    for (at, fate) in fates {
        chunks.entry(ErrorRef { offset: 0, ..at }).or_default().insert(at.offset, fate);
    }
    chunks
}

fn key(sync: &str, unit: &str, kind: u64) -> Key {
    Key::of(sync).name(unit).number(kind)
}
