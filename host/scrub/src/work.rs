//! How much following its needles has cost a search. Whoever knows a secret that repeats itself can make a text in which it
//! could go on from everywhere: a needle that has cost too much there is looked for in the other way ([`crate::repeating`]).

/// In steps of about a nanosecond. Texts that were not made for it cost less than one of these a byte.
const STEPS_FOR_A_BYTE: u64 = 32;
/// The other way takes longer with a long needle: a step for so many bytes of it.
const NEEDLE_BYTES_FOR_A_STEP: u64 = 32;
/// For pieces so small that a few candidates are many.
const STEPS_AT_LEAST: u64 = 1 << 14;

/// What one search has done for each needle.
#[derive(Default)]
pub(crate) struct Work {
    most: u64,
    /// Empty until there is something to do: most texts have nothing that looks like a needle.
    by_needle: Vec<u64>,
}

impl Work {
    /// For needles of so many bytes at most.
    pub(crate) fn new(text: &[u8], needle_bytes: usize) -> Self {
        let for_a_byte = STEPS_FOR_A_BYTE + needle_bytes as u64 / NEEDLE_BYTES_FOR_A_STEP;
        Self { most: STEPS_AT_LEAST + for_a_byte * text.len() as u64, by_needle: Vec::new() }
    }

    /// Whether the needle has cost too much.
    pub(crate) fn is_used_up(&self, needle: usize) -> bool {
        self.left(needle) == 0
    }

    pub(crate) fn left(&self, needle: usize) -> u64 {
        self.most.saturating_sub(self.by_needle.get(needle).copied().unwrap_or_default())
    }

    pub(crate) fn add(&mut self, needle: usize, steps: u64) {
        if self.by_needle.len() <= needle {
            self.by_needle.resize(needle + 1, 0);
        }
        if let Some(done) = self.by_needle.get_mut(needle) {
            *done += steps;
        }
    }

    /// The needles that have cost too much.
    pub(crate) fn used_up(&self) -> Vec<usize> {
        (0..self.by_needle.len()).filter(|needle| self.is_used_up(*needle)).collect()
    }

    #[cfg(test)]
    pub(crate) fn sum(&self) -> u64 {
        self.by_needle.iter().sum()
    }
}

/// What it takes to compare so many bytes.
pub(crate) fn comparing(bytes: usize) -> u64 {
    1 + bytes as u64 / 32
}
