//! Which needles could go on with a byte: where an escape stands for it, or where the text ends soon.
//!
//! Escapes are common and secrets are rare, so what is asked first is whether a needle has that byte behind those three that
//! stand before the escape. Of the bytes before one that is escaped first, all stand there as they are.

use zeroize::{DefaultIsZeroes, Zeroizing};

use crate::escape::{is_lead, readings};
use crate::filter::Filter;
use crate::needle::Needle;

/// Of the filter, for each byte of a needle, of which two are set.
const FILTER_BITS: usize = 16;
/// So many bytes before one are looked at with it.
const BEFORE: usize = 3;

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
    /// Bytes that some needle has.
    bytes: Zeroizing<Vec<bool>>,
    /// Whether no needle has any but these.
    is_ascii: bool,
    /// Pairs with which some needle begins, a bit each.
    starts: Zeroizing<Vec<u64>>,
}

impl Resumes {
    pub(crate) fn new(needles: &[Needle]) -> Self {
        let length = needles.iter().map(|needle| needle.bytes.len()).sum();
        let mut all = Zeroizing::new(Vec::with_capacity(length));
        let mut bytes = Zeroizing::new(vec![false; 256]);
        let mut starts = Zeroizing::new(vec![0_u64; 1 << 10]);
        for (place, needle) in (0..).zip(needles) {
            for (offset, byte) in needle.bytes.iter().copied().enumerate() {
                if let Some(known) = bytes.get_mut(usize::from(byte)) {
                    *known = true;
                }
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
        let is_ascii = needles.iter().all(|needle| needle.bytes.is_ascii());
        Self { all, contexts, bytes, is_ascii, starts }
    }

    /// Whether what stands behind could be an escape that goes on with a needle: most escapes do not, and are done with here.
    #[inline]
    pub(crate) fn may_resume(&self, before: &[u8], text: &[u8]) -> bool {
        if !self.may_stand_for(text) {
            return false;
        }
        let (Some(simple), Some(_)) = (simple(text), before.last_chunk::<BEFORE>()) else {
            return true;
        };
        let block = block(before, simple.byte);
        let starts =
            self.begins(simple.byte, simple.behind) | is_lead(simple.behind) | (simple.behind == b'+');
        // No `||`: what is asked is quicker than to guess the answers.
        let within = |known: usize| self.contexts.may_have(context(block, known));
        (starts & within(0)) | within(1) | within(2) | within(3)
    }

    /// Whether what begins at this place could be an escape that stands for a byte of a needle.
    pub(crate) fn may_stand_for(&self, text: &[u8]) -> bool {
        let [lead, next, ..] = text else {
            return true;
        };
        match lead {
            b'%' => match text.get(2) {
                Some(digit) => pair(*next, *digit).is_some_and(|byte| byte == b'%' || self.has(byte)),
                None => true,
            },
            b'\\' => match next {
                b'u' => self.unicode_may_stand_for(text),
                b'x' | b'\\' => true,
                b'n' => self.has(b'\n'),
                b'r' => self.has(b'\r'),
                b't' => self.has(b'\t'),
                b'b' => self.has(8),
                b'f' => self.has(12),
                other => self.has(*other),
            },
            b'&' => match next {
                b'a' => self.has(b'&') || self.has(b'\''),
                b'l' => self.has(b'<'),
                b'g' => self.has(b'>'),
                b'q' => self.has(b'"'),
                b'#' => true,
                _ => false,
            },
            _ => self.has(b' '),
        }
    }

    /// As [`Self::may_stand_for`], of four digits behind `\u`.
    fn unicode_may_stand_for(&self, text: &[u8]) -> bool {
        let Some([_, _, first, second, third, fourth]) = text.first_chunk::<6>() else {
            return true;
        };
        match (pair(*first, *second), pair(*third, *fourth)) {
            (Some(0), Some(byte)) if byte.is_ascii() => self.has(byte),
            (Some(_), Some(_)) => !self.is_ascii,
            _ => false,
        }
    }

    /// Whether any needle has this byte.
    pub(crate) fn has(&self, byte: u8) -> bool {
        self.bytes.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// Whether any needle begins with these two.
    pub(crate) fn begins(&self, first: u8, second: u8) -> bool {
        let (word, bit) = spot(first, second);
        self.starts.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// The needles that begin with this byte.
    pub(crate) fn starting(&self, byte: u8) -> impl Iterator<Item = usize> + '_ {
        self.with(context(block(b"", byte), 0)).map(|(needle, _)| needle)
    }

    /// Tells needles, and the places in them, that may go on with this value, of which an escape is read, between what
    /// stands before and behind that escape.
    pub(crate) fn candidates(
        &self,
        before: &[u8],
        value: &[u8],
        behind: &[u8],
        mut tell: impl FnMut(usize, usize),
    ) {
        let Some(first) = value.first().copied().filter(|first| self.has(*first)) else { return };
        let block = block(before, first);
        for known in 0..=before.len().min(BEFORE) {
            let context = context(block, known);
            if self.contexts.may_have(context) && (known > 0 || self.may_start(value, behind)) {
                self.with(context).for_each(|(needle, offset)| tell(needle, offset));
            }
        }
    }

    /// Whether a needle may begin with what an escape stands for, and go on with what is behind.
    fn may_start(&self, value: &[u8], behind: &[u8]) -> bool {
        let (Some(first), Some(second)) = (value.first(), value.get(1).or(behind.first())) else {
            return true;
        };
        if self.begins(*first, *second) {
            return true;
        }
        if value.len() > 1 || !(is_lead(*second) || *second == b'+') {
            return false;
        }
        let readings = readings(behind);
        let begins = |value: &[u8]| value.first().is_some_and(|second| self.begins(*first, *second));
        readings.open || readings.iter().any(|reading| begins(reading.value()))
    }

    /// Needles and the places in them that stand in this context.
    fn with(&self, context: u64) -> impl Iterator<Item = (usize, usize)> + '_ {
        let first = self.all.partition_point(|one| one.context < context);
        let same = move |one: &&Resume| one.context == context;
        self.all.iter().skip(first).take_while(same).map(|one| (one.needle as usize, one.offset as usize))
    }
}

/// A byte, the last of four, and those before it.
#[inline]
fn block(before: &[u8], byte: u8) -> u32 {
    let block = match before {
        [.., third, second, first] => [*third, *second, *first, byte],
        [second, first] => [0, *second, *first, byte],
        [first] => [0, 0, *first, byte],
        [] => [0, 0, 0, byte],
    };
    u32::from_le_bytes(block)
}

/// Where a byte stands in a needle: behind these, of which so many are the needle's. Three may be any three of it, fewer are its
/// first.
#[inline]
fn context(block: u32, known: usize) -> u64 {
    u64::from(block >> (8 * (BEFORE - known))) | (known as u64) << 32
}

/// An escape that can only be read in one way: `\/` or `%2f`.
struct Simple {
    byte: u8,
    /// What stands behind it.
    behind: u8,
}

#[inline]
fn simple(text: &[u8]) -> Option<Simple> {
    match *text.first_chunk::<4>()? {
        [b'\\', byte, behind, _] if byte != b'\\' && byte.is_ascii_punctuation() => {
            Some(Simple { byte, behind })
        }
        [b'%', high, low, behind] => {
            let byte = pair(high, low).filter(|byte| *byte != b'%')?;
            Some(Simple { byte, behind })
        }
        _ => None,
    }
}

/// The byte that two hexadecimal digits are.
fn pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| DIGITS.get(usize::from(byte)).copied().filter(|digit| *digit < 16);
    Some(digit(high)? << 4 | digit(low)?)
}

/// By byte, the hexadecimal digit that it is; 16: none.
const DIGITS: [u8; 256] = digits();

#[expect(clippy::indexing_slicing, reason = "evaluated when it is compiled")]
const fn digits() -> [u8; 256] {
    let mut digits = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digits[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
}

fn spot(first: u8, second: u8) -> (usize, u8) {
    let pair = usize::from(first) << 8 | usize::from(second);
    (pair >> 6, second & 63)
}
