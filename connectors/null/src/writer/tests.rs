use cofferdam_sdk::{
    Batch, ColumnsBuilder, DataType, Destination, Error, Field, Incoming, JsonLinesBuilder, Layout, Mode,
    OpenWrite, Operation, RowOperations, Schema, StreamPlan, StreamSchema, Writer, Zone,
};
use serde_json::json;

use super::NullWriter;
use crate::{Config, Null, Totals, Values};

fn open(config: serde_json::Value) -> NullWriter {
    let config: Config = cofferdam_sdk::parse_config(&config.to_string()).unwrap();
    Null::open(config, OpenWrite { unit: "u".into(), fence: Some(1) }).unwrap()
}

fn notes(rows: usize) -> (StreamSchema, Batch) {
    let schema =
        Schema::new([Field::new("id", DataType::Int64), Field::new("note", DataType::Text).nullable()]);
    let schema = StreamSchema::new("notes", schema, Layout::Columns);
    let mut columns = ColumnsBuilder::new(&schema.schema.fields);
    for row in 0..rows {
        columns.column(0).push_i64(row as i64);
        match row % 3 {
            0 => columns.column(1).push_str("ab"),
            1 => columns.column(1).push_null(),
            _ => columns.column(1).push_absent(),
        }
    }
    let batch = Batch::new(&schema, Operation::Insert, columns.finish().unwrap());
    (schema, batch)
}

fn write(writer: &mut NullWriter, number: u64, rows: usize) -> Result<Vec<u32>, Error> {
    let (schema, batch) = notes(rows);
    let report = writer.write(number, Incoming { schema: &schema, batch })?;
    Ok(report.rejected.iter().map(|reject| reject.row).collect())
}

fn late(writer: &mut NullWriter) -> Vec<(u64, u32)> {
    let report = writer.commit("t", false).unwrap();
    report.rejected.iter().map(|late| (late.batch, late.reject.row)).collect()
}

#[test]
fn values_nulls_and_absent_ones_are_counted_apart() {
    let mut writer = open(json!({}));
    write(&mut writer, 0, 5).unwrap();
    write(&mut writer, 1, 1).unwrap();
    // Five ids and one, and three times "ab"; absent and null both take no part in the sum.
    let sum = (1 + 2 + 3 + 4) + 3 * (u64::from(b'a') + u64::from(b'b'));
    let values = Values { present: 9, null: 2, absent: 1, sum };
    let bytes = (5 * 8 + 6 * 4 + 4 + 2) + (8 + 2 * 4 + 2);
    let expected = Totals { rows: [6, 0, 0, 0], rejected: 0, bytes, values };
    assert_eq!(writer.totals()["notes"], expected);
    assert_eq!(expected.to_string(), "6 rows (insert 6), 0 rejected, 88 bytes, 9 values, 2 null, 1 absent");
}

#[test]
fn without_touching_only_rows_and_bytes_are_counted() {
    let mut writer = open(json!({"touch": false}));
    write(&mut writer, 0, 4).unwrap();
    let totals = writer.totals()["notes"];
    assert_eq!((totals.row_count(), totals.values), (4, Values::default()));
}

#[test]
fn every_type_is_read() {
    let types = [
        DataType::Boolean,
        DataType::Int64,
        DataType::Float64,
        DataType::decimal(9, 2),
        DataType::Text,
        DataType::Bytes,
        DataType::Json,
        DataType::Date,
        DataType::Time(Zone::Utc),
        DataType::Timestamp(Zone::Local),
    ];
    let fields = types.iter().map(|data_type| Field::new(data_type.name(), data_type.clone()).nullable());
    let schema = StreamSchema::new("all", Schema::new(fields), Layout::Columns);
    let mut columns = ColumnsBuilder::new(&schema.schema.fields);
    columns.column(0).push_bool(true);
    columns.column(1).push_i64(2);
    columns.column(2).push_f64(f64::from_bits(4));
    columns.column(3).push_decimal(8);
    columns.column(4).push_str("\u{10}");
    columns.column(5).push_bytes(&[32]);
    columns.column(6).push_json("1");
    columns.column(7).push_date(64);
    columns.column(8).push_time(128);
    columns.column(9).push_timestamp(256);
    columns.columns().iter_mut().for_each(cofferdam_sdk::ColumnBuilder::push_null);
    let batch = Batch::new(&schema, Operation::Upsert, columns.finish().unwrap());
    let mut writer = open(json!({}));
    writer.write(0, Incoming { schema: &schema, batch }).unwrap();
    let sum = 1 + 2 + 4 + 8 + 16 + 32 + u64::from(b'1') + 64 + 128 + 256;
    assert_eq!(writer.totals()["all"].values, Values { present: 10, null: 10, absent: 0, sum });
}

