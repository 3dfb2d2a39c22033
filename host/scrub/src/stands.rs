//! Which escapes could stand for a byte of a needle. Most could not, and their first two bytes tell.

use zeroize::Zeroizing;

use crate::escape::is_lead;
use crate::needle::Needle;

pub(crate) struct Stands {
    /// Bytes that some needle has.
    bytes: Zeroizing<Vec<bool>>,
    /// By the first two bytes of an escape, whether it could.
    begins: Zeroizing<Vec<bool>>,
    /// Whether needles have no other bytes.
    is_ascii: bool,
}

/// An escape that can be read in one way only, such as `\/`, `%2f` or `\u002f`.
pub(crate) struct Simple<'a> {
    pub(crate) byte: u8,
    pub(crate) behind: &'a [u8],
}

impl Stands {
    pub(crate) fn new(needles: &[Needle]) -> Self {
        let mut bytes = Zeroizing::new(vec![false; 256]);
        for byte in needles.iter().flat_map(|needle| needle.bytes.iter().copied()) {
            if let Some(known) = bytes.get_mut(usize::from(byte)) {
                *known = true;
            }
        }
        let is_ascii = needles.iter().all(|needle| needle.bytes.is_ascii());
        let mut begins = Zeroizing::new(vec![false; 4 << 8]);
        for (lead, next) in
            [b'%', b'\\', b'&', b'+'].into_iter().flat_map(|lead| (0..=u8::MAX).map(move |next| (lead, next)))
        {
            if let Some(begins) = begins.get_mut(spot(lead, next)) {
                *begins = could_begin(&bytes, lead, next);
            }
        }
        Self { bytes, begins, is_ascii }
    }

    /// Whether any needle has this byte.
    pub(crate) fn has(&self, byte: u8) -> bool {
        self.bytes.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// Whether an escape begins with this byte. `+` is one only for whoever has a space.
    pub(crate) fn is_lead(&self, byte: u8) -> bool {
        is_lead(byte) || (byte == b'+' && self.has(b' '))
    }

    /// Whether an escape with which this text begins could stand for a byte of a needle, by its first two bytes.
    #[inline]
    pub(crate) fn may_begin(&self, text: &[u8]) -> bool {
        let [lead, next, ..] = text else { return true };
        self.begins.get(spot(*lead, *next)).copied().unwrap_or(true)
    }

    /// As [`Self::may_begin`], by all that is there.
    pub(crate) fn may_stand_for(&self, text: &[u8]) -> bool {
        // A digit that the end cuts off is as good as any.
        matches!(text, [b'%', _])
            || self.may_begin(text)
                && match text {
                    [b'%', high, low, ..] => {
                        pair(*high, *low).is_some_and(|byte| byte == b'%' || self.has(byte))
                    }
                    [b'\\', b'u', first, second, third, fourth, ..] => {
                        match (pair(*first, *second), pair(*third, *fourth)) {
                            (Some(0), Some(byte)) if byte.is_ascii() => self.has(byte),
                            (Some(_), Some(_)) => !self.is_ascii,
                            _ => false,
                        }
                    }
                    _ => true,
                }
    }
}

/// Different for the four bytes with which escapes begin.
#[inline]
fn spot(lead: u8, next: u8) -> usize {
    usize::from(lead & 3) << 8 | usize::from(next)
}

fn could_begin(bytes: &[bool], lead: u8, next: u8) -> bool {
    let has = |byte: u8| bytes.get(usize::from(byte)).copied().unwrap_or_default();
    match (lead, next) {
        // `%25` may begin any other.
        (b'%', b'2') | (b'\\', b'\\' | b'u' | b'x') | (b'&', b'#') => true,
        (b'%', _) => (0..16).any(|low| {
            pair(next, b"0123456789abcdef".get(low).copied().unwrap_or_default()).is_some_and(has)
        }),
        (b'\\', b'n') => has(b'\n'),
        (b'\\', b'r') => has(b'\r'),
        (b'\\', b't') => has(b'\t'),
        (b'\\', b'b') => has(8),
        (b'\\', b'f') => has(12),
        (b'\\', other) => (other.is_ascii_punctuation() || other == b' ') && has(other),
        (b'&', b'a') => has(b'&') || has(b'\''),
        (b'&', b'l') => has(b'<'),
        (b'&', b'g') => has(b'>'),
        (b'&', b'q') => has(b'"'),
        (b'&', _) => false,
        _ => has(b' '),
    }
}

/// The escape with which this text begins, if it can be read in one way only.
#[inline]
pub(crate) fn simple(text: &[u8]) -> Option<Simple<'_>> {
    match text {
        [b'\\', b'u', b'0', b'0', high, low, behind @ ..] => {
            let byte = pair(*high, *low).filter(u8::is_ascii)?;
            Some(Simple { byte, behind })
        }
        [b'\\', byte, behind @ ..] if *byte != b'\\' && byte.is_ascii_punctuation() => {
            Some(Simple { byte: *byte, behind })
        }
        [b'%', high, low, behind @ ..] => {
            let byte = pair(*high, *low).filter(|byte| *byte != b'%')?;
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
