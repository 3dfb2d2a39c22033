//! Many entries under one key of sled, which is made for few and large ones: each of its keys costs about 7 µs to insert, half of
//! it because pages of more than 16 keys are split. Changes are applied many at a time and in the order of their keys, and those
//! that come together lie together, so a leaf is rewritten once for several of them.
//!
//! ```text
//! leaf  = entry...                                         in the order of their keys
//! entry = bytes of the key u16 | bytes of the head u16 | key | head      big-endian
//! ```
//! A leaf is found by the key of sled under which it lies, its **bound**: it has every entry from there up to the next leaf's
//! bound. The first bound is empty, so every key has its leaf.

use super::codec::Reader;
use super::stored::Head;

/// What a leaf has before it is cut. Larger ones save little more when many changes come together, and cost more when one comes
/// alone. An entry that is larger has a leaf to itself, of 5 KiB and a bound of 1 KiB at most: 17 of those make the largest page
/// that sled has before it splits it. Pages over 128 KiB it puts into files of their own, which it does not sync.
const LEAF_BYTES: usize = 2 << 10;

/// An entry as it lies in a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot<'a> {
    pub(super) key: &'a [u8],
    pub(super) head: Head<'a>,
    /// All of it.
    bytes: &'a [u8],
}

/// The entries of a leaf, and an error where it cannot be read.
pub(super) struct Slots<'a>(&'a [u8]);

/// A leaf has a form that is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl<'a> Slots<'a> {
    pub(super) fn of(leaf: &'a [u8]) -> Self {
        Self(leaf)
    }

    fn take(&mut self) -> Option<Slot<'a>> {
        let mut reader = Reader::new(self.0);
        let key_bytes = usize::from(u16::from_be_bytes(reader.array()?));
        let head_bytes = usize::from(u16::from_be_bytes(reader.array()?));
        let (key, head) = (reader.bytes(key_bytes)?, Head::decode(reader.bytes(head_bytes)?)?);
        let (bytes, rest) = self.0.split_at_checked(4 + key_bytes + head_bytes)?;
        self.0 = rest;
        Some(Slot { key, head, bytes })
    }
}

impl<'a> Iterator for Slots<'a> {
    type Item = Result<Slot<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let taken = self.take().ok_or(Unreadable);
        if taken.is_err() {
            self.0 = &[];
        }
        Some(taken)
    }
}

/// The entry of a key, if the leaf has it.
pub(super) fn find<'a>(leaf: &'a [u8], key: &[u8]) -> Result<Option<Slot<'a>>, Unreadable> {
    for slot in Slots::of(leaf) {
        let slot = slot?;
        if slot.key >= key {
            return Ok((slot.key == key).then_some(slot));
        }
    }
    Ok(None)
}

/// A leaf with changes in it. They come in the order of their keys.
pub(super) struct Edit<'a> {
    /// Entries of the leaf as it was, behind the last change.
    rest: std::iter::Peekable<Slots<'a>>,
    bytes: Vec<u8>,
    /// Where the entries begin.
    starts: Vec<usize>,
}

impl<'a> Edit<'a> {
    pub(super) fn of(leaf: &'a [u8]) -> Self {
        Self {
            rest: Slots::of(leaf).peekable(),
            bytes: Vec::with_capacity(leaf.len() + LEAF_BYTES),
            starts: Vec::new(),
        }
    }

    /// So much is in it up to the last change.
    pub(super) fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    /// The key gets this head; none: it is deleted. Answers with the entry that it had.
    pub(super) fn change(&mut self, key: &[u8], head: Option<&[u8]>) -> Result<Option<Slot<'a>>, Unreadable> {
        self.keep_while(|slot| slot.key < key)?;
        let old = self.rest.next_if(|slot| slot.as_ref().is_ok_and(|slot| slot.key == key)).transpose()?;
        if let Some(head) = head {
            self.starts.push(self.bytes.len());
            for length in [key.len(), head.len()] {
                // Keys have 1 KiB at most, heads 4 KiB and one byte.
                self.bytes.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            }
            self.bytes.extend_from_slice(key);
            self.bytes.extend_from_slice(head);
        }
        Ok(old)
    }

    /// What becomes of the leaf: one or several, in order; none when nothing is in it any more. All but the first lie under the
    /// key of their first entry.
    pub(super) fn finish(mut self) -> Result<Vec<Vec<u8>>, Unreadable> {
        self.keep_while(|_| true)?;
        // As long as each other, so that a leaf to which entries are added here and there is not cut again at once.
        let about = self.bytes.len().div_ceil(self.bytes.len().div_ceil(LEAF_BYTES).max(1));
        let ends = self.starts.iter().skip(1).copied().chain([self.bytes.len()]);
        let mut leaves: Vec<Vec<u8>> = Vec::new();
        for (start, end) in self.starts.iter().copied().zip(ends) {
            let entry = self.bytes.get(start..end).unwrap_or_default();
            match leaves.last_mut() {
                Some(leaf) if leaf.len() < about && leaf.len() + entry.len() <= LEAF_BYTES => {
                    leaf.extend_from_slice(entry);
                }
                _ => leaves.push(entry.to_vec()),
            }
        }
        Ok(leaves)
    }

    fn keep_while(&mut self, is_kept: impl Fn(&Slot<'_>) -> bool) -> Result<(), Unreadable> {
        while let Some(slot) = self.rest.next_if(|slot| slot.as_ref().map_or(true, &is_kept)) {
            self.starts.push(self.bytes.len());
            self.bytes.extend_from_slice(slot?.bytes);
        }
        Ok(())
    }
}

/// The key of the first entry: the bound of a leaf that is cut off another.
pub(super) fn first_key(leaf: &[u8]) -> Option<&[u8]> {
    Some(Slots::of(leaf).next()?.ok()?.key)
}

#[cfg(test)]
mod tests;
