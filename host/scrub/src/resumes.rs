//! Which needles could go on with a byte: where an escape stands for it, or where the text ends soon.
//!
//! Escapes are common and secrets are rare, so what is asked first is whether a needle has that byte behind those four that
//! stand before the escape. Of the bytes before one that is escaped first, all stand there as they are.

use zeroize::{DefaultIsZeroes, Zeroizing};

use crate::escape::is_lead;
use crate::filter::Filter;
use crate::needle::Needle;
use crate::stands::{Stands, simple};

/// Of the filter, for each byte of a needle, of which two are set.
const FILTER_BITS: usize = 16;
/// So many bytes before one are looked at with it.
const BEFORE: usize = 4;

/// One byte of a needle, in its context.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Resume {
    context: u64,
    needle: u32,
    offset: u32,
}

impl DefaultIsZeroes for Resume {}

pub(crate) struct Resumes {
    /// In order.
    all: Zeroizing<Vec<Resume>>,
    /// Contexts that some needle has.
    contexts: Filter,
    pub(crate) stands: Stands,
    /// Pairs with which some needle begins, a bit each.
    starts: Zeroizing<Vec<u64>>,
    /// By byte, whether some needle begins with it, or an escape does.
    opens: Zeroizing<Vec<bool>>,
}

impl Resumes {
    pub(crate) fn new(needles: &[Needle]) -> Self {
        let length = needles.iter().map(|needle| needle.bytes.len()).sum();
        let mut all = Zeroizing::new(Vec::with_capacity(length));
        let mut starts = Zeroizing::new(vec![0_u64; 1 << 10]);
        for (place, needle) in (0..).zip(needles) {
            for (offset, byte) in needle.bytes.iter().copied().enumerate() {
                let before = needle.bytes.get(..offset).unwrap_or_default();
                let context = context(block(before, byte), offset.min(BEFORE));
                all.push(Resume {
                    context,
                    needle: place,
                    offset: u32::try_from(offset).unwrap_or(u32::MAX),
                });
            }
            if let [first, second, ..] = **needle.bytes {
                let (word, bit) = spot(first, second);
                if let Some(word) = starts.get_mut(word) {
                    *word |= 1 << bit;
                }
            }
        }
        all.sort_unstable();
        let size = (all.len() * FILTER_BITS).max(64).next_power_of_two().ilog2();
        let contexts = Filter::new(size, all.iter().map(|one| one.context));
        let stands = Stands::new(needles);
        let begins = |byte| needles.iter().any(|needle| needle.bytes.first() == Some(&byte));
        let opens = Zeroizing::new((0..=u8::MAX).map(|byte| stands.is_lead(byte) || begins(byte)).collect());
        Self { all, contexts, stands, starts, opens }
    }

    /// Whether what stands behind could be an escape that goes on with a needle: most escapes do not, and are done with here.
    #[inline]
    pub(crate) fn may_resume(&self, before: &[u8], text: &[u8]) -> bool {
        if !self.stands.may_stand_for(text) {
            return false;
        }
        let (Some(simple), Some(_)) = (simple(text), before.last_chunk::<BEFORE>()) else {
            return true;
        };
        let block = block(before, simple.byte);
        let starts = self.may_start(&[simple.byte], simple.behind);
        // No `||`: to look is quicker than to guess what will be seen.
        let within = |known: usize| self.contexts.may_have(context(block, known));
        starts & within(0) | within(1) | within(2) | within(3) | within(4)
    }

    /// Whether any needle begins with this byte, as it is or as an escape stands for one.
    #[inline]
    pub(crate) fn may_open(&self, byte: u8) -> bool {
        self.opens.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// Whether any needle begins with these two.
    pub(crate) fn begins(&self, first: u8, second: u8) -> bool {
        let (word, bit) = spot(first, second);
        self.starts.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// The needles that begin with this byte.
    pub(crate) fn starting(&self, byte: u8) -> impl Iterator<Item = usize> + '_ {
        self.with(context(block(b"", byte), 0)).iter().map(|one| one.needle as usize)
    }

    /// Tells needles, and the places in them, that may go on with this value, of which an escape is read, between what
    /// stands before and behind that escape; of a needle no more once the answer is no.
    pub(crate) fn candidates(
        &self,
        before: &[u8],
        value: &[u8],
        behind: &[u8],
        mut tell: impl FnMut(usize, usize) -> bool,
    ) {
        let Some(first) = value.first().copied().filter(|first| self.stands.has(*first)) else { return };
        let block = block(before, first);
        for known in 0..=before.len().min(BEFORE) {
            let context = context(block, known);
            if self.contexts.may_have(context) && (known > 0 || self.may_start(value, behind)) {
                each(self.with(context), &mut tell);
            }
        }
    }

    /// Whether a needle may begin with what an escape stands for, and go on with what is behind.
    fn may_start(&self, value: &[u8], behind: &[u8]) -> bool {
        let (Some(first), Some(second)) = (value.first(), value.get(1).or(behind.first())) else {
            return true;
        };
        if self.begins(*first, *second) || value.len() > 1 {
            return self.begins(*first, *second);
        }
        match second {
            b'+' => self.begins(*first, b' '),
            second if is_lead(*second) => simple(behind).is_none_or(|next| self.begins(*first, next.byte)),
            _ => false,
        }
    }

    /// Needles and the places in them that stand in this context.
    fn with(&self, context: u64) -> &[Resume] {
        let first = self.all.partition_point(|one| one.context < context);
        let from = self.all.get(first..).unwrap_or_default();
        from.get(..from.partition_point(|one| one.context == context)).unwrap_or_default()
    }
}

fn each(mut rest: &[Resume], tell: &mut impl FnMut(usize, usize) -> bool) {
    while let Some((one, behind)) = rest.split_first() {
        let goes_on = tell(one.needle as usize, one.offset as usize);
        let skipped = if goes_on { 0 } else { behind.partition_point(|other| other.needle == one.needle) };
        rest = behind.get(skipped..).unwrap_or_default();
    }
}

/// A byte behind up to four others, of which the last stands highest.
#[inline]
fn block(before: &[u8], byte: u8) -> u64 {
    let before = match before.last_chunk::<BEFORE>() {
        Some(before) => u32::from_be_bytes(*before),
        None => before.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)),
    };
    u64::from(before.swap_bytes()) | u64::from(byte) << 32
}

/// Where a byte stands in a needle: behind these, of which so many are the needle's. Four may be any four of it, fewer are its
/// first.
#[inline]
fn context(block: u64, known: usize) -> u64 {
    block >> (8 * (BEFORE - known)) | (known as u64) << 40
}

fn spot(first: u8, second: u8) -> (usize, u8) {
    let pair = usize::from(first) << 8 | usize::from(second);
    (pair >> 6, second & 63)
}
