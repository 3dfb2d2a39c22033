//! The places where escapes begin. Other searches stop at each place that they find, which takes longer than the search itself
//! where there is one in every thirty bytes, as in JSON.

const BLOCK_BYTES: usize = 64;

/// Tells all places where an escape could begin, `+` among them if it could.
#[inline]
pub(crate) fn leads(text: &[u8], has_plus: bool, mut tell: impl FnMut(usize)) {
    let other = if has_plus { b'+' } else { b'%' };
    let (blocks, rest) = text.as_chunks::<BLOCK_BYTES>();
    let mut last = [0; BLOCK_BYTES];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    for (number, block) in blocks.iter().chain([&last]).enumerate() {
        let mut places = places(block, other);
        while places != 0 {
            tell(number * BLOCK_BYTES + places.trailing_zeros() as usize);
            places &= places - 1;
        }
    }
}

/// A bit for each place of the block.
#[inline]
fn places(block: &[u8; BLOCK_BYTES], other: u8) -> u64 {
    let mut marks = [0; BLOCK_BYTES];
    for (mark, byte) in marks.iter_mut().zip(block) {
        // No `||`: without branches the compiler looks at sixteen bytes at once.
        *mark = u8::from((*byte == b'%') | (*byte == b'\\') | (*byte == b'&') | (*byte == other));
    }
    let (words, _) = marks.as_chunks::<8>();
    words.iter().rev().fold(0, |places, word| places << 8 | gathered(u64::from_le_bytes(*word)))
}

/// The lowest bit of each of eight bytes, side by side: the product has that of byte n at 56 + n, and no two at one place.
fn gathered(word: u64) -> u64 {
    word.wrapping_mul(0x0102_0408_1020_4080) >> 56
}
