//! Secrets of which one byte or two are escaped, at each place of the secret, cut at each place: the bounds within which the
//! search looks in one way or in another.

use bytes::Bytes;

use super::spell::one_of;
use super::watch;
use crate::{Place, Watch};

const LETTERS: &str = "Kq7zXw3vBn9mLp5rTy1uDf8gHj2kSc4dVb6nMa0e";

/// What a stream gives when it ends behind so many bytes and goes on.
fn cut(watch: &Watch, text: &[u8], at: usize) -> (Vec<u8>, u64) {
    let (head, tail) = text.split_at(at);
    let mut stream = watch.stream(Place::Body);
    let mut out = stream.push(Bytes::copy_from_slice(head)).to_vec();
    out.extend_from_slice(&stream.push(Bytes::copy_from_slice(tail)));
    out.extend_from_slice(&stream.finish());
    (out, stream.hits())
}

/// That it is blanked whole, wherever it is cut, and nothing else is.
fn check(watch: &Watch, spelled: &[u8]) {
    let text = [b"\"key\": \"".as_slice(), spelled, b"\", \"more\": 1"].concat();
    let (start, end) = (8, 8 + spelled.len());
    let expected = [&text[..start], &vec![b'*'; spelled.len()], &text[end..]].concat();
    for at in 0..=text.len() {
        let shown = || format!("{} cut at {at}", spelled.escape_ascii());
        assert_eq!(cut(watch, &text, at), (expected.clone(), 1), "{}", shown());
    }
}

/// Seven backslashes before each half of a character that has two.
#[test]
fn a_secret_with_the_longest_of_escapes_at_any_place_is_blanked_wherever_it_is_cut() {
    for before in 0..40 {
        let (head, tail) = (&LETTERS[..before], &LETTERS[..12]);
        let watch = watch(&[format!("{head}🔑{tail}").as_bytes()]);
        let half = |digits: &str| format!("{}u{digits}", "\\".repeat(7));
        check(&watch, format!("{head}{}{}{tail}", half("d83d"), half("dd11")).as_bytes());
    }
}

#[test]
fn a_secret_with_any_one_byte_escaped_in_any_way_is_blanked_wherever_it_is_cut() {
    let secret = "tok /+&<>\"'%\\.=-_\n\té".as_bytes();
    let watch = watch(&[secret]);
    let named = |byte: u8| match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&quot;",
        b'\'' => "&apos;",
        b'\t' => "\\t",
        _ => "",
    };
    for (place, byte) in secret.iter().copied().enumerate() {
        let mut spellings: Vec<Vec<u8>> = (0..14).map(|choice| one_of(byte, choice)).collect();
        spellings.extend(Some(named(byte).as_bytes().to_vec()).filter(|name| !name.is_empty()));
        for spelling in spellings {
            check(&watch, &[&secret[..place], &spelling, &secret[place + 1..]].concat());
        }
    }
    // Two bytes of one character.
    check(&watch, "tok /+&<>\"'%\\.=-_\n\t\\u00e9".as_bytes());
}

/// What stands behind an escape tells whether a secret may begin with it, and may be escaped as well, or look so.
#[test]
fn a_secret_that_begins_with_two_bytes_that_are_escaped_or_look_so_is_blanked_wherever_it_is_cut() {
    for secret in
        ["//rest-of-it", "/ rest-of-it", "/+rest-of-it", "/%41st-of-it", "/\\rest-of-it", "/&rest-of-it"]
    {
        let (watch, [first, second, rest @ ..]) = (watch(&[secret.as_bytes()]), secret.as_bytes()) else {
            panic!("it has two");
        };
        for (one, other) in (0..14).flat_map(|one| (0..14).map(move |other| (one, other))) {
            check(&watch, &[&one_of(*first, one), &one_of(*second, other), rest].concat());
        }
    }
}
