//! The table of encodings: each is found, told by its name, and blanked whole.

use bytes::Bytes;

use super::spell::{base64, hex, is_reserved, one_of, percent, unicode, unicode_if};
use super::{AWKWARD, TOKEN, watch};
use crate::{Encoding, Place, Watch};

fn table(secret: &[u8]) -> Vec<(&'static str, Encoding, Vec<u8>)> {
    let text = std::str::from_utf8(secret).unwrap();
    let json = |text: &str| serde_json::to_string(text).unwrap().trim_matches('"').as_bytes().to_vec();
    let in_json = json(text);
    let if_escaped = |spelled: &[u8]| {
        let is_escaped = spelled != secret;
        if is_escaped { Encoding::Escaped } else { Encoding::Plain }
    };
    let form = percent(secret, |byte| is_reserved(byte) && byte != b' ', true);
    let form: Vec<u8> = form.into_iter().map(|byte| if byte == b' ' { b'+' } else { byte }).collect();
    let reserved = [true, false].map(|upper| percent(secret, is_reserved, upper));
    let twice = percent(&reserved[0], is_reserved, true);
    let mut table = vec![
        ("plain", Encoding::Plain, secret.to_vec()),
        ("hex", Encoding::Hex, hex(secret, false)),
        ("HEX", Encoding::Hex, hex(secret, true)),
        ("percent of all bytes", Encoding::Escaped, percent(secret, |_| true, true)),
        ("percent of all bytes in lower case", Encoding::Escaped, percent(secret, |_| true, false)),
        ("percent twice", if_escaped(&twice), twice),
        ("percent of a form", if_escaped(&form), form),
        ("JSON in JSON", if_escaped(&in_json), json(std::str::from_utf8(&in_json).unwrap())),
        ("\\u of all", Encoding::Escaped, unicode(text, "\\", false)),
        ("\\U of all", Encoding::Escaped, unicode(text, "\\", true)),
        ("\\\\u of all", Encoding::Escaped, unicode(text, "\\\\", false)),
        ("JSON", if_escaped(&in_json), in_json),
    ];
    if !text.is_ascii() {
        table.push(("JSON in ASCII", Encoding::Escaped, unicode_if(text, |character| !character.is_ascii())));
    }
    for spelled in reserved {
        table.push(("percent of reserved bytes", if_escaped(&spelled), spelled));
    }
    let slashes = String::from_utf8(base64(secret, b"", b"", 0)).unwrap();
    let escaped = slashes.replace('/', "\\/").replace('+', "%2B");
    if escaped != slashes {
        table.push(("base64 in JSON and percent", Encoding::Escaped, escaped.into_bytes()));
    }
    table
}

#[test]
fn each_encoding_is_found_and_blanked_whole() {
    for secret in [TOKEN, AWKWARD, "pässwörter 🔑 sind kurz".as_bytes()] {
        let scrubber = watch(&[secret]).current();
        for (name, encoding, spelled) in table(secret) {
            let text = [b"{\"echo\": \"".as_slice(), &spelled, b"\"}"].concat();
            let hits = scrubber.hits(&text);
            assert_eq!(hits.len(), 1, "{name}");
            assert_eq!((&*hits[0].credential, hits[0].encoding), ("c0", encoding), "{name}");
            assert_eq!(hits[0].range, 10..10 + spelled.len(), "{name}");
            let blanked = scrubber.header(&text).into_owned();
            assert_eq!(blanked, [b"{\"echo\": \"".as_slice(), &vec![b'*'; spelled.len()], b"\"}"].concat());
        }
    }
}

/// Neighbours share characters with the secret's first and last byte; those are blanked too.
#[test]
fn base64_is_found_at_each_offset_among_unknown_neighbours() {
    for secret in [TOKEN, &TOKEN[..12], &TOKEN[..13], &TOKEN[..14], AWKWARD] {
        let scrubber = watch(&[secret]).current();
        for (before, behind) in (0..7).flat_map(|before| (0..7).map(move |behind| (before, behind))) {
            for (alphabet, neighbour) in (0..4).flat_map(|one| [0_u8, 0x5a, 0xff].map(|two| (one, two))) {
                let text = base64(secret, &vec![neighbour; before], &vec![neighbour; behind], alphabet);
                let hits = scrubber.hits(&text);
                assert_eq!(hits.len(), 1, "{before} before, {behind} behind");
                assert_eq!(hits[0].encoding, Encoding::Base64);
                let (first_bit, end_bit) = (before * 8, (before + secret.len()) * 8);
                assert_eq!(hits[0].range, first_bit / 6..end_bit.div_ceil(6), "every bit of it");
            }
        }
    }
}

