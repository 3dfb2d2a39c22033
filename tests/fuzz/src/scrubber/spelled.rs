//! Writes a secret in one of its forms, each byte as itself or escaped.
//!
//! The tests of `scrub` spell secrets too (`tests/spell.rs`). The two stay apart: those encode with the library with which the
//! scrubber makes what it looks for, these with naive code, so that an error of that library does not hide itself here.

use arbitrary::{Result, Unstructured};

pub(super) fn spelled(input: &mut Unstructured<'_>, secret: &[u8]) -> Result<Vec<u8>> {
    let form = input.int_in_range(0..=8)?;
    let plain = match form {
        0..=2 => secret.to_vec(),
        3 => super::naive::hex(secret, false),
        4 => super::naive::hex(secret, true),
        _ => super::naive::base64_core(secret, form % 3, form > 6),
    };
    if input.arbitrary()? {
        return Ok(plain);
    }
    let mut text = Vec::new();
    for byte in plain {
        text.extend(one(byte, input.arbitrary()?));
    }
    Ok(text)
}

fn one(byte: u8, choice: u8) -> Vec<u8> {
    let text = match choice % 16 {
        0 => format!("%{byte:02X}"),
        1 => format!("%{byte:02x}"),
        2 => format!("%25{byte:02X}"),
        3 if byte.is_ascii() => format!("\\u{byte:04x}"),
        4 if byte.is_ascii() => format!("\\u{byte:04X}"),
        5 => format!("\\x{byte:02x}"),
        6 if byte.is_ascii() => format!("&#{byte};"),
        7 if byte.is_ascii() => format!("&#x{byte:x};"),
        8 if byte.is_ascii_punctuation() => format!("\\{}", char::from(byte)),
        9 if byte.is_ascii() => format!("\\\\u{byte:04x}"),
        10 if byte == b' ' => "+".to_owned(),
        11 if byte == b'\n' => "\\n".to_owned(),
        12 if byte == b'&' => "&amp;".to_owned(),
        13 if byte == b'"' => "&quot;".to_owned(),
        _ => return vec![byte],
    };
    text.into_bytes()
}
