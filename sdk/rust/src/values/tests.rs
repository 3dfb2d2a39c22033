use proptest::{prop_assert_eq, proptest};

use super::{Date, Decimal, LocalTime, LocalTimestamp, Time, Timestamp, text};

#[test]
fn decimals_are_read_and_written_without_loss() {
    let check = |text: &str, unscaled: i128, shown: &str| {
        let decimal: Decimal<5, 2> = text.parse().unwrap();
        assert_eq!((decimal.unscaled(), decimal.to_string().as_str()), (unscaled, shown));
    };
    check("12.34", 1234, "12.34");
    check("-0.05", -5, "-0.05");
    check("+7", 700, "7.00");
    check("1.5000", 150, "1.50");
    for text in ["", "-", ".5", "1.234", "1000", "1e3", "1.2.3", "--1", "١"] {
        assert!(text.parse::<Decimal<5, 2>>().is_err(), "`{text}` was accepted");
    }
    let most: Decimal<38, 0> = "99999999999999999999999999999999999999".parse().unwrap();
    assert_eq!(most.to_string().len(), 38);
}

#[test]
fn decimals_are_read_from_json_where_no_digit_can_be_lost() {
    let read = |json: &str| serde_json::from_str::<Decimal<20, 2>>(json).map(Decimal::unscaled).ok();
    assert_eq!(read("\"-7.5\""), Some(-750));
    assert_eq!(read("7.25"), Some(725));
    assert_eq!(read("-3"), Some(-300));
    assert_eq!(read("9007199254740993"), Some(900_719_925_474_099_300));
    assert_eq!(read("7.255"), None);
    assert_eq!(read("90071992547409.93"), None);
    assert_eq!(read("1e300"), None);
    assert_eq!(serde_json::to_string(&Decimal::<4, 2>::new(-5).unwrap()).unwrap(), "\"-0.05\"");
}

#[test]
fn days_that_do_not_exist_are_refused() {
    for text in
        ["2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "24-04-01", "2024-4-1", "+-1"]
    {
        assert!(text.parse::<Date>().is_err(), "`{text}` was accepted");
    }
    assert_eq!("2000-02-29".parse(), Ok(Date(11_016)));
    assert_eq!("1969-12-31".parse(), Ok(Date(-1)));
    assert_eq!(Date(-719_529).to_string(), "-000001-12-31");
    assert_eq!("-000001-12-31".parse(), Ok(Date(-719_529)));
}

#[test]
fn times_keep_microseconds_and_their_zone() {
    assert_eq!("23:59:59.000001Z".parse(), Ok(Time(86_399_000_001)));
    assert_eq!("00:30+01:00".parse(), Ok(Time(84_600_000_000)));
    assert_eq!("12:00".parse(), Ok(LocalTime(43_200_000_000)));
    assert_eq!("12:00:00.1234560".parse(), Ok(LocalTime(43_200_123_456)));
    for text in
        ["24:00", "12:60", "12:00:60", "12", "12:00.5", "12:00:00.", "12:00:00.1234567", "1:00", "12:00Z"]
    {
        assert!(text.parse::<LocalTime>().is_err(), "`{text}` was accepted");
    }
    assert!("12:00".parse::<Time>().is_err());
    assert!("2024-01-01T00:00:00".parse::<Timestamp>().is_err());
    assert!("2024-01-01T00:00:00Z".parse::<LocalTimestamp>().is_err());
}

#[test]
fn timestamps_travel_through_json_as_text() {
    let instant: Timestamp = serde_json::from_str("\"2024-02-29 12:30:00.250+00:30\"").unwrap();
    assert_eq!(serde_json::to_string(&instant).unwrap(), "\"2024-02-29T12:00:00.25Z\"");
    assert!(serde_json::from_str::<Date>("\"yesterday\"").is_err());
}

proptest! {
    #[test]
    fn every_day_reads_back(days in -36_000_000_i32..36_000_000) {
        prop_assert_eq!(Date(days).to_string().parse(), Ok(Date(days)));
    }

    #[test]
    fn every_instant_reads_back(micros in -3_000_000_000_000_000_000_i64..3_000_000_000_000_000_000) {
        prop_assert_eq!(Timestamp(micros).to_string().parse(), Ok(Timestamp(micros)));
        prop_assert_eq!(LocalTimestamp(micros).to_string().parse(), Ok(LocalTimestamp(micros)));
    }

    #[test]
    fn every_decimal_reads_back(unscaled in -10_i128.pow(38) + 1..10_i128.pow(38)) {
        let shown = text::Decimal { unscaled, scale: 7 }.to_string();
        prop_assert_eq!(shown.parse::<Decimal<38, 7>>().map(Decimal::unscaled), Ok(unscaled));
    }

    #[test]
    fn no_text_breaks_the_readers(text in "\\PC{0,12}|[0-9:.TZ+-]{0,32}") {
        let _ = (text.parse::<Timestamp>(), text.parse::<Time>(), text.parse::<Date>(), text.parse::<Decimal<9, 3>>());
    }
}
