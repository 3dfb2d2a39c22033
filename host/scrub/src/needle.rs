//! The forms of a secret that are looked for.

use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::hit::Encoding;
use crate::places::Rows;

/// One form of one secret.
pub(crate) struct Needle {
    pub(crate) credential: Arc<str>,
    pub(crate) encoding: Encoding,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Whether the character before holds some bits of the secret as well.
    pub(crate) lead: bool,
    /// Whether the character behind holds some bits of the secret as well.
    pub(crate) trail: bool,
    rows: OnceLock<Rows>,
}

impl Needle {
    /// Made when they are asked for first, which for most needles is never.
    pub(crate) fn rows(&self) -> &Rows {
        self.rows.get_or_init(|| Rows::new(&self.bytes))
    }
}

/// All forms of one secret.
pub(crate) fn needles(credential: &Arc<str>, value: &[u8]) -> Vec<Needle> {
    let needle = |encoding, bytes| Needle {
        credential: Arc::clone(credential),
        encoding,
        bytes,
        lead: false,
        trail: false,
        rows: OnceLock::new(),
    };
    let mut all = vec![needle(Encoding::Plain, Zeroizing::new(value.to_vec()))];
    for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
        push(&mut all, needle(Encoding::Hex, hex(value, digits)));
    }
    for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for offset in 0..3 {
            if let Some((bytes, lead, trail)) = base64(value, &alphabet, offset) {
                push(&mut all, Needle { lead, trail, ..needle(Encoding::Base64, bytes) });
            }
        }
    }
    all
}

/// Two alphabets spell many secrets alike.
fn push(all: &mut Vec<Needle>, needle: Needle) {
    let same =
        |one: &Needle| *one.bytes == *needle.bytes && one.trail == needle.trail && one.lead == needle.lead;
    if !all.iter().any(same) {
        all.push(needle);
    }
}

fn hex(value: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 2));
    for byte in value {
        let halves = [byte >> 4, byte & 15];
        text.extend(halves.into_iter().filter_map(|half| digits.get(usize::from(half))));
    }
    text
}

/// The characters that stand for the secret's bits alone when `offset` bytes stand before it, and whether the character
/// before and the one behind stand for others of its bits.
fn base64(
    value: &[u8],
    alphabet: &GeneralPurpose,
    offset: usize,
) -> Option<(Zeroizing<Vec<u8>>, bool, bool)> {
    let mut shifted = Zeroizing::new(Vec::with_capacity(offset + value.len()));
    shifted.resize(offset, 0);
    shifted.extend_from_slice(value);
    let bits = shifted.len() * 8;
    let mut text = Zeroizing::new(vec![0; bits.div_ceil(6)]);
    alphabet.encode_slice(&*shifted, &mut text).ok()?;
    let core = text.get((offset * 8).div_ceil(6)..bits / 6)?;
    Some((Zeroizing::new(core.to_vec()), offset != 0, bits % 6 != 0))
}

/// Whether base64 or base64url could spell it.
pub(crate) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}