/// As above where one character is escaped, or pieces end anywhere: what the last character holds goes as well.
#[test]
fn the_last_bits_of_base64_are_blanked_behind_an_escape_and_behind_a_cut() {
    for (before, behind) in (0..3).flat_map(|before| (1..4).map(move |behind| (before, behind))) {
        let text = base64(TOKEN, &vec![0x5a; before], &vec![0x5a; behind], 0);
        let (start, end) = (before * 8 / 6, ((before + TOKEN.len()) * 8).div_ceil(6));
        let (head, tail) = text.split_at(start + 4);
        let (first, tail) = tail.split_first().unwrap();
        let escaped = [head, &one_of(*first, 0), tail].concat();
        let hits = watch(&[TOKEN]).current().hits(&escaped);
        assert_eq!(hits.len(), 1, "{before} before, {behind} behind");
        assert_eq!(hits[0].range, start..end + 2, "{before} before, {behind} behind");
        for cut in 0..=text.len() {
            let mut stream = watch(&[TOKEN]).stream(Place::Body);
            let mut out = stream.push(Bytes::copy_from_slice(&text[..cut])).to_vec();
            out.extend_from_slice(&stream.push(Bytes::copy_from_slice(&text[cut..])));
            out.extend_from_slice(&stream.finish());
            // The character that the secret's first bits share may have left before anything was suspicious.
            let blanked = &out[start + 1..end];
            assert!(
                blanked.iter().all(|byte| *byte == b'*'),
                "{before} before, {behind} behind, cut at {cut}"
            );
        }
    }
}

#[test]
fn basic_authentication_is_a_value_of_its_own_and_the_password_within_is_found_too() {
    let basic = base64(b"user:correct horse battery", b"", b"", 0);
    let scrubber = watch(&[&basic, b"correct horse battery"]).current();
    let hits = scrubber.hits(&[b"Basic ".as_slice(), &basic].concat());
    let credentials: Vec<&str> = hits.iter().map(|hit| &*hit.credential).collect();
    assert_eq!(credentials, ["c0", "c1"]);
    assert_eq!(hits[0].range, 6..6 + basic.len());
}

#[test]
fn what_is_no_secret_passes() {
    let scrubber = watch(&[TOKEN, AWKWARD]).current();
    let almost = [&TOKEN[..TOKEN.len() - 1], b"!"].concat();
    let shorter = &TOKEN[1..];
    let mut mistyped = percent(TOKEN, |_| true, true);
    mistyped[40] ^= 1;
    for text in
        [b"".as_slice(), b"%", b"\\", b"&", b"\\u00", &almost, shorter, &mistyped, &hex(shorter, true)]
    {
        assert!(scrubber.find(text).is_none());
        assert_eq!(scrubber.header(text), text);
    }
}

/// `ä` and `å` begin with the same byte.
#[test]
fn a_character_that_only_begins_like_one_of_the_secret_is_another() {
    let scrubber = watch(&["pässwörter sind kurz".as_bytes()]).current();
    assert!(scrubber.find("p\\u00e4sswörter sind kurz".as_bytes()).is_some());
    assert!(scrubber.find("p\\u00e5sswörter sind kurz".as_bytes()).is_none());
}

/// A new token that begins like the old one.
#[test]
fn of_two_values_of_one_credential_at_one_place_the_longer_is_told() {
    let watch = Watch::new();
    watch.add("api", b"SECRET-SECRET");
    watch.add("api", b"SECRET-SECRET-AND-MORE");
    let hits = watch.current().hits(b".SECRET-SECRET-AND-MORE");
    assert_eq!((hits.len(), hits[0].range.clone()), (1, 1..23));
}

#[test]
fn an_escape_that_no_reader_reads_hides_nothing() {
    // Each of these ends what could have been an escape, with the secret right behind.
    let scrubber = watch(&[TOKEN]).current();
    for before in
        ["%", "%2", "%zz", "%25", "\\", "\\\\", "\\u", "\\u00", "\\ud83d", "&", "&#", "&#x41", "&amp"]
    {
        let text = [before.as_bytes(), TOKEN].concat();
        assert_eq!(scrubber.find(&text).unwrap().range.end, text.len(), "{before}");
    }
}
