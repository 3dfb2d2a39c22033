//! Where escapes begin: each place, once, however many there are and wherever blocks end.

use proptest::prelude::*;

use super::{rounds, watch};
use crate::leads::leads;

fn told(text: &[u8], has_plus: bool, keeps: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut told = Vec::new();
    leads(text, has_plus, keeps, |at| told.push(at));
    told
}

proptest! {
    #![proptest_config(rounds(400))]

    #[test]
    fn all_places_are_told_once_and_in_order(
        text in prop_oneof![
            prop::collection::vec(prop::sample::select(b"%\\&+".as_slice()), 0..300),
            prop::collection::vec(prop::sample::select(b"%\\&+a$'*,[]\0\xff.........................".as_slice()), 0..600),
            prop::collection::vec(any::<u8>(), 0..600),
        ],
        has_plus in any::<bool>(),
        part in 1..4_usize,
    ) {
        let is_lead = |at: &usize| b"%\\&".contains(&text[*at]) || (has_plus && text[*at] == b'+');
        let all: Vec<usize> = (0..text.len()).filter(is_lead).collect();
        prop_assert_eq!(told(&text, has_plus, |_| true), all.clone());
        let kept: Vec<usize> = all.into_iter().filter(|at| at % part == 0).collect();
        prop_assert_eq!(told(&text, has_plus, |at| at % part == 0), kept);
    }
}

/// Blocks with escapes in them are searched in another way than the text between.
#[test]
fn a_secret_with_one_escape_is_found_wherever_blocks_of_the_search_end() {
    let secret = b"one two/three";
    let scrubber = watch(&[secret]).current();
    for spelled in ["one two%2Fthree", "one two\\/three", "one two&#47;three", "one+two/three"] {
        for before in 0..200 {
            for filler in [&b"."[..], b"%", b"&", b"\\\"", b".............................%"] {
                let mut text: Vec<u8> = filler.iter().copied().cycle().take(before).collect();
                text.extend_from_slice(b" . ");
                text.extend_from_slice(spelled.as_bytes());
                let hits = scrubber.hits(&text);
                assert_eq!(hits.len(), 1, "{spelled} behind {before} bytes");
                assert_eq!(hits[0].range, before + 3..text.len(), "{spelled} behind {before} bytes");
            }
        }
    }
}
