use cofferdam_sdk::{ColumnData, ColumnsView, Field, Zone};

use super::{
    Table, is_float, is_integer,
    parse::{parse_decimal, parse_float, parse_integer},
};
use crate::kind::Kind;

#[test]
fn integers_up_to_both_ends_of_their_range() {
    assert_eq!(parse_integer(b"-9223372036854775808"), Some(i64::MIN));
    assert_eq!(parse_integer(b"9223372036854775807"), Some(i64::MAX));
    assert_eq!(parse_integer(b"9223372036854775808"), None);
    assert_eq!(parse_integer(b"-1"), Some(-1));
    for text in ["", "-", "+", "1.0", "1 ", " 1", "0x1", "1e3"] {
        assert_eq!(parse_integer(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn floats_are_never_made_infinite() {
    assert_eq!(parse_float(b"1e308"), Some(1e308));
    assert_eq!(parse_float(b"1e309"), None);
    assert_eq!(parse_float(b"-inf"), Some(f64::NEG_INFINITY));
    assert!(parse_float(b"NaN").is_some_and(f64::is_nan));
}

#[test]
fn decimals_lose_no_digit() {
    assert_eq!(parse_decimal(b"-12.3", 10, 2), Some(-1230));
    assert_eq!(parse_decimal(b"12.300", 10, 2), Some(1230));
    assert_eq!(parse_decimal(b"0.001", 10, 2), None);
    assert_eq!(parse_decimal(b"100", 2, 0), None);
    assert_eq!(parse_decimal(b"99999999999999999999999999999999999999", 38, 0), Some(10_i128.pow(38) - 1));
    assert_eq!(parse_decimal(b"1e2", 10, 2), None);
    assert_eq!(parse_decimal(b".5", 10, 2), None);
}

#[test]
fn what_looks_like_a_number_and_is_a_name_stays_a_name() {
    assert!(
        is_integer(b"0") && is_integer(b"-17") && is_float(b"0.5") && is_float(b"1e9") && is_float(b"10")
    );
    for text in ["007", "+1", "1_000", "99999999999999999999"] {
        assert!(!is_integer(text.as_bytes()), "{text}");
    }
    for text in ["00.5", "1.", ".5", "NaN", "inf", "0.12345678901234567890", "1e999", "--1"] {
        assert!(!is_float(text.as_bytes()), "{text}");
    }
}

#[test]
fn an_aborted_row_leaves_no_trace() {
    let kinds = [Kind::Boolean, Kind::Int64, Kind::Text, Kind::Decimal { precision: 5, scale: 1 }];
    let mut table = Table::new(&kinds);
    for row in 0..20 {
        let texts: [&[u8]; 4] = [b"true", b"1", "ä".as_bytes(), b"2.5"];
        for (index, text) in texts.into_iter().enumerate().take(if row % 2 == 0 { 4 } else { 3 }) {
            let column = table.column(index).unwrap();
            if row % 3 == 0 { column.push_null() } else { assert!(column.push_text(text)) }
        }
        if row % 2 == 0 { table.end_row() } else { table.abort_row() }
    }
    assert_eq!(table.row_count(), 10);
    let columns = table.finish();
    let fields: Vec<Field> = kinds.iter().map(|kind| Field::new("f", kind.data_type()).nullable()).collect();
    let view = ColumnsView::new(&fields, &columns).unwrap();
    let nulls = (0..10).filter(|row| view.columns()[2].is_null(*row)).count();
    assert_eq!(nulls, 4);
    let ColumnData::Text(text) = &columns.columns[2].data else { panic!() };
    assert_eq!((text.offsets.len(), text.data.len()), (11, 12));
}

#[test]
fn json_tokens_fit_their_type_or_are_refused() {
    let check = |kind, token: &str| Table::new(&[kind]).column(0).unwrap().push_json(token);
    assert!(check(Kind::Text, r#""a\nb""#) && !check(Kind::Text, "3") && !check(Kind::Text, r#""\ud800""#));
    assert!(check(Kind::Int64, "-3") && !check(Kind::Int64, "3.0") && !check(Kind::Int64, "\"3\""));
    assert!(check(Kind::Float64, "3") && !check(Kind::Float64, "1e999"));
    assert!(check(Kind::Boolean, "true") && !check(Kind::Boolean, "1"));
    assert!(check(Kind::Json, "[1, 2]") && check(Kind::Json, "\"x\""));
    assert!(check(Kind::Date, "\"2024-02-29\"") && !check(Kind::Date, "\"2023-02-29\""));
    assert!(check(Kind::Timestamp(Zone::Utc), "\"2024-02-29T01:02:03Z\""));
    assert!(!check(Kind::Timestamp(Zone::Utc), "\"2024-02-29T01:02:03\""));
    assert!(check(Kind::Decimal { precision: 4, scale: 2 }, "\"1.25\"") && check(Kind::Bytes, "\"AQI=\""));
}
