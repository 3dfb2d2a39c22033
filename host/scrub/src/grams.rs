//! Finds needles that stand as they are.
//!
//! Every needle has at least `stride + 3` bytes, so four bytes at each multiple of `stride` are looked at: one such place
//! lies within the first bytes of any needle that is there. A filter of bits says that most of them begin nothing. Places do
//! not depend on each other, which is what makes it fast.

use zeroize::{DefaultIsZeroes, Zeroizing};

use crate::filter::Filter;
use crate::needle::Needle;

const BLOCK_BYTES: usize = 4;
/// At most 16 KiB, to stay in the first cache beside a text.
const FILTER_SIZE_MAX: u32 = 17;
/// Of the filter for each block, of which two are set: one look in a thousand lets through what it should not.
const FILTER_BITS: usize = 64;
/// More would make more blocks for each needle and little less work.
const STRIDE_MAX: usize = 48;

/// Four bytes of a needle.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Gram {
    block: u32,
    needle: u32,
    offset: u32,
}

impl DefaultIsZeroes for Gram {}

pub(crate) struct Grams {
    stride: usize,
    filter: Filter,
    /// In order.
    grams: Zeroizing<Vec<Gram>>,
}

impl Grams {
    pub(crate) fn new(needles: &[Needle]) -> Self {
        let shortest = needles.iter().map(|needle| needle.bytes.len()).min().unwrap_or_default();
        let stride = (shortest.max(BLOCK_BYTES) - BLOCK_BYTES + 1).min(STRIDE_MAX);
        let mut grams = Zeroizing::new(Vec::with_capacity(needles.len() * stride));
        for (place, needle) in (0..).zip(needles) {
            for (offset, window) in (0..).zip(needle.bytes.windows(BLOCK_BYTES).take(stride)) {
                grams.extend(block(window).map(|block| Gram { block, needle: place, offset }));
            }
        }
        grams.sort_unstable();
        let size = (grams.len() * FILTER_BITS).max(64).next_power_of_two().ilog2().min(FILTER_SIZE_MAX);
        let filter = Filter::new(size, grams.iter().map(|gram| gram.block.into()));
        Self { stride, filter, grams }
    }

    /// A needle that begins before the last so many bytes, and as it is, is told as a candidate though the end cuts it off.
    pub(crate) fn seen_bytes(&self) -> usize {
        self.stride + BLOCK_BYTES - 1
    }

    /// Tells each needle that may begin at a place, with the place.
    pub(crate) fn candidates(&self, text: &[u8], mut tell: impl FnMut(usize, usize)) {
        // A block of four bytes lies within a stride: the shortest needles have twelve.
        for (number, stride) in text.chunks(self.stride).enumerate() {
            if let Some(block) = block(stride).filter(|block| self.filter.may_have((*block).into())) {
                self.tell(block, number * self.stride, &mut tell);
            }
        }
    }

    #[cold]
    fn tell(&self, block: u32, at: usize, tell: &mut impl FnMut(usize, usize)) {
        let first = self.grams.partition_point(|gram| gram.block < block);
        let same = self.grams.iter().skip(first).take_while(|gram| gram.block == block);
        for gram in same {
            if let Some(start) = at.checked_sub(gram.offset as usize) {
                tell(gram.needle as usize, start);
            }
        }
    }
}

fn block(text: &[u8]) -> Option<u32> {
    text.first_chunk::<BLOCK_BYTES>().map(|block| u32::from_le_bytes(*block))
}
