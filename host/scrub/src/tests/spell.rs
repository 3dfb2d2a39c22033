//! Spells secrets: written apart from the code that finds them. The fuzz target `scrubber` has a list of escapes of its own, and
//! naive encoders where these are a library's.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

pub(super) fn percent(bytes: &[u8], is_escaped: impl Fn(u8) -> bool, upper: bool) -> Vec<u8> {
    let spelled = |byte: &u8| match (is_escaped(*byte), upper) {
        (false, _) => vec![*byte],
        (true, true) => format!("%{byte:02X}").into_bytes(),
        (true, false) => format!("%{byte:02x}").into_bytes(),
    };
    bytes.iter().flat_map(spelled).collect()
}

pub(super) fn is_reserved(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !b"-_.~".contains(&byte)
}

/// `\uXXXX` for every character, with surrogates; bytes that are no text stay.
pub(super) fn unicode(text: &str, backslash: &str, upper: bool) -> Vec<u8> {
    let spelled = |unit: u16| {
        if upper { format!("{backslash}u{unit:04X}") } else { format!("{backslash}u{unit:04x}") }
    };
    text.encode_utf16().map(spelled).collect::<String>().into_bytes()
}

/// As JSON that is ASCII alone has it: these characters as `\uXXXX`, with surrogates.
pub(super) fn unicode_if(text: &str, is_escaped: impl Fn(char) -> bool) -> Vec<u8> {
    let spelled = |character: char| match is_escaped(character) {
        true => unicode(character.encode_utf8(&mut [0; 4]), "\\", false),
        false => character.to_string().into_bytes(),
    };
    text.chars().flat_map(spelled).collect()
}

pub(super) fn hex(bytes: &[u8], upper: bool) -> Vec<u8> {
    let spelled = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
    bytes.iter().map(spelled).collect::<String>().into_bytes()
}

/// base64 of the secret with so many bytes before and behind.
pub(super) fn base64(secret: &[u8], before: &[u8], behind: &[u8], alphabet: usize) -> Vec<u8> {
    let engines = [STANDARD, URL_SAFE, STANDARD_NO_PAD, URL_SAFE_NO_PAD];
    engines[alphabet % 4].encode([before, secret, behind].concat()).into_bytes()
}

/// One of the spellings of a byte.
pub(super) fn one_of(byte: u8, choice: u8) -> Vec<u8> {
    let text = match choice % 14 {
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
        _ => return vec![byte],
    };
    text.into_bytes()
}