#[test]
fn members_of_json_rows_are_values_and_what_is_inside_them_is_read() {
    let schema = StreamSchema::new("notes", Schema::open(), Layout::JsonLines);
    let mut rows = JsonLinesBuilder::new();
    rows.push_json(r#"{"a": 1, "b": null, "c": [2, null, {"d": [4, -8, true]}], "e": "\u0010"}"#).unwrap();
    rows.push_json("{}").unwrap();
    let operations: RowOperations = [Operation::Update, Operation::Delete].into_iter().collect();
    let batch = Batch::with_operations(&schema, operations, rows.finish());
    let mut writer = open(json!({"layout": "json-lines"}));
    writer.write(0, Incoming { schema: &schema, batch }).unwrap();
    let totals = writer.totals()["notes"];
    let key = u64::from(b'd');
    let sum = (1 + 2 + key + 4 + 1 + 16_u64).wrapping_sub(8);
    assert_eq!(totals.values, Values { present: 3, null: 1, absent: 0, sum });
    assert_eq!(totals.rows, [0, 1, 0, 1]);
}

#[test]
fn rows_are_rejected_over_batches_and_late_ones_at_their_commit() {
    let mut writer = open(json!({"reject_every": 3, "late_reject_every": 2}));
    // Rows 3 and 6 are rejected; of those taken (1, 2, 4, 5, 7), the second and the fourth are rejected late.
    assert_eq!(write(&mut writer, 0, 4).unwrap(), [2]);
    assert_eq!(write(&mut writer, 1, 3).unwrap(), [1]);
    assert_eq!(late(&mut writer), [(0, 1), (1, 0)]);
    assert_eq!(late(&mut writer), []);
    // Rows 8 and 9: the ninth is rejected, the eighth is the sixth that was taken.
    assert_eq!(write(&mut writer, 0, 2).unwrap(), [1]);
    assert_eq!(late(&mut writer), [(0, 0)]);
    assert_eq!(writer.totals()["notes"].rejected, 3);
}

#[test]
fn writes_and_commits_fail_where_they_were_told_to() {
    let mut writer = open(json!({"fail_at_write": 2, "fail_at_commit": 2}));
    assert_eq!(write(&mut writer, 0, 1), Ok(vec![]));
    assert_eq!(write(&mut writer, 1, 1), Err(Error::transient("write 2 fails as configured")));
    assert_eq!(write(&mut writer, 1, 1), Ok(vec![]));
    assert!(writer.commit("a", false).is_ok());
    assert_eq!(writer.commit("b", true), Err(Error::transient("commit 2 fails as configured")));
}

#[test]
fn batches_are_wanted_as_the_source_has_them_unless_configured() {
    let plan = StreamPlan { schema: notes(0).0, mode: Mode::Append, generation: 0 };
    let wanted = |config| open(config).prepare(std::slice::from_ref(&plan), true).unwrap()[0].layout;
    assert_eq!(wanted(json!({})), Layout::Columns);
    assert_eq!(wanted(json!({"layout": "json-lines"})), Layout::JsonLines);
    let config: Config = cofferdam_sdk::parse_config(r#"{"reject_every": 0, "fail_at_commit": 0}"#).unwrap();
    let Err(Error::Config(faults)) = Null::check(&config) else { panic!("zeros were taken") };
    assert_eq!(
        faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(),
        ["/reject_every", "/fail_at_commit"]
    );
}
