//! Reads the commit journal again: into a database that is behind it, or for a snapshot.

use std::collections::BTreeMap;
use std::path::Path;

use super::codec::{self, Written};
use super::database::{Counts, Database, Fault};
use super::error::OpenError;
use super::fence::Fence;
use super::frame::{Frame, Kind, Mac};
use super::journal::Place;
use super::segment::Segment;
use super::survey::Known;

/// Entries of the journal are applied so many bytes at a time.
const STEP_BYTES: usize = 1 << 20;

/// Why a journal was not replayed.
pub(super) enum ReplayError {
    Journal(OpenError),
    Database(Fault),
}

impl From<OpenError> for ReplayError {
    fn from(error: OpenError) -> Self {
        Self::Journal(error)
    }
}

impl From<Fault> for ReplayError {
    fn from(fault: Fault) -> Self {
        Self::Database(fault)
    }
}

/// The segments that have commits behind this one.
pub(super) fn needed(segments: &[Known], behind: u64) -> &[Known] {
    let first_behind = behind.saturating_add(1);
    let start = segments.partition_point(|known| known.first <= first_behind).saturating_sub(1);
    segments.get(start..).unwrap_or_default()
}

/// Applies every commit behind what is in the database, durably. Many at a time, as they were applied the first time: commits
/// that came one after the other mostly belong to the same leaves.
pub(super) fn into_database(
    place: &Place,
    segments: &[Known],
    database: &Database,
    before: Counts,
) -> Result<Counts, ReplayError> {
    let mut counts = before;
    let mut fence = Fence::default();
    let mut chain: Option<Mac> = None;
    for known in needed(segments, before.sequence) {
        let segment = Segment::read(place.path(known.number), known.number, &place.key)?;
        check_joint(&segment, chain, counts.sequence)?;
        let mut step = Step::default();
        let mut fault = None;
        let end = segment.walk(&place.key, |frame| {
            if fault.is_none() && frame.kind == Kind::Batches && frame.next() > counts.sequence + 1 {
                step.take_in(&segment.path, frame, counts.sequence)?;
                if step.bytes >= STEP_BYTES {
                    match std::mem::take(&mut step).apply(database, &mut fence, counts) {
                        Ok(after) => counts = after,
                        Err(found) => fault = Some(found),
                    }
                }
            }
            Ok(())
        })?;
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        counts = step.apply(database, &mut fence, counts)?;
        chain = Some(end.chain);
    }
    if fence.is_up() {
        database.sync(&mut fence)?;
    }
    Ok(counts)
}

/// Commits that are applied together.
#[derive(Default)]
struct Step<'a> {
    changes: BTreeMap<&'a [u8], Option<&'a [u8]>>,
    bytes: usize,
    newest: u64,
}

impl<'a> Step<'a> {
    /// Takes what a frame has behind this commit.
    fn take_in(&mut self, path: &Path, frame: &Frame<'a>, behind: u64) -> Result<(), OpenError> {
        for (sequence, batch) in batches(path, frame)? {
            if sequence > behind {
                self.changes.extend(batch.deletes.iter().map(|key| (*key, None)));
                self.changes.extend(batch.puts.iter().map(|(key, value)| (*key, Some(*value))));
                self.newest = sequence;
            }
        }
        self.bytes += frame.payload.len();
        Ok(())
    }

    fn apply(self, database: &Database, fence: &mut Fence, before: Counts) -> Result<Counts, Fault> {
        if self.newest == 0 {
            return Ok(before);
        }
        let counts = database.apply(fence, self.newest, before, self.changes.into_iter())?;
        database.sync_when_due(fence)?;
        Ok(counts)
    }
}

/// A segment stands behind the one before it: same chain, and no sequence is missing in between.
pub(super) fn check_joint(segment: &Segment, chain: Option<Mac>, newest: u64) -> Result<(), OpenError> {
    let fits = chain.is_none_or(|chain| chain == segment.header.chain);
    if fits && segment.header.first <= newest.saturating_add(1) {
        return Ok(());
    }
    Err(OpenError::damaged(
        &segment.path,
        32,
        "entries are missing between this segment and the one before it",
    ))
}

/// The batches of a frame with their sequences.
pub(super) fn batches<'a>(path: &Path, frame: &Frame<'a>) -> Result<Vec<(u64, Written<'a>)>, OpenError> {
    let batches = codec::decode(frame.payload, frame.batches)
        .ok_or_else(|| OpenError::damaged(path, 0, "an entry cannot be read though its MAC fits"))?;
    Ok((frame.first..).zip(batches).collect())
}
