//! Secrets that repeat themselves, in texts that were made for them: found as all others are, and at a bounded cost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use proptest::prelude::*;

use super::{rounds, watch};
use crate::found::Needles;
use crate::needle::{Needle, needles};
use crate::places::Rows;
use crate::repeating::{cut_off, repeated};
use crate::walk::walk;
use crate::work::Work;
use crate::{Encoding, Place};

/// How each byte of such a secret may be written, so that no text can be read in two ways.
const ONE_WAY: &[&str] = &["a", "a", "a", "b", "%61", "%2562", "\\u0061", "&#98;", "\\x61", "."];
/// Much of this can be read in two.
const TWO_WAYS: &[&str] = &["\\", "\\\\", "\\\\\\\\", "%5c", "%25", "5c", "a", "\\u005c", "&amp;", "&"];

fn text_of(parts: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(parts), 0..80).prop_map(|parts| parts.concat().into_bytes())
}

fn secret_of(bytes: &'static [u8], length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let part = prop::collection::vec(prop::sample::select(bytes), 1..4);
    (part, length).prop_map(|(part, length)| part.into_iter().cycle().take(length).collect())
}

/// Where it begins and how far it reaches at most, by the slow search.
fn slow(text: &[u8], needle: &Needle) -> Vec<std::ops::Range<usize>> {
    let end = |start: usize| walk(text, needle, (start, 0), u64::MAX).end;
    (0..text.len()).filter_map(|start| Some(start..end(start)?)).collect()
}

fn covered(length: usize, ranges: &[std::ops::Range<usize>]) -> Vec<bool> {
    let mut covered = vec![false; length];
    ranges.iter().for_each(|range| covered[range.clone()].fill(true));
    covered
}

fn first_open(text: &[u8], needle: &Needle) -> Option<usize> {
    (0..text.len()).find(|start| walk(text, needle, (*start, 0), u64::MAX).open)
}

proptest! {
    #![proptest_config(rounds(400))]

    #[test]
    fn what_can_be_read_in_one_way_is_found_as_the_slow_search_finds_it(
        secret in secret_of(b"ab", 12..20),
        text in text_of(ONE_WAY),
        (offset, end) in (0..3_usize, 0..40_usize),
    ) {
        let encoded = STANDARD.encode([&b"xyz"[..offset], &secret, b"z"].concat()).into_bytes();
        let text = [&text, &encoded[..encoded.len().min(end)]].concat();
        for needle in needles(&"c".into(), &secret) {
            prop_assert_eq!(repeated(&text, &needle).ranges, slow(&text, &needle));
            prop_assert_eq!(cut_off(&text, &needle).0, first_open(&text, &needle));
        }
    }

    #[test]
    fn of_what_can_be_read_in_two_ways_nothing_is_missed(
        // Shorter than any that is looked for: so more of them stand there.
        secret in secret_of(b"\\%a&", 2..16),
        text in text_of(TWO_WAYS),
    ) {
        for needle in needles(&"c".into(), &secret) {
            let (found, expected) = (repeated(&text, &needle).ranges, slow(&text, &needle));
            prop_assert_eq!(found.is_empty(), expected.is_empty());
            let (found, expected) = (covered(text.len(), &found), covered(text.len(), &expected));
            prop_assert!(expected.iter().zip(&found).all(|(expected, found)| !expected || *found));
            prop_assert_eq!(cut_off(&text, &needle).0, first_open(&text, &needle));
        }
    }
}

fn percent(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect()
}

/// All of it is held back for long, and each piece would be a reason to search it again.
#[test]
fn small_pieces_behind_a_long_beginning_cost_no_more_than_large_ones() {
    let secret = b"abcdefghijklmnopqrst".repeat(75);
    let watch = watch(&[&secret]);
    let text = [&percent(&secret[..1_400]), b"!".as_slice(), &percent(&secret), b"."].concat();
    let mut stream = watch.stream(Place::Body);
    let (mut out, mut most) = (Vec::new(), 0);
    for byte in &text {
        out.extend_from_slice(&stream.push(Bytes::copy_from_slice(&[*byte])));
        most = most.max(stream.held_bytes());
    }
    assert!(stream.searched_bytes() < 20 * text.len(), "{} bytes", stream.searched_bytes());
    assert!(most <= stream.held_max(), "{most} bytes");
    out.extend_from_slice(&stream.finish());
    assert_eq!(out, [&text[..4_201], &b"*".repeat(4_500), b".".as_slice()].concat());
    assert_eq!(stream.hits(), 1);
}

