//! Short values: in lines only, as words only.

use super::{TOKEN, watch};
use crate::Place;

#[test]
fn a_short_value_is_blanked_in_a_line_where_it_stands_as_a_word() {
    let scrubber = watch(&[b"hunter2", TOKEN]).current();
    for (line, expected) in [
        ("hunter2", "*******"),
        ("Bearer hunter2", "Bearer *******"),
        ("password=hunter2&x=1", "password=*******&x=1"),
        ("\"hunter2\"", "\"*******\""),
        (
            "hunter2s and xhunter2 and _hunter2 and éhunter2",
            "hunter2s and xhunter2 and _hunter2 and éhunter2",
        ),
        ("nothing", "nothing"),
    ] {
        assert_eq!(scrubber.text(line), expected);
        assert_eq!(scrubber.header(line.as_bytes()), expected.as_bytes());
        assert!(scrubber.find(line.as_bytes()).is_none(), "not where it could be anything");
    }
}

#[test]
fn a_value_of_twelve_bytes_is_found_anywhere_and_one_of_eleven_is_not() {
    let scrubber = watch(&[b"twelve-bytes", b"eleven-byte"]).current();
    assert_eq!(scrubber.hits(b"xtwelve-bytesx eleven-byte").len(), 1);
    assert_eq!(scrubber.text("eleven-byte."), "***********.");
}

#[test]
fn a_value_of_three_bytes_is_not_looked_for() {
    let watch = watch(&[b"abc", b""]);
    assert!(watch.current().is_empty());
    assert_eq!(watch.text(Place::Log, "abc"), "abc");
}
