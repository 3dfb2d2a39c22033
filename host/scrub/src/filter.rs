//! A set of keys that says of most others, at one look, that they are not in it. What it lets through has to be looked up.

use zeroize::Zeroizing;

pub(crate) struct Filter {
    /// None at all: nothing is in it.
    words: Zeroizing<Vec<u64>>,
    /// What is left of a hash when its high bits say where to look.
    shift: u32,
}

impl Filter {
    /// A filter of 2^`size` bits, `size` between 6 and 32.
    pub(crate) fn new(size: u32, keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let words = if keys.len() == 0 { 0 } else { 1 << (size - 6) };
        let mut filter = Self { words: Zeroizing::new(vec![0; words]), shift: 64 - size };
        for key in keys {
            let (word, bits) = filter.spot(key);
            if let Some(word) = filter.words.get_mut(word) {
                *word |= bits;
            }
        }
        filter
    }

    #[inline]
    pub(crate) fn may_have(&self, key: u64) -> bool {
        let (word, bits) = self.spot(key);
        self.words.get(word).is_some_and(|word| word & bits == bits)
    }

    /// A word, and two of its bits: of a filter that is full to an eighth, one look in sixty lets through what it should not.
    #[inline]
    fn spot(&self, key: u64) -> (usize, u64) {
        // An odd number near 2^64 divided by the golden ratio: the product's high bits depend on all bits of the key.
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let place = hash >> self.shift;
        ((place >> 6) as usize, 1 << (place & 63) | 1 << (hash >> 20 & 63))
    }
}
