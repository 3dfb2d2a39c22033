//! Which needles could go on with a byte: where an escape stands for it, or where the text ends soon.

use zeroize::{DefaultIsZeroes, Zeroizing};

use crate::needle::Needle;

/// Before the first byte of a needle.
const START: u16 = 256;

/// One byte of a needle, and the one before.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Resume {
    byte: u8,
    before: u16,
    needle: u32,
    offset: u32,
}

impl DefaultIsZeroes for Resume {}

pub(crate) struct Resumes {
    /// In order.
    all: Zeroizing<Vec<Resume>>,
    /// Bytes that some needle has.
    bytes: Zeroizing<Vec<bool>>,
    /// Bytes that neither a needle has nor an escape, but as what stands for itself behind a backslash.
    ends: Zeroizing<Vec<bool>>,
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
            let mut before = START;
            for (offset, byte) in (0..).zip(needle.bytes.iter().copied()) {
                if let Some(known) = bytes.get_mut(usize::from(byte)) {
                    *known = true;
                }
                all.push(Resume { byte, before, needle: place, offset });
                before = u16::from(byte);
            }
            if let [first, second, ..] = **needle.bytes {
                let (word, bit) = spot(first, second);
                if let Some(word) = starts.get_mut(word) {
                    *word |= 1 << bit;
                }
            }
        }
        all.sort_unstable();
        let plus = bytes.get(usize::from(b' ')).copied().unwrap_or_default();
        let ends = |(byte, known): (u8, &bool)| {
            !known && !byte.is_ascii_alphanumeric() && !b"#;%&\\".contains(&byte) && (byte != b'+' || !plus)
        };
        let ends = Zeroizing::new((0..=u8::MAX).zip(bytes.iter()).map(ends).collect());
        let is_ascii = needles.iter().all(|needle| needle.bytes.is_ascii());
        Self { all, bytes, ends, is_ascii, starts }
    }

    /// Whether what begins at this place could be an escape that stands for a byte of a needle: most escapes do not, and are
    /// done with here.
    pub(crate) fn may_resume(&self, text: &[u8]) -> bool {
        let [lead, next, ..] = text else {
            return true;
        };
        match lead {
            b'%' => match text.get(2) {
                Some(digit) => pair(*next, *digit).is_some_and(|byte| byte == b'%' || self.has(byte)),
                None => true,
            },
            b'\\' => match next {
                b'u' => self.unicode_may_resume(text),
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

    /// As [`Self::may_resume`], of four digits behind `\u`.
    fn unicode_may_resume(&self, text: &[u8]) -> bool {
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

    /// Whether no needle goes on behind this byte, be there a backslash before it or not.
    pub(crate) fn ends_all(&self, byte: u8) -> bool {
        self.ends.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// Whether any needle begins with these two.
    pub(crate) fn begins(&self, first: u8, second: u8) -> bool {
        let (word, bit) = spot(first, second);
        self.starts.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// The needles that begin with this byte.
    pub(crate) fn starting(&self, byte: u8) -> impl Iterator<Item = usize> + '_ {
        self.with(byte, START).map(|(needle, _)| needle)
    }

    /// Needles and the places in them at which this byte stands behind that one.
    pub(crate) fn behind(&self, byte: u8, before: u8) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.with(byte, u16::from(before))
    }

    fn with(&self, byte: u8, before: u16) -> impl Iterator<Item = (usize, usize)> + '_ {
        let first = self.all.partition_point(|one| (one.byte, one.before) < (byte, before));
        let same = move |one: &&Resume| (one.byte, one.before) == (byte, before);
        self.all.iter().skip(first).take_while(same).map(|one| (one.needle as usize, one.offset as usize))
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
