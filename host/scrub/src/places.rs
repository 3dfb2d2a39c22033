//! Sets of places in a needle, a bit each, for the bytes of a text around one.

use zeroize::Zeroizing;

use crate::escape::ESCAPE_BYTES_MAX;

/// The longest escape leads so far; a power of two is quicker to divide by.
const KEPT: usize = ESCAPE_BYTES_MAX.next_power_of_two();
const WORD_BITS: usize = 64;

/// By byte, the places of a needle at which it stands.
pub(crate) struct Rows {
    rows: Zeroizing<Vec<u64>>,
    words: usize,
    needle_bytes: usize,
}

impl Rows {
    pub(crate) fn new(needle: &[u8]) -> Self {
        // One place more: the one behind the needle.
        let words = needle.len() / WORD_BITS + 1;
        let mut rows = Zeroizing::new(vec![0; words << 8]);
        for (place, byte) in needle.iter().enumerate() {
            if let Some(word) = rows.get_mut(usize::from(*byte) * words + place / WORD_BITS) {
                *word |= 1 << (place % WORD_BITS);
            }
        }
        Self { rows, words, needle_bytes: needle.len() }
    }

    pub(crate) fn words(&self) -> usize {
        self.words
    }

    fn of(&self, byte: u8) -> &[u64] {
        let start = usize::from(byte) * self.words;
        self.rows.get(start..start + self.words).unwrap_or_default()
    }
}

/// For each of some places of the text that lie side by side, a set of places of the needle.
pub(crate) struct Places {
    sets: Zeroizing<Vec<u64>>,
    /// Whether there may be something in each.
    is_used: [bool; KEPT],
    moved: Zeroizing<Vec<u64>>,
    words: usize,
    last: usize,
}

impl Places {
    pub(crate) fn new(rows: &Rows) -> Self {
        let zeros = |words: usize| Zeroizing::new(vec![0; words]);
        let (sets, moved) = (zeros(rows.words * KEPT), zeros(rows.words));
        Self { sets, is_used: [false; KEPT], moved, words: rows.words, last: rows.needle_bytes }
    }

    pub(crate) fn clear(&mut self, at: usize) {
        if self.has_any(at) {
            self.set_mut(at).fill(0);
            self.use_(at, false);
        }
    }

    pub(crate) fn clear_all(&mut self) {
        self.sets.fill(0);
        self.is_used = [false; KEPT];
    }

    pub(crate) fn add_first(&mut self, at: usize) {
        self.add(at, 0);
    }

    /// The place behind the needle.
    pub(crate) fn add_last(&mut self, at: usize) {
        self.add(at, self.last);
    }

    pub(crate) fn add_all_but_last(&mut self, at: usize) {
        let last = self.last;
        for (number, word) in self.set_mut(at).iter_mut().enumerate() {
            let bits = last.saturating_sub(number * WORD_BITS);
            *word |= if bits < WORD_BITS { (1 << bits) - 1 } else { u64::MAX };
        }
        self.use_(at, true);
    }

    pub(crate) fn has_first(&self, at: usize) -> bool {
        self.has(at, 0)
    }

    pub(crate) fn has_last(&self, at: usize) -> bool {
        self.has(at, self.last)
    }

    pub(crate) fn has_any(&self, at: usize) -> bool {
        self.is_used.get(at % KEPT).copied().unwrap_or_default()
    }

    /// Whether there is anything within an escape behind this place.
    pub(crate) fn goes_on(&self, at: usize) -> bool {
        (at + 1..at + KEPT).any(|behind| self.has_any(behind))
    }

    /// Adds to the set at `to` each place from which `value` leads to one in the set at `from`.
    pub(crate) fn back(&mut self, rows: &Rows, to: usize, from: usize, value: &[u8]) {
        if !self.take(from) {
            return;
        }
        for byte in value.iter().rev() {
            let mut carry = 0;
            for (word, row) in self.moved.iter_mut().zip(rows.of(*byte)).rev() {
                let low = *word << (WORD_BITS - 1);
                *word = (*word >> 1 | carry) & row;
                carry = low;
            }
        }
        self.give(to);
    }

    /// Adds to the set at `to` each place to which `value` leads from one in the set at `from`.
    pub(crate) fn forward(&mut self, rows: &Rows, from: usize, to: usize, value: &[u8]) {
        if !self.take(from) {
            return;
        }
        for byte in value {
            let mut carry = 0;
            for (word, row) in self.moved.iter_mut().zip(rows.of(*byte)) {
                let stands = *word & row;
                *word = stands << 1 | carry;
                carry = stands >> (WORD_BITS - 1);
            }
        }
        self.give(to);
    }

    fn take(&mut self, from: usize) -> bool {
        if !self.has_any(from) {
            return false;
        }
        let start = from % KEPT * self.words;
        let set = self.sets.get(start..start + self.words).unwrap_or_default();
        self.moved.iter_mut().zip(set).for_each(|(to, from)| *to = *from);
        true
    }

    fn give(&mut self, to: usize) {
        if self.moved.iter().all(|word| *word == 0) {
            return;
        }
        let start = to % KEPT * self.words;
        let set = self.sets.get_mut(start..start + self.words).unwrap_or_default();
        set.iter_mut().zip(self.moved.iter()).for_each(|(to, from)| *to |= from);
        self.use_(to, true);
    }

    fn add(&mut self, at: usize, place: usize) {
        if let Some(word) = self.set_mut(at).get_mut(place / WORD_BITS) {
            *word |= 1 << (place % WORD_BITS);
        }
        self.use_(at, true);
    }

    fn has(&self, at: usize, place: usize) -> bool {
        let word = self.sets.get(at % KEPT * self.words + place / WORD_BITS);
        word.is_some_and(|word| word >> (place % WORD_BITS) & 1 == 1)
    }

    fn set_mut(&mut self, at: usize) -> &mut [u64] {
        let start = at % KEPT * self.words;
        self.sets.get_mut(start..start + self.words).unwrap_or_default()
    }

    fn use_(&mut self, at: usize, is_used: bool) {
        if let Some(used) = self.is_used.get_mut(at % KEPT) {
            *used = is_used;
        }
    }
}
