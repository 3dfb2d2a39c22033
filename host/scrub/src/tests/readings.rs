//! What an escape stands for.

use crate::escape::readings;

fn check(text: &str, expected: &[(usize, &str)], open: bool) {
    let readings = readings(text.as_bytes());
    let read: Vec<(usize, &str)> =
        readings.iter().map(|one| (one.text_bytes(), std::str::from_utf8(one.value()).unwrap())).collect();
    assert_eq!((read.as_slice(), readings.open), (expected, open), "{text}");
}

#[test]
fn an_escape_is_read_in_every_way_in_which_it_could_be_meant() {
    check("%2F.", &[(3, "/")], false);
    check("%2f.", &[(3, "/")], false);
    check("%252F", &[(3, "%"), (5, "/")], false);
    check("\\/", &[(2, "/")], false);
    check("\\\"", &[(2, "\"")], false);
    check("\\n", &[(2, "\n")], false);
    check("\\u00e9.", &[(6, "é")], false);
    check("\\x2f", &[(4, "/")], false);
    check("\\ud83d\\udd11", &[(12, "🔑")], false);
    check("\\\\ud83d\\\\udd11", &[(2, "\\"), (14, "🔑")], false);
    check("\\\\u002f", &[(2, "\\"), (7, "/")], false);
    check("\\\\\\\"", &[(2, "\\"), (4, "\"")], false);
    check("\\\\\\\\c", &[(2, "\\"), (4, "\\")], false);
    check("&amp;", &[(5, "&")], false);
    check("&#47;", &[(5, "/")], false);
    check("&#x2F;", &[(6, "/")], false);
    check("&#0000047;", &[(10, "/")], false);
    check("+", &[(1, " ")], false);
}

#[test]
fn what_is_no_escape_has_no_reading() {
    for text in [
        "%zz",
        "%2z",
        "\\q",
        "\\u00zz",
        "\\ud83d.",
        "\\ud83d\\u0041",
        "&a.",
        "&#;",
        "&#x;",
        "&#1114112;",
        "a",
    ] {
        check(text, &[], false);
    }
}

#[test]
fn an_escape_that_the_end_cuts_off_is_open() {
    for text in ["%", "%2", "\\", "\\u", "\\u00", "\\x", "\\x2", "&", "&a", "&am", "&#", "&#4", "&#x2"] {
        check(text, &[], true);
    }
    check("%25", &[(3, "%")], true);
    check("\\ud83d\\u", &[], true);
    check("\\ud83d", &[], true);
    check("\\\\", &[(2, "\\")], true);
}
