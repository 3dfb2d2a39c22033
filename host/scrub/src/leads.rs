//! The places where escapes begin. Other searches stop at each place that they find, which takes longer than the search itself
//! where there is one in every thirty bytes, as in JSON.

use memchr::memchr3;

const BLOCK_BYTES: usize = 64;

/// Tells all places where an escape could begin, `+` among them if it could, that are kept.
#[inline]
pub(crate) fn leads(text: &[u8], has_plus: bool, keeps: impl Fn(usize) -> bool, mut tell: impl FnMut(usize)) {
    let other = if has_plus { b'+' } else { b'%' };
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let places = places(rest, other);
        // No `if`: a processor guesses badly which of them are kept.
        let mut kept = 0;
        each(places, |place| kept |= u64::from(keeps(start + place)) << place);
        each(kept, |place| tell(start + place));
        // Where there are few, or none, a search that stops is the quicker one.
        let behind = rest.get(BLOCK_BYTES..).filter(|_| places == 0 && !has_plus);
        let skipped = behind.map_or(0, |behind| memchr3(b'%', b'\\', b'&', behind).unwrap_or(behind.len()));
        start += BLOCK_BYTES + skipped;
    }
}

#[inline]
fn each(mut places: u64, mut tell: impl FnMut(usize)) {
    while places != 0 {
        tell(places.trailing_zeros() as usize);
        places &= places - 1;
    }
}

/// A bit for each place of the first block.
#[inline]
fn places(text: &[u8], other: u8) -> u64 {
    match text.first_chunk::<BLOCK_BYTES>() {
        Some(block) => places_of(block, other),
        None => {
            let mut block = [0; BLOCK_BYTES];
            block.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
            places_of(&block, other)
        }
    }
}

#[inline]
fn places_of(block: &[u8; BLOCK_BYTES], other: u8) -> u64 {
    let mut marks = [0; BLOCK_BYTES];
    for (mark, byte) in marks.iter_mut().zip(block) {
        // No `||`: without branches the compiler looks at sixteen bytes at once.
        *mark = u8::from((*byte == b'%') | (*byte == b'\\') | (*byte == b'&') | (*byte == other));
    }
    let (words, _) = marks.as_chunks::<8>();
    let gathered = words.iter().map(|word| gathered(u64::from_le_bytes(*word)));
    gathered.zip((0..).step_by(8)).fold(0, |places, (some, at)| places | some << at)
}

/// The lowest bit of each of eight bytes, side by side: the product has that of byte n at 56 + n, and no two at one place.
fn gathered(word: u64) -> u64 {
    word.wrapping_mul(0x0102_0408_1020_4080) >> 56
}
