//! What holds of a stream in the cases that are easy to get wrong.

use bytes::Bytes;

use super::{TOKEN, watch};
use crate::{Encoding, Place, Stream, Watch};

/// What leaves, piece by piece, and at the end.
fn run(stream: &mut Stream, pieces: &[&str]) -> Vec<String> {
    let mut out: Vec<Bytes> =
        pieces.iter().map(|piece| stream.push(Bytes::copy_from_slice(piece.as_bytes()))).collect();
    out.push(stream.finish());
    out.into_iter().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).collect()
}

fn scrubbed(values: &[&str], pieces: &[&str]) -> (String, u64) {
    let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
    let mut stream = watch(&values).stream(Place::Body);
    let out = run(&mut stream, pieces).concat();
    (out, stream.hits())
}

#[test]
fn nothing_is_held_back_but_what_could_begin_a_secret() {
    let mut stream = watch(&[b"SECRET-SECRET"]).stream(Place::Body);
    // The character before goes with it: in base64 it could hold bits of a secret.
    let out = run(&mut stream, &["event: 1.\n\n", "event: SEC", "ond.\n\n", "end: SECRET-SECRE"]);
    assert_eq!(out, ["event: 1.\n\n", "event: ", "SECond.\n\n", "end: ", "SECRET-SECRE"]);
    assert_eq!(stream.hits(), 0);
}

#[test]
fn a_secret_at_the_very_end_is_blanked() {
    assert_eq!(scrubbed(&["SECRET-SECRET"], &["a SECRET-SECRET"]), ("a *************".into(), 1));
    assert_eq!(scrubbed(&["SECRET-SECRET"], &["SECRET-", "SECRET"]), ("*************".into(), 1));
}

#[test]
fn the_last_piece_takes_along_all_that_was_held_back() {
    for (text, expected, hits) in [
        ("a SECRET-SECRET", "a *************", 1),
        ("a SECRET-SECRE", "a SECRET-SECRE", 0),
        ("SECRET-SECRET-SECRET", "********************", 2),
        ("no such thing", "no such thing", 0),
    ] {
        for cut in 0..=text.len() {
            let (head, tail) = text.split_at(cut);
            let mut stream = watch(&[b"SECRET-SECRET"]).stream(Place::Body);
            let first = stream.push(Bytes::copy_from_slice(head.as_bytes()));
            let last = stream.last(Bytes::copy_from_slice(tail.as_bytes()));
            assert_eq!([&first[..], &last[..]].concat(), expected.as_bytes(), "{text} cut at {cut}");
            assert_eq!((stream.hits(), stream.held_bytes()), (hits, 0), "{text} cut at {cut}");
            assert!(stream.finish().is_empty());
        }
    }
}

#[test]
fn of_two_secrets_one_that_begins_like_the_other_hides_nothing_of_it() {
    let values = ["SECRET-SECRET", "SECRET-SECRET-AND-MORE"];
    for (text, hits) in
        [("SECRET-SECRET.", 1), ("SECRET-SECRET-AND-MORE.", 2), ("SECRET-SECRET-AND-MORI.", 1)]
    {
        let whole = scrubbed(&values, &[text]);
        assert_eq!(whole.1, hits);
        for cut in 0..=text.len() {
            let (head, tail) = text.split_at(cut);
            assert_eq!(scrubbed(&values, &[head, tail]), whole, "cut at {cut}");
        }
    }
    assert_eq!(scrubbed(&values, &["SECRET-SECRET-AND-MORI."]).0, "*************-AND-MORI.");
    assert_eq!(scrubbed(&values, &["SECRET-SECRET-AND-MOR"]).0, "*************-AND-MOR");
}

#[test]
fn overlapping_secrets_are_blanked_and_counted_both() {
    let values = ["first-secret-middle", "middle-of-the-second"];
    let text = "a first-secret-middle-of-the-second z";
    for cut in 0..=text.len() {
        let (head, tail) = text.split_at(cut);
        assert_eq!(
            scrubbed(&values, &[head, tail]),
            ("a ********************************* z".into(), 2),
            "{cut}"
        );
    }
    // The second one only seems to begin.
    let text = "a first-secret-middle-of-the-secone z";
    for cut in 0..=text.len() {
        let (head, tail) = text.split_at(cut);
        assert_eq!(
            scrubbed(&values, &[head, tail]),
            ("a *******************-of-the-secone z".into(), 1),
            "{cut}"
        );
    }
}

#[test]
fn the_same_secret_is_counted_as_often_as_it_stands_there() {
    let twice = "SECRET-SECRET,SECRET-SECRETSECRET-SECRET";
    assert_eq!(scrubbed(&["SECRET-SECRET"], &[twice]).1, 3);
    let pieces: Vec<&str> = twice.split_inclusive(|_: char| true).collect();
    assert_eq!(scrubbed(&["SECRET-SECRET"], &pieces), ("*************,**************************".into(), 3));
}

#[test]
fn a_token_that_was_refreshed_in_mid_stream_is_blanked_and_so_is_the_old_one() {
    let watch = Watch::new();
    watch.add("api", b"old-token-of-mine");
    let mut stream = watch.stream(Place::Body);
    assert_eq!(stream.push(Bytes::from("new-token-of-mine;")), "new-token-of-mine;");
    watch.add("api", b"new-token-of-mine");
    assert_eq!(
        stream.push(Bytes::from("new-token-of-mine;old-token-of-mine;")),
        "*****************;*****************;"
    );
    let hits = watch.hits();
    assert_eq!(hits.len(), 1);
    assert_eq!((&*hits[0].credential, hits[0].place), ("api", Place::Body));
    assert_eq!((hits[0].encoding, hits[0].count), (Encoding::Plain, 2));
}

#[test]
fn what_a_connector_holds_is_looked_for_in_what_it_gives_and_not_in_what_it_is_answered() {
    let (watch, text) = (Watch::new(), b"say held-by-the-guest now");
    watch.add_held("api", b"held-by-the-guest");
    let found = |place: Place| watch.find(place, text).len();
    for place in [Place::Log, Place::Message, Place::Record, Place::Checkpoint] {
        assert_eq!(found(place), 1, "{place}");
    }
    for place in [Place::Header, Place::Body] {
        assert_eq!(found(place), 0, "{place}");
    }
    assert!(watch.header(text).is_none());
    let mut answered = watch.stream(Place::Body);
    assert_eq!([answered.push(Bytes::from_static(text)), answered.finish()].concat(), text);
    // Whoever places it too does not want it back.
    watch.add("other", b"held-by-the-guest");
    assert_eq!((found(Place::Body), found(Place::Header)), (1, 1));
}

#[test]
fn without_secrets_a_piece_leaves_as_it_came() {
    let piece = Bytes::from_static(TOKEN);
    let mut stream = Watch::new().stream(Place::Body);
    let out = stream.push(piece.clone());
    assert_eq!(out.as_ptr(), piece.as_ptr(), "the same memory");
    assert!(stream.finish().is_empty());
}

/// An upstream that sends nothing but beginnings cannot make the host hold much, nor take long.
#[test]
fn what_is_held_back_is_bounded() {
    let secret = [b"\\".repeat(8), b"end-of-it".to_vec()].concat();
    let watch = watch(&[&secret]);
    let mut stream = watch.stream(Place::Body);
    let most = stream.held_max();
    let mut left = 0;
    for _ in 0..200 {
        left += stream.push(Bytes::from_static(b"\\\\\\\\\\\\\\")).len();
        assert!(stream.held_bytes() <= most);
    }
    assert_eq!(left + stream.finish().len(), 1_400);
}
