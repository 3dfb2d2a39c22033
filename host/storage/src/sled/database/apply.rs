//! Makes changes true in a database, leaf by leaf.

use std::iter::Peekable;

use ::sled::{Batch, IVec};

use super::{Counts, Database, Fault, guarded, size};
use crate::sled::fence::Fence;
use crate::sled::leaf::{self, Edit, Slot};
use crate::sled::stored::{self, COUNTS_KEY, FORMAT};

/// What is written to a leaf, and to the parts of its values, in one step. One value more may come on top.
const STEP_BYTES: usize = 64 << 10;

/// A key and what it gets; none: it is deleted.
pub(in crate::sled) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// What goes with a leaf that is written.
#[derive(Default)]
struct Parts {
    /// Of values that are new.
    put: Vec<(Vec<u8>, Vec<u8>)>,
    /// Of values that were replaced.
    outdated: Vec<Vec<u8>>,
    bytes: usize,
}

impl Database {
    /// Makes changes of different keys true, one leaf after the other, and then says that it is as of this commit. In the order
    /// of their keys they cost least. Whoever reads meanwhile finds some of them: readers look into the overlay before. What a
    /// crash leaves is what was there at the last sync, of which none is in between. Answers with what is in the database then.
    pub(in crate::sled) fn apply<'a>(
        &self,
        fence: &mut Fence,
        sequence: u64,
        before: Counts,
        changes: impl Iterator<Item = Change<'a>>,
    ) -> Result<Counts, Fault> {
        guarded(|| {
            fence.raise(self.written());
            let mut counts = Counts { sequence, ..before };
            let mut changes = changes.peekable();
            while let Some((first, _)) = changes.peek().copied() {
                self.change_leaf(&mut counts, first, &mut changes)?;
            }
            let numbers = [counts.sequence, counts.live_bytes, counts.entries];
            let numbers = numbers.map(u64::to_be_bytes).concat();
            self.db.insert(COUNTS_KEY, [&[FORMAT], numbers.as_slice()].concat())?;
            Ok(counts)
        })
    }

    /// Makes the changes true that begin with this key and belong to the same leaf.
    fn change_leaf<'a>(
        &self,
        counts: &mut Counts,
        first: &'a [u8],
        changes: &mut Peekable<impl Iterator<Item = Change<'a>>>,
    ) -> Result<(), Fault> {
        let (at, leaf) =
            self.leaf_of(first)?.unwrap_or_else(|| (stored::leaf_key(&[]).into(), IVec::default()));
        let until = self.bound_behind(&at)?;
        let (mut edit, mut parts) = (Edit::of(&leaf), Parts::default());
        let mut last: Option<&[u8]> = None;
        while let Some((key, value)) = changes.next_if(|(key, _)| {
            until.as_ref().is_none_or(|until| *key < stored::bound_of(until))
                && last.is_none_or(|last| last < *key)
                && edit.byte_count() + parts.bytes < STEP_BYTES
        }) {
            last = Some(key);
            let encoded = value.map(|value| stored::encode(counts.sequence, value));
            let old = edit.change(key, encoded.as_ref().map(|(head, _)| head.as_slice()))?;
            counts.change(key, value, old);
            parts.replace(key, encoded.map(|(_, parts)| parts).unwrap_or_default(), old);
        }
        self.write_leaf(&at, edit.finish()?, parts)
    }

    /// Where the next leaf lies; none: this is the last one.
    fn bound_behind(&self, at: &IVec) -> Result<Option<IVec>, Fault> {
        let behind = (
            std::ops::Bound::Excluded(at.to_vec()),
            std::ops::Bound::Excluded(stored::parts_start().to_vec()),
        );
        let next = self.db.range::<Vec<u8>, _>(behind).next().transpose()?;
        Ok(next.map(|(next, _)| next))
    }

    /// Writes what has become of a leaf. More than one key of sled at once, or a reader might miss what moves from one leaf to
    /// the next, or find a head and never its parts.
    fn write_leaf(&self, at: &IVec, leaves: Vec<Vec<u8>>, parts: Parts) -> Result<(), Fault> {
        let Parts { put, outdated, .. } = parts;
        let mut leaves = leaves.into_iter();
        match leaves.next() {
            None => drop(self.db.remove(at)?),
            Some(only) if leaves.len() == 0 && put.is_empty() => drop(self.db.insert(at, only)?),
            Some(first) => {
                let mut batch = Batch::default();
                batch.insert(at, first);
                for leaf in leaves {
                    let bound = leaf::first_key(&leaf).unwrap_or_default();
                    batch.insert(stored::leaf_key(bound), leaf);
                }
                put.into_iter().for_each(|(key, part)| batch.insert(key, part));
                self.db.apply_batch(batch)?;
            }
        }
        for key in outdated {
            self.db.remove(key)?;
        }
        Ok(())
    }
}

impl Counts {
    fn change(&mut self, key: &[u8], value: Option<&[u8]>, old: Option<Slot<'_>>) {
        if let Some(value) = value {
            self.live_bytes += size(key, u64::try_from(value.len()).unwrap_or(u64::MAX));
            self.entries += 1;
        }
        if let Some(old) = old {
            self.live_bytes = self.live_bytes.saturating_sub(size(key, old.head.value_bytes()));
            self.entries = self.entries.saturating_sub(1);
        }
    }
}

impl Parts {
    fn replace(&mut self, key: &[u8], parts: Vec<Vec<u8>>, old: Option<Slot<'_>>) {
        let mut number = 0;
        for part in parts {
            self.bytes += part.len();
            self.put.push((stored::part_key(key, number), part));
            number += 1;
        }
        let outdated = number..old.map_or(0, |old| old.head.parts());
        self.outdated.extend(outdated.map(|number| stored::part_key(key, number)));
    }
}
