//! What the threads of an engine share.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use super::database::{Counts, Database, Fault};
use super::journal::{self, Place};
use super::overlay::Overlay;
use super::survey::Known;
use crate::engine::{Batch, EngineError, Sequence};

/// A segment that no backup holds is kept so long, to build a broken database anew.
const SEGMENT_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// And whatever their age so many are kept, 256 MiB to 4 GiB: power cuts in a row can break sled's file beyond repair, and a
/// journal from the first commit on builds it anew without any backup.
const SEGMENTS_KEPT: usize = 256;

/// Why a closed engine does nothing.
pub(super) const CLOSED: &str = "it was closed";

pub(super) struct Shared {
    pub(super) place: Place,
    /// None: the engine is closed.
    database: RwLock<Option<Arc<Database>>>,
    /// Commits that are not in the database yet.
    pub(super) overlay: Overlay,
    stopped: OnceLock<String>,
    /// What is in the database.
    counts: Mutex<Counts>,
    /// Everything up to this commit is durable in the journal.
    newest: AtomicU64,
    /// Everything up to this commit is durable in the database.
    synced: AtomicU64,
    /// Everything up to this commit is in a backup.
    backed_up: AtomicU64,
    segments: Mutex<Segments>,
}

#[derive(Default)]
struct Segments {
    known: VecDeque<Known>,
    /// Snapshots read what is behind these commits.
    pins: BTreeMap<u64, Sequence>,
    next_pin: u64,
}

/// Keeps the segments behind a commit as long as it lives.
pub(super) struct Pin {
    shared: Arc<Shared>,
    number: u64,
    pub(super) behind: Sequence,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.shared.segments().pins.remove(&self.number);
    }
}

impl Shared {
    pub(super) fn new(place: Place, database: Database, counts: Counts, segments: Vec<Known>) -> Self {
        Self {
            place,
            database: RwLock::new(Some(Arc::new(database))),
            overlay: Overlay::default(),
            stopped: OnceLock::new(),
            counts: Mutex::new(counts),
            newest: counts.sequence.into(),
            synced: AtomicU64::new(0),
            backed_up: AtomicU64::new(0),
            segments: Mutex::new(Segments { known: segments.into(), ..Segments::default() }),
        }
    }

