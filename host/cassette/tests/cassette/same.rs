//! Which requests are one and the same. Two that a server could tell apart are not.

use cassette::{Error, Headers, Player};

use crate::{asked, folder, headers, played_by, recorder, recording};

/// Method, URL, headers, body, trailers.
#[derive(Clone, Copy, Debug)]
struct Made(&'static str, &'static str, &'static [(&'static str, &'static [u8])], &'static str, Fields);
type Fields = &'static [(&'static str, &'static [u8])];

const FIELDS: Fields = &[("accept", b"json"), ("x", b"1"), ("x", b"2")];
const WAS: Made = Made("POST", "http://a.test/items?page=1", FIELDS, "body", &[("sum", b"3")]);

impl Made {
    fn asked(self) -> cassette::Asked {
        let Self(method, url, fields, body, trailers) = self;
        cassette::Asked { trailers: headers(trailers), ..asked(method, url, fields, body.as_bytes()) }
    }

    /// What is said of this one where `was` was recorded.
    fn answered(self, was: Self) -> Result<(u64, u64), Error> {
        let folder = folder();
        let recorder = recorder(folder.path());
        let tape = recording(&recorder, "");
        let Self(method, url, fields, body, trailers) = was;
        let open = tape.exchange(method, url, headers(fields));
        open.request_part(body.as_bytes());
        open.request_ended(headers(trailers));
        open.response(204, Headers::new(), None);
        open.response_ended(Headers::new());
        drop((open, tape));
        recorder.finish(1, true)?;
        let player = Player::open(folder.path())?;
        let tape = played_by(&player, "")?;
        tape.answer(&self.asked())?;
        Ok(player.answered())
    }
}

#[test]
fn a_request_is_the_same_however_its_headers_are_cased_and_ordered() {
    let cased = Made(WAS.0, WAS.1, &[("Accept", b"json"), ("X", b"1"), ("x", b"2")], WAS.3, &[("Sum", b"3")]);
    let ordered = Made(WAS.0, WAS.1, &[("x", b"1"), ("accept", b"json"), ("x", b"2")], WAS.3, WAS.4);
    for is in [WAS, cased, ordered] {
        assert_eq!(is.answered(WAS).unwrap(), (1, 1), "{is:?}");
    }
}

#[test]
fn a_request_that_differs_in_anything_is_another_one() {
    let others = [
        Made("PUT", WAS.1, FIELDS, WAS.3, WAS.4),
        Made(WAS.0, "http://a.test/items?page=2", FIELDS, WAS.3, WAS.4),
        Made(WAS.0, "http://a.test/Items?page=1", FIELDS, WAS.3, WAS.4),
        Made(WAS.0, WAS.1, &[("accept", b"text"), ("x", b"1"), ("x", b"2")], WAS.3, WAS.4),
        Made(WAS.0, WAS.1, &[("accept", b"JSON"), ("x", b"1"), ("x", b"2")], WAS.3, WAS.4),
        Made(WAS.0, WAS.1, &[("accepts", b"json"), ("x", b"1"), ("x", b"2")], WAS.3, WAS.4),
        // The values of one name have an order.
        Made(WAS.0, WAS.1, &[("accept", b"json"), ("x", b"2"), ("x", b"1")], WAS.3, WAS.4),
        Made(WAS.0, WAS.1, &[("accept", b"json"), ("x", b"1")], WAS.3, WAS.4),
        Made(WAS.0, WAS.1, FIELDS, "Body", WAS.4),
        Made(WAS.0, WAS.1, FIELDS, "", WAS.4),
        Made(WAS.0, WAS.1, FIELDS, WAS.3, &[("sum", b"4")]),
        Made(WAS.0, WAS.1, FIELDS, WAS.3, &[]),
    ];
    for is in others {
        assert_eq!(is.answered(WAS).unwrap_err().code(), "CD0850", "{is:?}");
        assert_eq!(WAS.answered(is).unwrap_err().code(), "CD0850", "recorded: {is:?}");
    }
}

#[test]
fn what_stands_at_the_border_of_two_parts_belongs_to_one_of_them() {
    let pairs = [
        (Made("GETh", "ttp://a.test/", &[], "", &[]), Made("GET", "http://a.test/", &[], "", &[])),
        (Made("GET", WAS.1, &[("ab", b"c")], "", &[]), Made("GET", WAS.1, &[("a", b"bc")], "", &[])),
        // A header is no trailer.
        (Made("GET", WAS.1, &[("a", b"b")], "", &[]), Made("GET", WAS.1, &[], "", &[("a", b"b")])),
    ];
    for (one, other) in pairs {
        assert_eq!(one.answered(other).unwrap_err().code(), "CD0850", "{one:?}");
        assert_eq!(other.answered(one).unwrap_err().code(), "CD0850", "{other:?}");
    }
}