fn backslashes(count: usize) -> Vec<u8> {
    [b"\\".repeat(count), b"end-of-it".to_vec()].concat()
}

/// A secret, with a text in which, followed from everywhere, it goes on and on.
struct Made {
    what: &'static str,
    secret: Vec<u8>,
    text: Vec<u8>,
    /// Whether it is found there.
    is_found: bool,
}

fn made_for_each_other() -> Vec<Made> {
    let letters = b"a".repeat(1_500);
    let nearly = percent(&[&letters[1..], b"!"].concat());
    let made = |what, secret: &[u8], text: &[u8], is_found| {
        let text = text.iter().copied().cycle().take(8 << 10).collect();
        Made { what, secret: secret.to_vec(), text, is_found }
    };
    vec![
        made("letters, nearly", &letters, &nearly, false),
        made("letters, some escaped", &letters, b"aaa%61", true),
        made("letters, most escaped", &letters, b"a\\u0061", true),
        made("eight backslashes", &backslashes(8), b"\\", false),
        made("forty backslashes", &backslashes(40), b"\\", false),
        made("a thousand backslashes", &backslashes(1_000), b"\\", false),
        made("percent signs", &b"%25".repeat(100), b"%25", true),
        made("a period, some escaped", &b"abc".repeat(500), b"abc%61bc", true),
    ]
}

#[test]
fn what_a_search_costs_is_bounded_by_lengths_alone() {
    for Made { what, secret, text, is_found } in made_for_each_other() {
        let needles = Needles::new(needles(&"c".into(), &secret));
        let found = needles.found(&text);
        assert_eq!(!found.hits.is_empty(), is_found, "{what}");
        assert!(found.repeating_words > 0, "{what}: the text is not what it was made for");
        let words: usize = needles.needles.iter().map(|needle| Rows::new(&needle.bytes).words()).sum();
        // Back and forward, and back once more for what is cut off; each byte as it is and in up to three readings.
        let most = (3 * 4 * words * text.len()) as u64;
        assert!(found.repeating_words <= most, "{what}: {} words", found.repeating_words);
        let (steps, each) = (found.work.sum(), Work::new(&text, needles.bytes_max).left(0));
        // What uses it up may do one comparison too many. From then on it is asked at each escape whether it is.
        let most = needles.needles.len() as u64 * (each + (secret.len() + 16 * text.len()) as u64);
        assert!(steps <= most, "{what}: {steps} steps");
    }
}

#[test]
fn a_secret_in_a_text_that_was_made_for_it_is_blanked_wherever_pieces_end() {
    let secret = backslashes(12);
    // Each of these is one backslash, read in one way.
    let before = "%5c".repeat(3_000).into_bytes();
    let text = [&before, b"end-of-i, ".as_slice(), &before, &secret[12..], &before].concat();
    let watch = watch(&[&secret]);
    // Twelve of the backslashes before it belong to it.
    let (start, end) = (before.len() + 10 + before.len() - 36, 2 * before.len() + 19);
    for piece_bytes in [100, 1_000, 7_777, text.len()] {
        let mut stream = watch.stream(Place::Body);
        let mut out = Vec::new();
        for piece in text.chunks(piece_bytes) {
            out.extend_from_slice(&stream.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&stream.finish());
        assert_eq!(out.len(), text.len());
        for at in 0..text.len() {
            let expected = if (start..end).contains(&at) { b'*' } else { text[at] };
            assert_eq!(out[at], expected, "at {at}, {start}..{end}, pieces of {piece_bytes}");
        }
        assert_eq!(stream.hits(), 1);
    }
}

#[test]
fn it_is_told_how_a_secret_in_such_a_text_was_spelled() {
    let secret = backslashes(12);
    let made_for_it = "%5c".repeat(3_000).into_bytes();
    for (spelled, encoding) in
        [(secret.clone(), Encoding::Plain), ([b"%5c", &secret[1..]].concat(), Encoding::Escaped)]
    {
        let hits = watch(&[&secret]).current().hits(&[&made_for_it, b"x".as_slice(), &spelled].concat());
        assert_eq!(hits.iter().map(|hit| hit.encoding).collect::<Vec<_>>(), [encoding]);
    }
}
