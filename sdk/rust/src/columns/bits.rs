//! Bitmaps, least significant bit first.

/// Bits that are all 1 until the first 0; only then they take memory.
#[derive(Debug, Default)]
pub(super) struct SparseBits {
    bytes: Option<Vec<u8>>,
    length: usize,
}

impl SparseBits {
    #[inline]
    pub(super) fn push(&mut self, bit: bool) {
        if let Some(bytes) = &mut self.bytes {
            push_bit(bytes, self.length, bit);
        } else if !bit {
            let mut bytes = ones(self.length);
            push_bit(&mut bytes, self.length, false);
            self.bytes = Some(bytes);
        }
        self.length += 1;
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.length = length;
        if let Some(bytes) = &mut self.bytes {
            truncate_bits(bytes, length);
        }
    }

    pub(super) fn byte_count(&self) -> usize {
        self.bytes.as_ref().map_or(0, Vec::len)
    }

    pub(super) fn finish(self) -> Option<Vec<u8>> {
        self.bytes
    }
}

/// Append a bit to a bitmap that holds `length` bits.
#[inline]
pub(super) fn push_bit(bytes: &mut Vec<u8>, length: usize, bit: bool) {
    if length.is_multiple_of(8) {
        bytes.push(u8::from(bit));
    } else if let Some(last) = bytes.last_mut() {
        *last |= u8::from(bit) << (length % 8);
    }
}

/// Keep the first `length` bits.
pub(super) fn truncate_bits(bytes: &mut Vec<u8>, length: usize) {
    bytes.truncate(length.div_ceil(8));
    if !length.is_multiple_of(8)
        && let Some(last) = bytes.last_mut()
    {
        *last &= (1 << (length % 8)) - 1;
    }
}

fn ones(length: usize) -> Vec<u8> {
    let mut bytes = vec![0xff; length.div_ceil(8)];
    truncate_bits(&mut bytes, length);
    bytes
}

/// Whether a bit is set; past the end it is not.
#[inline]
pub(super) fn bit(bytes: &[u8], index: usize) -> bool {
    bytes.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}
