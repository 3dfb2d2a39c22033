//! Where escapes begin: each place that could matter, once, however many there are and wherever blocks end.

use proptest::prelude::*;

use super::{AWKWARD, TOKEN, rounds, watch};
use crate::escape::is_lead;
use crate::leads::Leads;
use crate::needle::needles;
use crate::stands::Stands;

fn stands(value: &[u8]) -> Stands {
    Stands::new(&needles(&"c".into(), value))
}

fn told(stands: &Stands, text: &[u8]) -> Vec<usize> {
    let mut told = Vec::new();
    Leads::new(stands).places(text, |at| told.push(at));
    told
}

proptest! {
    #![proptest_config(rounds(400))]

    #[test]
    fn all_places_that_could_matter_are_told_once_and_in_order(
        text in prop_oneof![
            prop::collection::vec(prop::sample::select(b"%\\&+".as_slice()), 0..300),
            prop::collection::vec(prop::sample::select(b"%\\&+a$'*,[]\0\xff.........................".as_slice()), 0..600),
            prop::collection::vec(prop::sample::select(b"%\\&+ux/\"n23#aq0".as_slice()), 0..5_000),
            prop::collection::vec(any::<u8>(), 0..600),
        ],
        value in prop::sample::select(vec![TOKEN, AWKWARD, b"one two/three", b"\n\t\x08<>'\"&,;=:()\xe9"]),
    ) {
        let stands = stands(value);
        let begins = |at: &usize| is_lead(text[*at]) || (text[*at] == b'+' && stands.has(b' '));
        let wanted: Vec<usize> =
            (0..text.len()).filter(|at| begins(at) && stands.may_begin(&text[*at..])).collect();
        let told = told(&stands, &text);
        prop_assert!(told.is_sorted_by(|one, next| one < next), "{:?}", told);
        prop_assert!(told.iter().all(begins), "{:?}", told);
        prop_assert!(wanted.iter().all(|at| told.contains(at)), "{:?} of {:?}", told, wanted);
    }
}

/// What costs nothing in the texts that are common.
#[test]
fn escapes_that_stand_for_what_no_secret_has_are_not_told() {
    let text = r#"{"said": "\"hello\"\n\tand left", "url": "https:\/\/a.test\/%zz", "more": "&lt;p&gt; &quot;R&amp;D&quot; a+b"}"#;
    assert_eq!(told(&stands(TOKEN), text.as_bytes()), [0; 0]);
    let common = text.repeat(50);
    assert_eq!(told(&stands(TOKEN), common.as_bytes()), [0; 0]);
    assert_eq!(
        told(&stands(b"a/b/c/d/e/f/g/h"), text.as_bytes()).len(),
        3,
        "but slashes of one that has slashes"
    );
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
