use super::Keys;
use crate::fixtures::{column, columns_batch, lines_batch, schema, texts};
use crate::model::{Batch, Column, ColumnData, DataType, Layout, StreamSchema, Zone};
use crate::rows::convert;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use std::collections::BTreeMap;

fn keyed(fields: &[(&str, DataType)], keys: &[&str], layout: Layout) -> StreamSchema {
    let mut schema = schema("s", fields, layout);
    schema.keys = keys.iter().map(|key| (*key).to_owned()).collect();
    schema
}

fn keys_of(schema: &StreamSchema, batch: &Batch) -> BTreeMap<u32, Vec<u8>> {
    let mut found = BTreeMap::new();
    let keys = Keys::new(schema).unwrap();
    keys.each(batch, 0..batch.row_count(), |row, key| assert_eq!(found.insert(row, key.to_vec()), None));
    found
}

fn key_of_line(fields: &[(&str, DataType)], keys: &[&str], line: &str) -> Option<Vec<u8>> {
    keys_of(&keyed(fields, keys, Layout::JsonLines), &lines_batch("s", &[line])).remove(&0)
}

const PAIR: [(&str, DataType); 2] = [("a", DataType::Text), ("b", DataType::Text)];

#[test]
fn a_key_does_not_depend_on_the_order_of_fields_or_on_what_else_is_in_the_row() {
    let key = key_of_line(&PAIR, &["a", "b"], r#"{"a":"1","b":"2"}"#).unwrap();
    assert_eq!(key_of_line(&PAIR, &["b", "a"], r#"{"b":"2", "x":[3], "a":"1"}"#), Some(key.clone()));
    let turned = [("b", DataType::Text), ("c", DataType::Int64), ("a", DataType::Text)];
    assert_eq!(key_of_line(&turned, &["a", "b"], r#"{"a":"1","b":"2","c":7}"#), Some(key));
}

#[test]
fn values_that_only_read_alike_together_have_different_keys() {
    let key = |line| key_of_line(&PAIR, &["a", "b"], line).unwrap();
    let lines = [
        r#"{"a":"1","b":"23"}"#,
        r#"{"a":"12","b":"3"}"#,
        r#"{"a":"","b":"123"}"#,
        r#"{"a":"123","b":""}"#,
        r#"{"a":"23","b":"1"}"#,
    ];
    for (place, line) in lines.iter().enumerate() {
        for other in &lines[place + 1..] {
            assert_ne!(key(line), key(other), "{line} {other}");
        }
    }
    let one = |data_type, line| key_of_line(&[("a", data_type)], &["a"], line).unwrap();
    let number = one(DataType::Int64, r#"{"a":1}"#);
    assert_ne!(number, one(DataType::Text, r#"{"a":"1"}"#), "a number is not a text");
    let named = key_of_line(&[("b", DataType::Int64)], &["b"], r#"{"b":1}"#).unwrap();
    assert_ne!(number, named, "another field is another key");
    let noon = r#"{"a":"2026-07-01T12:00:00"}"#;
    let local = one(DataType::Timestamp(Zone::Local), noon);
    let utc = one(DataType::Timestamp(Zone::Utc), r#"{"a":"2026-07-01T12:00:00Z"}"#);
    assert_ne!(local, utc, "a clock on some wall is no instant");
}

#[test]
fn one_value_has_one_key_however_it_is_written() {
    let same = |data_type, lines: &[&str]| {
        let first = key_of_line(&[("a", data_type)], &["a"], lines[0]).unwrap();
        for line in lines {
            assert_eq!(key_of_line(&[("a", data_type)], &["a"], line), Some(first.clone()), "{line}");
        }
    };
    same(DataType::Int64, &[r#"{"a":10}"#, r#"{"a":1e1}"#, r#"{"a":10.0}"#]);
    same(DataType::Float64, &[r#"{"a":0.0}"#, r#"{"a":-0.0}"#, r#"{"a":0}"#]);
    same(DataType::Text, &[r#"{"a":"ü"}"#, r#"{"a":"\u00fc"}"#]);
    same(
        DataType::Timestamp(Zone::Utc),
        &[r#"{"a":"2026-07-01T12:00:00Z"}"#, r#"{"a":"2026-07-01T14:00:00+02:00"}"#],
    );
    let decimal =
        |scale, line| key_of_line(&[("a", DataType::Decimal { precision: 9, scale })], &["a"], line).unwrap();
    assert_eq!(decimal(2, r#"{"a":"1.50"}"#), decimal(1, r#"{"a":1.5}"#));
    assert_eq!(decimal(2, r#"{"a":"0"}"#), decimal(0, r#"{"a":"0"}"#));
    assert_ne!(decimal(2, r#"{"a":"1.50"}"#), decimal(0, r#"{"a":"15"}"#));
}

#[test]
fn a_row_without_each_field_of_its_key_has_none() {
    for line in [r#"{"a":"1"}"#, r#"{"a":"1","b":null}"#, r#"{"a":"1","b":2}"#, "[]", "{"] {
        assert_eq!(key_of_line(&PAIR, &["a", "b"], line), None, "{line}");
    }
    assert!(Keys::new(&keyed(&PAIR, &[], Layout::Columns)).is_none());
    assert!(Keys::new(&keyed(&PAIR, &["a", "z"], Layout::Columns)).is_none());
    let given = Column {
        validity: Some(vec![0b101]),
        presence: Some(vec![0b011]),
        data: ColumnData::Text(texts(&["x", "", ""])),
    };
    let found = keys_of(&keyed(&PAIR[..1], &["a"], Layout::Columns), &columns_batch("s", 3, vec![given]));
    assert_eq!(found.into_keys().collect::<Vec<_>>(), [0]);
}

#[test]
fn only_the_rows_that_are_wanted_are_looked_at() {
    let schema = keyed(&PAIR[..1], &["a"], Layout::JsonLines);
    let batch = lines_batch("s", &[r#"{"a":"0"}"#, r#"{"a":"1"}"#, r#"{"a":"2"}"#]);
    let mut rows = Vec::new();
    Keys::new(&schema).unwrap().each(&batch, [0, 2].into_iter(), |row, _| rows.push(row));
    assert_eq!(rows, [0, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn keys_are_the_same_in_each_layout_and_equal_where_the_values_are(
        rows in proptest::collection::vec((any::<i64>(), ".{0,6}", any::<bool>()), 1..20),
    ) {
        let fields = [("i", DataType::Int64), ("t", DataType::Text), ("o", DataType::Boolean)];
        let columns = keyed(&fields, &["t", "i"], Layout::Columns);
        let lines = keyed(&fields, &["t", "i"], Layout::JsonLines);
        let text: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
        let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let count = u32::try_from(rows.len()).unwrap();
        let batch = columns_batch("s", count, vec![
            column(ColumnData::Int64(ids)),
            column(ColumnData::Text(texts(&text))),
            column(ColumnData::Boolean(vec![0; rows.len().div_ceil(8)])),
        ]);
        let found = keys_of(&columns, &batch);
        prop_assert_eq!(found.len(), rows.len());
        let converted = convert(&batch, &columns, Layout::JsonLines);
        prop_assert_eq!(&keys_of(&lines, &converted.batch), &found);
        for (row, (id, text, _)) in rows.iter().enumerate() {
            for (other, (other_id, other_text, _)) in rows.iter().enumerate() {
                let key = |row: usize| &found[&u32::try_from(row).unwrap()];
                prop_assert_eq!(key(row) == key(other), (id, text) == (other_id, other_text));
            }
        }
    }
}
