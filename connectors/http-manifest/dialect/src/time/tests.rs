use super::{Duration, check_format, format, parse, parse_any, parse_iso};

/// 2024-03-09T07:05:03.000042Z
const MOMENT: i64 = 1_709_967_903_000_042;

fn round(text: &str, shape: &str, micros: i64) {
    assert_eq!(parse(text, shape), Ok(micros), "{text} as {shape}");
    assert_eq!(format(micros, shape).as_deref(), Ok(text), "{micros} as {shape}");
}

#[test]
fn texts_come_back_as_they_were_read() {
    let (second, day) = (MOMENT - 42, 1_709_942_400_000_000);
    round("2024-03-09", "%Y-%m-%d", day);
    round("09/03/24", "%d/%m/%y", day);
    round("2024-03-09T07:05:03Z", "%Y-%m-%dT%H:%M:%SZ", second);
    round("2024-03-09T07:05:03.000042Z", "%Y-%m-%dT%H:%M:%S.%fZ", MOMENT);
    round("2024-03-09T07:05:03.000042+0000", "%Y-%m-%dT%H:%M:%S.%f%z", MOMENT);
    round("2024-03-09T07:05:03.007Z", "%Y-%m-%dT%H:%M:%S.%_msZ", second + 7_000);
    round("1709967903", "%s", second);
    round("1709967903007", "%ms", second + 7_000);
    round("1709967903.000042", "%s_as_float", MOMENT);
    round("1709967903000042", "%epoch_microseconds", MOMENT);
    round("Sat, 09 Mar 2024 07:05:03", "%a, %d %b %Y %H:%M:%S", second);
    round("07:05 AM 2024-03-09", "%I:%M %p %Y-%m-%d", second - 3_000_000);
}

#[test]
fn offsets_are_read_in_each_spelling() {
    let shape = "%Y-%m-%dT%H:%M:%S%z";
    for text in ["2024-03-09T08:05:03+0100", "2024-03-09T08:05:03+01:00", "2024-03-09T07:05:03Z"] {
        assert_eq!(parse(text, shape), Ok(MOMENT - 42), "{text}");
    }
    assert_eq!(parse("2024-03-09 07:05:03 GMT", "%Y-%m-%d %H:%M:%S %Z"), Ok(MOMENT - 42));
}

#[test]
fn iso_dates_are_read_as_people_write_them() {
    for text in [
        "2024-03-09T07:05:03Z",
        "2024-03-09T07:05:03",
        "2024-03-09 07:05:03+00:00",
        "2024-03-09 07:05:03",
        "2024-03-09T08:05:03.000+0100",
    ] {
        assert_eq!(parse_iso(text), Ok(MOMENT - 42), "{text}");
    }
    assert_eq!(parse_iso("2024-03-09"), Ok(1_709_942_400_000_000));
    assert_eq!(parse_iso("2024-03-09T07:05:03.000042Z"), Ok(MOMENT));
    assert!(parse_iso("yesterday").is_err());
    assert_eq!(parse_any("2024-03-09", &["%s".to_owned()]), Ok(1_709_942_400_000_000));
    assert_eq!(parse_any("7", &["%Y".to_owned(), "%s".to_owned()]), Ok(7_000_000));
}

#[test]
fn what_is_no_time_is_refused() {
    for (text, shape) in [
        ("2024-02-30", "%Y-%m-%d"),
        ("2024-03-09x", "%Y-%m-%d"),
        ("1.2.3", "%s"),
        ("9999999999999999999", "%ms"),
        ("", "%s"),
    ] {
        assert!(parse(text, shape).is_err(), "{text} as {shape}");
    }
    assert_eq!(check_format("%Y-%m-%dT%H:%M:%S.%f%z"), Ok(()));
    assert!(check_format("%c").unwrap_err().to_string().contains("depends on where"));
    assert!(check_format("%1").unwrap_err().to_string().contains("`%1` is no format"));
}

#[test]
fn durations_follow_the_calendar() {
    let at = |text: &str| parse_iso(text).unwrap();
    let after = |duration: &str, text: &str| Duration::parse(duration).unwrap().after(at(text)).unwrap();
    assert_eq!(after("P1M", "2024-01-31"), at("2024-02-29"));
    assert_eq!(after("P1W", "2024-02-28"), at("2024-03-06"));
    assert_eq!(after("PT0.001S", "2024-02-28"), at("2024-02-28") + 1_000);
    assert_eq!(after("PT0.000001S", "2024-02-28"), at("2024-02-28") + 1);
    assert_eq!(Duration::parse("P1D").unwrap().before(at("2024-03-01")), Ok(at("2024-02-29")));
    for text in ["1D", "-P1D", "P", "P1X", ""] {
        assert!(Duration::parse(text).is_err(), "{text}");
    }
    assert!(Duration::parse("P9000Y").unwrap().after(at("2024-01-01")).is_err());
    assert!(Duration::parse("PT0S").unwrap().is_zero());
}
