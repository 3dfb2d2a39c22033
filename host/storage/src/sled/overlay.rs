//! Commits that are durable in the journal and not yet in the database: a reader looks here first.
//!
//! Two layers. Commits come into the fresh one; the applier takes it as a whole, and until everything of it is in the database
//! it stays here as the one that is being applied.
//!
//! **Invariant:** who looks here first and into the database after that misses no commit: a change leaves the overlay only when
//! it is in the database that a reader is given from then on.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::engine::{Batch, Sequence};

/// What a section of a scan has at most of one layer: so much is copied at a time.
const SECTION_ENTRIES: usize = 128;
const SECTION_BYTES: usize = 1 << 20;
/// What the map and the allocator take for a change besides its bytes; about that, for entries of 16 to 300 bytes.
const ENTRY_BYTES: usize = 96;

/// The newest change of each key; none: it is deleted.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Changes that are applied together.
#[derive(Default)]
pub(super) struct Layer {
    pub(super) changes: Changes,
    /// The last commit in it; 0: there is none.
    pub(super) newest: Sequence,
}

/// A part of a range, in the order of its keys.
pub(super) struct Section {
    pub(super) changes: Changes,
    /// It has every change up to this key; none: up to the end of the range.
    pub(super) until: Option<Vec<u8>>,
}

#[derive(Default)]
pub(super) struct Overlay(RwLock<Layers>);

#[derive(Default)]
struct Layers {
    fresh: Layer,
    applying: Arc<Layer>,
}

impl Layer {
    fn is_empty(&self) -> bool {
        self.newest == 0
    }

    /// Deletes come before puts. Answers with about how much memory it takes.
    fn take_in(&mut self, batch: Batch) -> usize {
        let mut bytes = 0;
        for key in batch.delete {
            bytes += ENTRY_BYTES + key.len();
            self.changes.insert(key, None);
        }
        for (key, value) in batch.put {
            bytes += ENTRY_BYTES + key.len() + value.len();
            self.changes.insert(key, Some(value));
        }
        bytes
    }

    /// Puts the changes of a range into a section, over those that are there.
    fn lay_over(&self, prefix: &[u8], after: Option<&[u8]>, section: &mut Section) {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let (mut entries, mut bytes) = (0, 0);
        for (key, value) in self.changes.range::<[u8], _>((start, Bound::Unbounded)) {
            if !key.starts_with(prefix) || section.until.as_ref().is_some_and(|until| key > until) {
                return;
            }
            section.changes.insert(key.clone(), value.clone());
            entries += 1;
            bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            if entries >= SECTION_ENTRIES || bytes >= SECTION_BYTES {
                section.until = Some(key.clone());
                return;
            }
        }
    }
}

impl Overlay {
    /// What a key has here; the inner none: it is deleted.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        let layers = self.read();
        layers.fresh.changes.get(key).or_else(|| layers.applying.changes.get(key)).cloned()
    }

    /// The changes of a range, or of the first part of it.
    pub(super) fn section(&self, prefix: &[u8], after: Option<&[u8]>) -> Section {
        let layers = self.read();
        let mut section = Section { changes: Changes::new(), until: None };
        layers.applying.lay_over(prefix, after, &mut section);
        layers.fresh.lay_over(prefix, after, &mut section);
        if let Some(until) = &section.until {
            // Of the layer below there may be more, of which the one above is not known.
            let mut beyond = section.changes.split_off(until);
            section.changes.extend(beyond.remove_entry(until));
        }
        section
    }

    /// Lets everyone see the commits up to this one, which are durable. Answers with about how much memory they take.
    pub(super) fn take_in(&self, newest: Sequence, batches: impl Iterator<Item = Batch>) -> usize {
        let mut layers = self.write();
        layers.fresh.newest = newest;
        batches.map(|batch| layers.fresh.take_in(batch)).sum()
    }

    /// What is to be applied now; none: nothing.
    pub(super) fn begin(&self) -> Option<Arc<Layer>> {
        let mut layers = self.write();
        if layers.applying.is_empty() {
            layers.applying = Arc::new(std::mem::take(&mut layers.fresh));
        }
        (!layers.applying.is_empty()).then(|| Arc::clone(&layers.applying))
    }

    /// What was to be applied is in the database.
    pub(super) fn finish(&self) {
        self.write().applying = Arc::default();
    }

    fn read(&self) -> RwLockReadGuard<'_, Layers> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Layers> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
