//! Bitmaps, least significant bit first.

use std::ops::Range;

/// Bits that are all 1 until the first 0; only then they take memory.
#[derive(Debug, Default)]
pub(crate) struct Bits {
    bytes: Option<Vec<u8>>,
    length: usize,
}

impl Bits {
    #[inline]
    pub(crate) fn push(&mut self, bit: bool) {
        if self.bytes.is_none() && !bit {
            let mut bytes = vec![0xff; self.length.div_ceil(8)];
            cut(&mut bytes, self.length);
            self.bytes = Some(bytes);
        }
        if let Some(bytes) = &mut self.bytes {
            push_bit(bytes, self.length, bit);
        }
        self.length += 1;
    }

    /// Append some of the bits of another.
    pub(crate) fn append(&mut self, other: &Self, range: Range<usize>) {
        if self.bytes.is_none() && other.bytes.is_none() {
            self.length += range.len();
        } else {
            range.for_each(|index| self.push(other.get(index)));
        }
    }

    pub(crate) fn get(&self, index: usize) -> bool {
        self.bytes.as_ref().is_none_or(|bytes| get_bit(bytes, index))
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
        if let Some(bytes) = &mut self.bytes {
            cut(bytes, self.length);
        }
    }

    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        self.bytes
    }
}

/// Append a bit to a bitmap that holds `length` bits.
#[inline]
pub(crate) fn push_bit(bytes: &mut Vec<u8>, length: usize, bit: bool) {
    let mask = u8::from(bit) << (length % 8);
    if length.is_multiple_of(8) {
        bytes.push(mask);
    } else if let Some(last) = bytes.last_mut() {
        *last |= mask;
    }
}

pub(crate) fn get_bit(bytes: &[u8], index: usize) -> bool {
    bytes.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

/// Keep the first `length` bits; what is left of the last byte is zero.
pub(super) fn cut(bytes: &mut Vec<u8>, length: usize) {
    bytes.truncate(length.div_ceil(8));
    let rest = length % 8;
    if rest > 0
        && let Some(last) = bytes.last_mut()
    {
        *last &= (1 << rest) - 1;
    }
}
