//! Rows that a destination may reject as late as at its commit, until that commit is settled: stored before it, and gone
//! with the batch that makes it true or forgets it.
//!
//! The unit's prepared record names what was kept for it. What is named by none is a remain: of an attempt that came to
//! no commit, or of a crash.

use crate::codec;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::seat::Seat;
use crate::tables::{KEPT_ROWS, Key, UNITS};
use crate::unit::StoredUnit;
use pipeline::model::{Batch, StreamSchema};
use pipeline::records::KeptBatch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use storage::{CHANGE_STEPS_MAX, Change, Life, Range};

/// A commit is settled when the next run begins. Rows that were accepted, as nearly all of these were, are not to lie about
/// for as long as those of row errors; after a week of standstill a late reject has no row.
const LIFE_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// What one call has kept.
#[derive(Serialize, Deserialize)]
struct Segment<Rows> {
    schemas: Vec<StreamSchema>,
    batches: Vec<SegmentBatch<Rows>>,
}

#[derive(Serialize, Deserialize)]
struct SegmentBatch<Rows> {
    number: u32,
    /// The place of its schema in the segment.
    schema: usize,
    rows: Option<Vec<u32>>,
    batch: Rows,
}

/// What is kept for the next commit of a unit: its token, and the numbers of the segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keeping {
    pub(crate) token: String,
    pub(crate) segments: Vec<u32>,
}

impl SealedRecords {
    pub(crate) async fn keep_rows(
        &self,
        seat: &Seat,
        unit: &str,
        token: &str,
        batches: Vec<KeptBatch>,
    ) -> Result<(), Error> {
        let Some(segment) = batches.first().map(|batch| batch.number) else { return Ok(()) };
        let packed = tokio::task::spawn_blocking(move || pack(&batches)).await;
        let packed = packed.map_err(|error| codec::unreadable(KEPT_ROWS, &error))??;
        let given_up = seat.keep(unit, token, segment);
        let mut change = self.change();
        if let Some(Keeping { token, segments }) = given_up {
            change = discard_kept(change, &seat.sync, unit, &token, &segments);
        }
        let life =
            Life::Until(self.storage.now_ms().saturating_add(LIFE_MS.min(seat.retention().row_errors_ms)));
        let key = segment_key(&seat.sync, unit, token, segment);
        self.commit_fenced(seat, change.put(KEPT_ROWS, key, life, packed)).await
    }

    /// What is kept for the commit that is prepared; what has expired is not there.
    pub(crate) async fn read_kept(
        &self,
        sync: &str,
        unit: &str,
        token: &str,
    ) -> Result<Vec<KeptBatch>, Error> {
        let (stored, _) = self.read_unit(sync, unit).await?;
        let mut kept = Vec::new();
        if stored.record.prepared.is_none_or(|prepared| prepared.token != token) {
            return Ok(kept);
        }
        for segment in stored.kept {
            let key = segment_key(sync, unit, token, segment);
            if let Some((segment, _)) = self.read_compact::<Segment<Batch>>(KEPT_ROWS, &key).await? {
                kept.extend(unpack(segment)?);
            }
        }
        Ok(kept)
    }

    /// Removes what no prepared record of the sync names. Only by a run that has begun.
    pub(crate) async fn sweep_kept(&self, seat: &Seat) -> Result<(), Error> {
        let prefix = Key::of(&seat.sync);
        let mut after: Option<Vec<u8>> = None;
        let mut named: Option<BTreeSet<Vec<u8>>> = None;
        loop {
            // One at a time: each is large, and there are none as a rule.
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: 1 };
            let found = self.storage.scan(&self.organization, KEPT_ROWS, range).await?;
            let Some((key, _)) = found.into_iter().next() else { return Ok(()) };
            let named = match &mut named {
                Some(named) => named,
                None => named.insert(self.named_segments(&seat.sync).await?),
            };
            if !named.contains(&key) {
                self.commit_fenced(seat, self.change().discard(KEPT_ROWS, key.clone())).await?;
            }
            after = Some(key);
        }
    }

    async fn named_segments(&self, sync: &str) -> Result<BTreeSet<Vec<u8>>, Error> {
        let mut named = BTreeSet::new();
        for (_, found) in self.scan_all(UNITS, &Key::of(sync)).await? {
            let unit: StoredUnit = codec::from_json(UNITS, found.value.expose())?;
            let Some(prepared) = unit.record.prepared else { continue };
            let key = |segment: &u32| segment_key(sync, &unit.name, &prepared.token, *segment).bytes();
            named.extend(unit.kept.iter().map(key));
        }
        Ok(named)
    }
}

/// Forgets what was kept for a commit.
pub(crate) fn discard_kept(change: Change, sync: &str, unit: &str, token: &str, segments: &[u32]) -> Change {
    let discard =
        |change: Change, segment: &u32| change.discard(KEPT_ROWS, segment_key(sync, unit, token, *segment));
    segments.iter().fold(change, discard)
}

/// What a settled commit changes beside: its unit, list of stages, count, two groups, settlement and draft.
const SETTLING_STEPS: usize = 8;
const _: () = assert!(pipeline::records::KEEP_CALLS_MAX + SETTLING_STEPS <= CHANGE_STEPS_MAX);

fn segment_key(sync: &str, unit: &str, token: &str, segment: u32) -> Key {
    Key::of(sync).name(unit).name(token).short(segment)
}

fn pack(kept: &[KeptBatch]) -> Result<Vec<u8>, Error> {
    let mut segment = Segment { schemas: Vec::new(), batches: Vec::with_capacity(kept.len()) };
    for KeptBatch { number, schema, rows, batch } in kept {
        let known = segment.schemas.iter().position(|known| known == schema.as_ref());
        let schema = known.unwrap_or_else(|| {
            segment.schemas.push(schema.as_ref().clone());
            segment.schemas.len() - 1
        });
        let (number, rows) = (*number, rows.clone());
        segment.batches.push(SegmentBatch { number, schema, rows, batch: batch.as_ref() });
    }
    codec::to_compact(KEPT_ROWS, &segment)
}

fn unpack(segment: Segment<Batch>) -> Result<Vec<KeptBatch>, Error> {
    let schemas: Vec<Arc<StreamSchema>> = segment.schemas.into_iter().map(Arc::new).collect();
    let batch = |SegmentBatch { number, schema, rows, batch }| {
        Some(KeptBatch { number, schema: Arc::clone(schemas.get(schema)?), rows, batch: Arc::new(batch) })
    };
    let batches: Option<Vec<KeptBatch>> = segment.batches.into_iter().map(batch).collect();
    batches.ok_or_else(|| codec::unreadable(KEPT_ROWS, &"a schema of kept rows is missing"))
}
