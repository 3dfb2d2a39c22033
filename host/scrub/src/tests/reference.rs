//! The fast search against the slow one: every needle followed from every place.

use proptest::prelude::*;

use super::rounds;
use crate::found::Needles;
use crate::needle::{Needle, is_base64, needles};
use crate::walk::walk;

/// Few bytes, most of which mean something in an escape, so that much almost matches.
const ALPHABET: &[u8] = b"ab%61\\u0/&#;+ ";

fn text(length: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(ALPHABET), length)
}

/// Which bytes belong to a hit.
fn covered(length: usize, ranges: impl Iterator<Item = std::ops::Range<usize>>) -> Vec<bool> {
    let mut covered = vec![false; length];
    ranges.for_each(|range| covered[range].fill(true));
    covered
}

fn slow(text: &[u8], needles: &[Needle]) -> Vec<bool> {
    let all = (0..text.len()).flat_map(|start| needles.iter().map(move |needle| (start, needle)));
    let ranges = all.filter_map(|(start, needle)| {
        let end = walk(text, needle, (start, 0), u64::MAX).end?;
        let lead = needle.lead && start > 0 && is_base64(text[start - 1]);
        Some(start - usize::from(lead)..end)
    });
    covered(text.len(), ranges)
}

/// Whether the text ends in the middle of an escape by name that stands for no byte of this needle: `&a` can only become `&` or
/// an apostrophe. The slow search takes any escape that is cut off to be any byte.
fn ends_as_none_of(text: &[u8], needle: &Needle) -> bool {
    const NAMES: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&apos;", b'\''), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"')];
    let Some(at) = text.iter().rposition(|byte| *byte == b'&') else { return false };
    let name = &text[at..];
    if name.len() == 1 || name[1] == b'#' || needle.bytes.contains(&b'&') {
        return false;
    }
    !NAMES.iter().any(|(known, byte)| known.starts_with(name) && needle.bytes.contains(byte))
}

fn with_secret(before: &[u8], secret: &[u8], choices: &[u8], behind: &[u8]) -> Vec<u8> {
    let spelled = secret.iter().zip(choices.iter().cycle());
    let spelled = spelled.flat_map(|(byte, choice)| super::spell::one_of(*byte, *choice));
    before.iter().copied().chain(spelled).chain(behind.iter().copied()).collect()
}

proptest! {
    #![proptest_config(rounds(400))]

    #[test]
    fn the_fast_search_finds_what_the_slow_one_finds(
        first in text(12..16),
        second in text(12..30),
        choices in prop::collection::vec(any::<u8>(), 1..8),
        before in text(0..40),
        behind in text(0..40),
    ) {
        let all = || [&first, &second].into_iter().flat_map(|value| needles(&"c".into(), value));
        let (slow_needles, fast) = (all().collect::<Vec<_>>(), Needles::new(all().collect()));
        for secret in [&first, &second] {
            let text = with_secret(&before, secret, &choices, &behind);
            let found = fast.found(&text).hits;
            prop_assert_eq!(covered(text.len(), found.into_iter().map(|hit| hit.range)), slow(&text, &slow_needles));
        }
    }

    #[test]
    fn what_is_held_back_begins_where_the_first_needle_is_cut_off(
        secret in text(12..20),
        choices in prop::collection::vec(any::<u8>(), 1..8),
        before in text(0..40),
        cut in 0..100_usize,
    ) {
        let (slow_needles, fast) = (needles(&"c".into(), &secret), Needles::new(needles(&"c".into(), &secret)));
        let mut text = with_secret(&before, &secret, &choices, b"");
        text.truncate(text.len().saturating_sub(cut));
        let is_open = |start: &usize| slow_needles
            .iter()
            .any(|needle| walk(&text, needle, (*start, 0), u64::MAX).open && !ends_as_none_of(&text, needle));
        let open = (0..text.len()).find(is_open);
        let expected = open.map_or(text.len(), |open| open - usize::from(open > 0 && is_base64(text[open - 1])));
        let held = fast.held_from(&text, &fast.found(&text));
        // An escape of which nothing is known yet is held back by the fast search as well.
        prop_assert!(held <= expected, "{} instead of {}", held, expected);
        prop_assert!(text.len() - held <= fast.held_max());
    }
}
