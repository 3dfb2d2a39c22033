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
fn longest_escape() -> String {
    ["d83d", "dd11"].map(|digits| format!("{}u{digits}", "\\".repeat(7))).concat()
}

#[test]
fn a_secret_with_the_longest_of_escapes_at_any_place_is_blanked_wherever_it_is_cut() {
    for before in 0..40 {
        let (head, tail) = (&LETTERS[..before], &LETTERS[..12]);
        let watch = watch(&[format!("{head}🔑{tail}").as_bytes()]);
        check(&watch, format!("{head}{}{tail}", longest_escape()).as_bytes());
    }
}

/// What stands before the escape lies at any place of the blocks in which needles are looked for.
#[test]
fn a_secret_that_is_cut_just_before_the_end_of_the_longest_escape_is_blanked_wherever_it_stands() {
    let escape = longest_escape();
    for before in 1..30 {
        let (head, tail) = (&LETTERS[..before], &LETTERS[..20]);
        let watch = watch(&[format!("{head}🔑{tail}").as_bytes()]);
        for filler in 50..67 {
            let text =
                [" ".repeat(filler).as_bytes(), head.as_bytes(), escape.as_bytes(), tail.as_bytes()].concat();
            let (out, hits) = cut(&watch, &text, filler + before + escape.len() - 1);
            assert_eq!(hits, 1, "{before} before, behind {filler}");
            assert!(out[filler..].iter().all(|byte| *byte == b'*'), "{before} before, behind {filler}");
        }
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

/// An escape that no byte of a secret could need is passed over, so each is tried where nothing else needs it.
#[test]
fn a_secret_with_one_byte_that_needs_an_escape_of_its_own_is_blanked_wherever_it_is_cut() {
    for (byte, spelled) in [
        ("&", "&amp;"),
        ("'", "&apos;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("\"", "&quot;"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
        ("\u{8}", "\\b"),
        ("\u{c}", "\\f"),
        (" ", "+"),
        ("/", "\\/"),
        ("é", "\\u00e9"),
    ] {
        let watch = watch(&[format!("{}{byte}{}", &LETTERS[..6], &LETTERS[..6]).as_bytes()]);
        check(&watch, format!("{}{spelled}{}", &LETTERS[..6], &LETTERS[..6]).as_bytes());
    }
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
