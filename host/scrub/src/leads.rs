//! The places where escapes begin that could stand for a byte of a needle. In JSON there is an escape in every thirty bytes, and
//! most of them (`\"`, `\/`, `\n`) stand for what no secret has: a place is told by two bytes, and 64 places at once.

use fearless_simd::{Level, Simd, SimdBase, SimdMask, dispatch, u8x16, u8x64};
use zeroize::Zeroizing;

use crate::escape::is_lead;
use crate::stands::Stands;

const BLOCK_BYTES: usize = 64;
/// So many blocks are marked before what was marked is looked at: the first search needs no branches.
const BLOCKS: usize = 32;
const LEADS: [u8; 4] = [b'\\', b'%', b'&', b'+'];

/// Looks for places where escapes begin.
///
/// Each lead is two classes, a bit each: with a digit or a sign behind it, or with a letter. A byte is looked up by its two
/// halves, and is in the classes in which both are. That says no more of bytes than is so where it is asked of leads; where it
/// is asked of what stands behind them, it may say so of some for which it is not: they are looked at again.
pub(crate) struct Leads {
    level: Level,
    /// By the lower and the higher half of a lead, and of the byte behind it. Wiped, as they tell which bytes needles have.
    classes: Zeroizing<Vec<[u8; 16]>>,
    /// Whether `+` is a lead.
    has_plus: bool,
}

impl Leads {
    pub(crate) fn new(stands: &Stands) -> Self {
        let mut classes = Zeroizing::new(vec![[0; 16]; 4]);
        if let [lead_low, lead_high, next_low, next_high] = classes.as_mut_slice() {
            for (place, lead) in LEADS.into_iter().enumerate() {
                let class = |next: u8| 1 << (2 * place + usize::from(next >= b'@'));
                add((lead_low, lead_high), lead, class(b'@') | class(b'0'));
                for next in (0..=u8::MAX).filter(|next| stands.may_begin(&[lead, *next])) {
                    add((next_low, next_high), next, class(next));
                }
            }
        }
        Self { level: Level::new(), classes, has_plus: stands.has(b' ') }
    }

    /// Tells each place, in order, where an escape begins that could stand for a byte of a needle, and few others.
    pub(crate) fn places(&self, text: &[u8], mut tell: impl FnMut(usize)) {
        let mut marks = [0; BLOCKS];
        let mut start = 0;
        while let Some(rest) = text.get(start..).filter(|rest| rest.len() > 1) {
            self.mark(rest, &mut marks);
            for (block, marks) in (start..).step_by(BLOCK_BYTES).zip(marks) {
                each(marks, |place| tell(block + place));
            }
            start += BLOCKS * BLOCK_BYTES;
        }
        // Of the last byte nobody knows what will stand behind it.
        if let [.., last] = text
            && (is_lead(*last) || (*last == b'+' && self.has_plus))
        {
            tell(text.len() - 1);
        }
    }

    /// A bit for each place of as many blocks as there are marks, but for the last place of the text.
    fn mark(&self, text: &[u8], marks: &mut [u64; BLOCKS]) {
        if let [lead_low, lead_high, next_low, next_high] = self.classes.as_slice() {
            let (leads, nexts) = ((lead_low, lead_high), (next_low, next_high));
            dispatch!(self.level, simd => mark(simd, (leads, nexts), text, marks));
        }
    }
}

fn add((low, high): (&mut [u8; 16], &mut [u8; 16]), byte: u8, class: u8) {
    for (classes, half) in [(low, byte & 15), (high, byte >> 4)] {
        if let Some(classes) = classes.get_mut(usize::from(half)) {
            *classes |= class;
        }
    }
}

/// Classes by the lower and the higher half of a byte.
type Classes<'a> = (&'a [u8; 16], &'a [u8; 16]);
type Halves<S> = (u8x64<S>, u8x64<S>);

// No closure below touches a vector: what is not inlined is not compiled for what the machine can.

#[inline(always)]
fn mark<S: Simd>(
    simd: S,
    (leads, nexts): (Classes<'_>, Classes<'_>),
    text: &[u8],
    marks: &mut [u64; BLOCKS],
) {
    let (leads, nexts) = (halves(simd, leads), halves(simd, nexts));
    let mut rest = text;
    for marks in marks {
        let behind = rest.get(1..).unwrap_or_default();
        *marks = match (rest.first_chunk(), behind.first_chunk()) {
            (Some(block), Some(next)) => marked(simd, leads, nexts, (block, next)),
            _ if behind.is_empty() => 0,
            _ => marked(simd, leads, nexts, (&padded(rest), &padded(behind))) & below(behind.len()),
        };
        rest = rest.get(BLOCK_BYTES..).unwrap_or_default();
    }
}

#[inline(always)]
fn halves<S: Simd>(simd: S, (low, high): Classes<'_>) -> Halves<S> {
    let repeated = (u8x16::load_array_ref(simd, low), u8x16::load_array_ref(simd, high));
    (u8x64::block_splat(repeated.0), u8x64::block_splat(repeated.1))
}

#[inline(always)]
fn marked<S: Simd>(
    simd: S,
    leads: Halves<S>,
    nexts: Halves<S>,
    (block, next): (&[u8; BLOCK_BYTES], &[u8; BLOCK_BYTES]),
) -> u64 {
    let leads = classes(simd, leads, u8x64::load_array_ref(simd, block));
    let nexts = classes(simd, nexts, u8x64::load_array_ref(simd, next));
    !(leads & nexts).simd_eq(u8x64::splat(simd, 0)).to_bitmask()
}

#[inline(always)]
fn classes<S: Simd>(simd: S, (low, high): Halves<S>, bytes: u8x64<S>) -> u8x64<S> {
    let half = u8x64::splat(simd, 15);
    low.swizzle_dyn_within_blocks(bytes & half) & high.swizzle_dyn_within_blocks((bytes >> 4) & half)
}

#[inline(always)]
fn padded(text: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    block
}

/// The bits of so many places.
#[inline(always)]
fn below(places: usize) -> u64 {
    if places < BLOCK_BYTES { (1 << places) - 1 } else { u64::MAX }
}

#[inline]
fn each(mut places: u64, mut tell: impl FnMut(usize)) {
    while places != 0 {
        tell(places.trailing_zeros() as usize);
        places &= places - 1;
    }
}
