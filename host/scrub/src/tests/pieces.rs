//! Any secret in any spelling, cut in any way, among anything.

use bytes::Bytes;
use proptest::prelude::*;

use super::spell::{base64, hex, one_of};
use super::{rounds, watch};
use crate::{Place, Watch};

/// The text in pieces that end at these places, and how much of it was held back at most.
fn scrubbed(watch: &Watch, text: &[u8], cuts: &[prop::sample::Index]) -> (Vec<u8>, u64) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    let mut stream = watch.stream(Place::Body);
    let mut out = Vec::new();
    for piece in cuts.windows(2) {
        out.extend(stream.push(Bytes::copy_from_slice(&text[piece[0]..piece[1]])));
        assert!(stream.held_bytes() <= stream.held_max());
    }
    out.extend(stream.finish());
    (out, stream.hits())
}

fn secret() -> impl Strategy<Value = Vec<u8>> {
    let words = "[A-Za-z0-9_.=/+-]{12,48}".prop_map(String::into_bytes);
    let printable = "[ -~]{12,40}".prop_map(String::into_bytes);
    prop_oneof![3 => words, 2 => printable, 1 => prop::collection::vec(any::<u8>(), 12..40)]
}

/// Spellings by number: forms, and any mixture of escapes around each.
fn spelled(secret: &[u8], form: u8, choices: &[u8], before: &[u8], behind: &[u8]) -> Vec<u8> {
    let plain = match form % 4 {
        0 => secret.to_vec(),
        1 => hex(secret, false),
        2 => hex(secret, true),
        _ => {
            let whole = base64(secret, before, behind, form as usize / 4);
            let bits = (before.len() * 8)..((before.len() + secret.len()) * 8);
            whole[bits.start.div_ceil(6)..bits.end / 6].to_vec()
        }
    };
    let byte = |(byte, choice): (&u8, &u8)| one_of(*byte, *choice);
    plain.iter().zip(choices.iter().cycle()).flat_map(byte).collect()
}

proptest! {
    #![proptest_config(rounds(600))]

    #[test]
    fn no_byte_of_a_secret_leaves_and_all_else_does(
        secret in secret(),
        form in any::<u8>(),
        choices in prop_oneof![Just(vec![255]), prop::collection::vec(any::<u8>(), 1..12)],
        neighbours in (prop::collection::vec(any::<u8>(), 0..4), prop::collection::vec(any::<u8>(), 0..4)),
        before in prop::collection::vec(any::<u8>(), 0..200),
        behind in prop::collection::vec(any::<u8>(), 0..200),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let secret_text = spelled(&secret, form, &choices, &neighbours.0, &neighbours.1);
        let text = [&*before, &*secret_text, &*behind].concat();
        let (out, hits) = scrubbed(&watch(&[&secret]), &text, &cuts);
        prop_assert_eq!(out.len(), text.len());
        prop_assert!(hits >= 1);
        let (start, end) = (before.len(), before.len() + secret_text.len());
        prop_assert!(out[start..end].iter().all(|byte| *byte == b'*'), "{}", String::from_utf8_lossy(&text));
        // What stands right beside may be read as part of an escape, or of the same base64.
        prop_assert_eq!(&out[..start.saturating_sub(8)], &text[..start.saturating_sub(8)]);
        prop_assert_eq!(&out[(end + 1).min(out.len())..], &text[(end + 1).min(out.len())..]);
    }

    #[test]
    fn without_a_secret_everything_leaves_as_it_came(
        secrets in prop::collection::vec(secret(), 0..6),
        text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..1_000),
            "[a-z %&+\\\\\"0-9]{0,1000}".prop_map(String::into_bytes),
        ],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let values: Vec<&[u8]> = secrets.iter().map(Vec::as_slice).collect();
        let (out, hits) = scrubbed(&watch(&values), &text, &cuts);
        prop_assert_eq!(out, text);
        prop_assert_eq!(hits, 0);
    }

    #[test]
    fn pieces_give_what_the_whole_gives(
        secrets in prop::collection::vec(secret(), 1..4),
        order in prop::collection::vec((0..4_usize, any::<u8>(), prop::collection::vec(any::<u8>(), 0..30)), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let values: Vec<&[u8]> = secrets.iter().map(Vec::as_slice).collect();
        let part = |(number, form, between): &(usize, u8, Vec<u8>)| {
            let mut part = spelled(&secrets[number % secrets.len()], *form, &[*form], b"", b"");
            part.extend(between);
            part
        };
        let text: Vec<u8> = order.iter().flat_map(part).collect();
        let whole = watch(&values).current().header(&text).into_owned();
        let (out, _) = scrubbed(&watch(&values), &text, &cuts);
        // A character of base64 that only touches a secret may have left with an earlier piece.
        let differs = |(one, other): (&u8, &u8)| one != other;
        let different = out.iter().zip(&whole).filter(|pair| differs(*pair)).count();
        prop_assert_eq!(out.len(), whole.len());
        prop_assert!(different <= cuts.len());
    }
}
