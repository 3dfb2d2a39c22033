//! Values as columns: every type, out of a source, into a destination and through a transform, bit by bit.

use super::{Proof, append, bits, next_batch, scripted};
use pipeline::model::{
    Batch, Column, ColumnData, Columns, DataType, Operation, RowOperations, Rows, VarData, Zone,
};
use serde_json::json;
use std::sync::Arc;

/// A NaN that is not the usual one.
const ODD_NAN: u64 = 0x7ff8_0000_dead_beef;
/// 10^38 - 1 and its negative, as low and high words.
const MOST_DIGITS: [u64; 2] = [0x098a_223f_ffff_ffff, 0x4b3b_4ca8_5a86_c47a];
const LEAST_DIGITS: [u64; 2] = [0xf675_ddc0_0000_0001, 0xb4c4_b357_a579_3b85];
const DAY_END: i64 = 86_399_999_999;

const ROWS: [&str; 8] = ["ordinary", "least", "most", "null", "absent", "nan", "odd-nan", "minus-zero"];

/// What these rows are, by the layout that the contract prescribes. Null and absent rows hold zeros.
fn every_value() -> Batch {
    let var = |ends: [i32; 3], data: &[u8]| VarData {
        offsets: [0, ends[0], ends[1], ends[2], ends[2], ends[2], ends[2], ends[2], ends[2]].to_vec(),
        data: data.to_vec(),
    };
    let filled = |values: [i64; 3]| values.into_iter().chain([0; 5]).collect::<Vec<_>>();
    let floats = [0.1, f64::NEG_INFINITY, f64::INFINITY, 0.0, 0.0, f64::NAN, f64::from_bits(ODD_NAN), -0.0];
    let decimals = |values: [[u64; 2]; 3]| values.into_iter().chain([[0, 0]; 5]).flatten().collect();
    let data = [
        ColumnData::Boolean(vec![0b0000_0101]),
        ColumnData::Int64(filled([42, i64::MIN, i64::MAX])),
        ColumnData::Float64(floats.to_vec()),
        ColumnData::Decimal(decimals([[u64::MAX - 6, u64::MAX], LEAST_DIGITS, MOST_DIGITS])),
        ColumnData::Decimal(decimals([[12_345, 0], [u64::MAX - 99_998, u64::MAX], [99_999, 0]])),
        ColumnData::Text(var([12, 12, 15], "Zürich \u{1f30d}\0\n\"".as_bytes())),
        ColumnData::Bytes(var([3, 3, 4], &[0, 255, 10, 10])),
        ColumnData::Json(var([16, 20, 22], br#"{"a": [1, null]}null"""#)),
        ColumnData::Date([20_000, i32::MIN, i32::MAX].into_iter().chain([0; 5]).collect()),
        ColumnData::Time(filled([1, 0, DAY_END])),
        ColumnData::Time(filled([2, 0, DAY_END])),
        ColumnData::Timestamp(filled([3, i64::MIN, i64::MAX])),
        ColumnData::Timestamp(filled([4, i64::MIN, i64::MAX])),
    ];
    let column = |(place, data)| {
        let validity = if place == 2 { 0b1111_0111 } else { 0b0001_0111 };
        Column { validity: Some(vec![validity]), presence: Some(vec![0b1110_1111]), data }
    };
    batch(Columns { row_count: 8, columns: data.into_iter().enumerate().map(column).collect() })
}

fn batch(columns: Columns) -> Batch {
    let operations = RowOperations::All(Operation::Insert);
    Batch { stream: "values".into(), schema_version: 1, operations, rows: Rows::Columns(columns) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_discovered_as_itself() {
    let schema = scripted(json!([])).await.schema("values").await;
    let types: Vec<_> = schema.schema.fields.iter().map(|field| field.data_type).collect();
    let expect = [
        DataType::Boolean,
        DataType::Int64,
        DataType::Float64,
        DataType::Decimal { precision: 38, scale: 0 },
        DataType::Decimal { precision: 5, scale: 2 },
        DataType::Text,
        DataType::Bytes,
        DataType::Json,
        DataType::Date,
        DataType::Time(Zone::Utc),
        DataType::Time(Zone::Local),
        DataType::Timestamp(Zone::Utc),
        DataType::Timestamp(Zone::Local),
    ];
    assert_eq!(types, expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn h45_every_value_comes_out_of_a_source_bit_by_bit() {
    let proof = scripted(json!([{"page": {"batches": [{"stream": "values", "rows": ROWS}]}}])).await;
    let found = next_batch(&mut proof.reader("values", &["values"]).await).await;
    // Padding bits of a bitmap are nobody's: the last byte is full here, so there are none.
    assert_eq!(bits(&found), bits(&every_value()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_goes_into_a_destination_bit_by_bit() {
    let proof = Proof::new(json!({})).await;
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![append(proof.schema("values").await)], false).await.unwrap();
    writer.write(0, Arc::new(every_value())).await.unwrap();
    let rows = proof.said_of("row ");
    let nulls = |float: &str| {
        let cells = ["boolean", "int64", "float64", "whole", "money", "text", "bytes", "json", "date"];
        let times = ["time_utc", "time_local", "timestamp_utc", "timestamp_local"];
        let cell = |name: &&str| format!("{name}={}", if *name == "float64" { float } else { "Null" });
        format!("row {}", cells.iter().chain(&times).map(cell).collect::<Vec<_>>().join(" "))
    };
    let expect = [
        concat!(
            "row boolean=Boolean(true) int64=Int64(42) float64=Float64(3fb999999999999a) ",
            "whole=Decimal { unscaled: -7, scale: 0 } money=Decimal { unscaled: 12345, scale: 2 } ",
            "text=Text(\"Zürich 🌍\") bytes=Bytes([00, ff, 0a]) json=Json(\"{\\\"a\\\": [1, null]}\") ",
            "date=Date(20000) time_utc=Time(1, Zone::Utc) time_local=Time(2, Zone::Local) ",
            "timestamp_utc=Timestamp(3, Zone::Utc) timestamp_local=Timestamp(4, Zone::Local)",
        )
        .to_owned(),
        concat!(
            "row boolean=Boolean(false) int64=Int64(-9223372036854775808) float64=Float64(fff0000000000000) ",
            "whole=Decimal { unscaled: -99999999999999999999999999999999999999, scale: 0 } ",
            "money=Decimal { unscaled: -99999, scale: 2 } text=Text(\"\") bytes=Bytes([]) json=Json(\"null\") ",
            "date=Date(-2147483648) time_utc=Time(0, Zone::Utc) time_local=Time(0, Zone::Local) ",
            "timestamp_utc=Timestamp(-9223372036854775808, Zone::Utc) ",
            "timestamp_local=Timestamp(-9223372036854775808, Zone::Local)",
        )
        .to_owned(),
        concat!(
            "row boolean=Boolean(true) int64=Int64(9223372036854775807) float64=Float64(7ff0000000000000) ",
            "whole=Decimal { unscaled: 99999999999999999999999999999999999999, scale: 0 } ",
            "money=Decimal { unscaled: 99999, scale: 2 } text=Text(\"\\0\\n\\\"\") bytes=Bytes([0a]) ",
            "json=Json(\"\\\"\\\"\") date=Date(2147483647) time_utc=Time(86399999999, Zone::Utc) ",
            "time_local=Time(86399999999, Zone::Local) timestamp_utc=Timestamp(9223372036854775807, Zone::Utc) ",
            "timestamp_local=Timestamp(9223372036854775807, Zone::Local)",
        )
        .to_owned(),
        nulls("Null"),
        nulls("Absent").replace("Null", "Absent"),
        nulls("Float64(7ff8000000000000)"),
        nulls("Float64(7ff80000deadbeef)"),
        nulls("Float64(8000000000000000)"),
    ];
    assert_eq!(rows, expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_passes_a_transform_bit_by_bit() {
    let proof = Proof::new(json!({})).await;
    let mut transformer = proof.transformer(vec![proof.schema("values").await]).await;
    let outcome = transformer.apply(Arc::new(every_value())).await.unwrap();
    assert_eq!(bits(&outcome.outputs[0].batch), bits(&every_value()));
    assert_eq!(outcome.outputs[0].origin, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_without_nulls_and_absences_need_no_bitmaps() {
    let proof = scripted(json!([{"page": {"batches": [{"stream": "values", "rows": ["ordinary"]}]}}])).await;
    let found = next_batch(&mut proof.reader("values", &["values"]).await).await;
    let Rows::Columns(columns) = &found.rows else { panic!("no columns") };
    assert!(columns.columns.iter().all(|column| column.validity.is_none() && column.presence.is_none()));
    let mut transformer = proof.transformer(vec![proof.schema("values").await]).await;
    let outcome = transformer.apply(Arc::new(found.clone())).await.unwrap();
    assert_eq!(outcome.outputs[0].batch, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_no_rows_is_legal_in_columns() {
    let proof = scripted(json!([{"page": {"batches": [{"stream": "values", "rows": []}]}}])).await;
    let found = next_batch(&mut proof.reader("values", &["values"]).await).await;
    assert_eq!(found.row_count(), 0);
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![append(proof.schema("values").await)], false).await.unwrap();
    writer.write(0, Arc::new(found.clone())).await.unwrap();
    assert_eq!(proof.said_of("row "), Vec::<String>::new());
    let mut transformer = proof.transformer(vec![proof.schema("values").await]).await;
    let outcome = transformer.apply(Arc::new(found.clone())).await.unwrap();
    assert_eq!(outcome.outputs[0].batch, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_has_its_operation_on_the_whole_way() {
    let rows = ["ordinary", "least", "most", "absent"];
    let page = json!({"batches": [{"stream": "values", "rows": rows, "each": [0, 1, 2, 3]}]});
    let proof = scripted(json!([{ "page": page }])).await;
    let found = next_batch(&mut proof.reader("values", &["values"]).await).await;
    assert_eq!(found.operations, RowOperations::Each(vec![0, 1, 2, 3]));
    let schema = proof.schema("values").await;
    let mut transformer = proof.transformer(vec![schema.clone()]).await;
    let outcome = transformer.apply(Arc::new(found)).await.unwrap();
    let passed = outcome.outputs[0].batch.clone();
    assert_eq!(passed.operations, RowOperations::Each(vec![0, 1, 2, 3]));
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![append(schema)], false).await.unwrap();
    writer.write(0, Arc::new(passed)).await.unwrap();
    assert_eq!(proof.said_of("write"), ["write 0 `values` version 1 RowOperations::Each([0, 1, 2, 3])"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_operation_for_all_rows_is_told_as_one() {
    let proof = Proof::new(json!({})).await;
    let schema = proof.schema("values").await;
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![append(schema)], false).await.unwrap();
    let each = [Operation::Insert, Operation::Update, Operation::Upsert, Operation::Delete];
    for (number, operation) in (0..).zip(each) {
        let batch = Batch { operations: RowOperations::All(operation), ..every_value() };
        writer.write(number, Arc::new(batch)).await.unwrap();
    }
    let told = |name: &str| format!("version 1 RowOperations::All(Operation::{name})");
    let said = proof.said_of("write");
    for (line, name) in said.iter().zip(["Insert", "Update", "Upsert", "Delete"]) {
        assert!(line.ends_with(&told(name)), "{line}");
    }
    assert_eq!(said.len(), 4);
}