    /// The live database, while the engine runs.
    pub(super) fn database(&self) -> Result<Arc<Database>, EngineError> {
        self.check()?;
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner).clone();
        database.ok_or_else(|| self.stop(CLOSED.to_owned()))
    }

    pub(super) fn replace_database(&self, database: Database) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(database));
    }

    /// Lets go of the database, so that sled gives its file free; a snapshot that still reads keeps it a while longer.
    pub(super) fn close_database(&self) {
        let database = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(database) = database.and_then(Arc::into_inner) {
            // Everything is durable, or the engine has stopped and the reason is known.
            let _ = database.close();
        }
    }

    /// After this nothing is read or written any more. The first reason stays.
    pub(super) fn stop(&self, reason: String) -> EngineError {
        EngineError::Stopped { reason: self.stopped.get_or_init(|| reason).clone() }
    }

    pub(super) fn check(&self) -> Result<(), EngineError> {
        match self.stopped.get() {
            Some(reason) => Err(EngineError::Stopped { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.get().is_some()
    }

    pub(super) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_counts(&self, counts: Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    /// The newest commit that is durable.
    pub(super) fn newest(&self) -> Sequence {
        self.newest.load(Ordering::Acquire)
    }

    /// Lets everyone see commits, which are durable, up to this one. Answers with about how much memory they take. Who has seen
    /// one of them and asks for the newest then must not be told of an older one, so that is set first.
    pub(super) fn show(&self, newest: Sequence, batches: impl Iterator<Item = Batch>) -> usize {
        self.newest.store(newest, Ordering::Release);
        self.overlay.take_in(newest, batches)
    }

    pub(super) fn segment_begins(&self, known: Known) {
        self.segments().known.push_back(known);
    }

    pub(super) fn segment_count(&self) -> usize {
        self.segments().known.len()
    }

    /// The segments that have commits behind this one.
    pub(super) fn segments_behind(&self, sequence: Sequence) -> Vec<Known> {
        super::replay::needed(self.segments().known.make_contiguous(), sequence).to_vec()
    }

    /// From now on the segments behind the newest commit that is in the database are kept.
    pub(super) fn pin(self: &Arc<Self>) -> Pin {
        let mut segments = self.segments();
        let behind = self.counts().sequence;
        let number = segments.next_pin;
        segments.next_pin += 1;
        segments.pins.insert(number, behind);
        Pin { shared: Arc::clone(self), number, behind }
    }

    pub(super) fn backed_up(&self, sequence: Sequence) {
        self.backed_up.fetch_max(sequence, Ordering::AcqRel);
    }

    /// Everything up to this commit is durable in the database: drops what the journal need not keep any more.
    pub(super) fn synced(&self, sequence: Sequence) {
        self.synced.fetch_max(sequence, Ordering::AcqRel);
        // What cannot be removed now is tried again after the next sync, and harms nobody meanwhile.
        let _ = self.drop_segments();
    }

    /// Oldest first, and never one behind one that is kept: so the journal stays without a gap. Each is gone for certain before
    /// the next one goes: a file system may keep the first name and lose the second.
    fn drop_segments(&self) -> io::Result<()> {
        let synced = self.synced.load(Ordering::Acquire);
        let backed_up = self.backed_up.load(Ordering::Acquire);
        let mut segments = self.segments();
        let pinned = segments.pins.values().copied().min().unwrap_or(u64::MAX);
        while let (Some(oldest), Some(next)) = (segments.known.front(), segments.known.get(1)) {
            let newest_commit = next.first.saturating_sub(1);
            if newest_commit > synced || newest_commit > pinned {
                break;
            }
            let path = self.place.path(oldest.number);
            let is_backed_up = newest_commit <= backed_up;
            if !may_go(is_backed_up, segments.known.len(), || is_old(&path))? {
                break;
            }
            journal::remove(&path)?;
            self.sync_journal_names()?;
            segments.known.pop_front();
        }
        Ok(())
    }

    fn sync_journal_names(&self) -> io::Result<()> {
        let Place { disk, directory, .. } = &self.place;
        let synced = disk.sync_directory(directory);
        if let Err(error) = &synced {
            self.stop(format!("failed to sync `{}`: {error}", directory.display()));
        }
        synced
    }

    fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the oldest of so many segments is kept no longer, once the database has what is in it.
fn may_go(
    is_backed_up: bool,
    segments: usize,
    is_old: impl FnOnce() -> io::Result<bool>,
) -> io::Result<bool> {
    if is_backed_up {
        return Ok(true);
    }
    Ok(segments > SEGMENTS_KEPT && is_old()?)
}

/// By when it was last written. A clock that was put back keeps a segment longer.
fn is_old(path: &std::path::Path) -> io::Result<bool> {
    let written = std::fs::metadata(path)?.modified()?;
    Ok(SystemTime::now().duration_since(written).is_ok_and(|age| age > SEGMENT_AGE_MAX))
}

/// What a reader is told when sled cannot read.
pub(super) fn unreadable(database: &Database, fault: Fault) -> EngineError {
    EngineError::Damaged { place: database.path().display().to_string(), problem: fault.0 }
}

#[cfg(test)]
mod tests {
    use super::{SEGMENTS_KEPT, may_go};

    #[test]
    fn what_no_backup_holds_goes_only_when_it_is_old_and_there_is_much_of_it() {
        let goes = |is_backed_up, segments, old: bool| may_go(is_backed_up, segments, || Ok(old)).unwrap();
        assert!(goes(true, 2, false));
        assert!(!goes(false, SEGMENTS_KEPT, true));
        assert!(!goes(false, SEGMENTS_KEPT + 1, false));
        assert!(goes(false, SEGMENTS_KEPT + 1, true));
    }
}
