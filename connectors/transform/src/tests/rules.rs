//! Rules that hold for all batches.

use cofferdam_sdk::{Batch, Columns, DataType, Operation, RowOperations, Rows, Transform as _};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{apply, batch, config, stream};
use crate::Transform;

const FIELDS: [&str; 4] = ["id as int64", "year as int64?", "title as text?", "price as decimal(9, 2)?"];

fn columns(batch: &Batch) -> &Columns {
    match &batch.rows {
        Rows::Columns(columns) => columns,
        Rows::JsonLines(_) => panic!("JSON lines"),
    }
}

fn arbitrary_row() -> impl Strategy<Value = Map<String, Value>> {
    let year =
        prop_oneof![Just(None), Just(Some(Value::Null)), (1900..2100_i64).prop_map(|year| Some(json!(year)))];
    let title =
        prop_oneof![Just(None), Just(Some(Value::Null)), any::<String>().prop_map(|text| Some(json!(text)))];
    let price =
        prop_oneof![Just(None), (-99999..99999_i64).prop_map(|cents| Some(json!(format!("{cents}.50"))))];
    (any::<i32>(), year, title, price).prop_map(|(id, year, title, price)| {
        let cells = [("id", Some(json!(id))), ("year", year), ("title", title), ("price", price)];
        cells.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

fn arbitrary_batch() -> impl Strategy<Value = Vec<(Map<String, Value>, u8)>> {
    prop::collection::vec((arbitrary_row(), 0..4_u8), 0..70)
}

fn operations(rows: &[(Map<String, Value>, u8)]) -> RowOperations {
    RowOperations::Each(rows.iter().map(|(_, operation)| *operation).collect())
}

fn only_rows(rows: &[(Map<String, Value>, u8)]) -> Vec<Map<String, Value>> {
    rows.iter().map(|(row, _)| row.clone()).collect()
}

proptest! {
    #[test]
    fn names_that_go_and_come_back_change_nothing(
        rows in arbitrary_batch(),
        names in Just(["id", "year", "title", "price"].map(str::to_owned)).prop_shuffle(),
    ) {
        let old = ["id", "year", "title", "price"];
        let there: Map<String, Value> = old.iter().zip(&names).map(|(old, new)| ((*old).to_owned(), json!(new))).collect();
        let back: Map<String, Value> = old.iter().zip(&names).map(|(old, new)| (new.clone(), json!(old))).collect();
        let schema = stream("s", &FIELDS, &["id"]);
        let config = config(&json!({"steps": [{"rename": there}, {"rename": back}]})).unwrap();
        let plan = Transform::plan(&config, std::slice::from_ref(&schema)).unwrap();
        prop_assert_eq!(&plan.outputs[0], &schema);
        let input = batch(&schema, operations(&rows), &only_rows(&rows));
        let transformed = apply(&config, &schema, input.clone()).unwrap();
        prop_assert!(transformed.rejected.is_empty());
        match transformed.outputs.as_slice() {
            [] => prop_assert!(rows.is_empty()),
            [output] => {
                prop_assert_eq!(&output.batch, &input);
                prop_assert_eq!(&output.origin, &(0..input.row_count()).collect::<Vec<_>>());
            }
            _ => prop_assert!(false, "more outputs than one"),
        }
    }

    #[test]
    fn each_row_is_kept_or_rejected_or_filtered_and_kept_as_it_was(rows in arbitrary_batch()) {
        let schema = stream("s", &FIELDS, &["id"]);
        let config = config(&json!({"steps": [{"filter": "year > 2000"}, {"filter": "id % 3 != 0"}]})).unwrap();
        let input = batch(&schema, operations(&rows), &only_rows(&rows));
        let transformed = apply(&config, &schema, input).unwrap();
        let (mut kept, mut rejected) = (Vec::new(), Vec::new());
        for (index, (row, operation)) in (0_u32..).zip(&rows) {
            let id_passes = row["id"].as_i64().unwrap() % 3 != 0;
            match row.get("year") {
                Some(Value::Null) => rejected.push(index),
                None if *operation != Operation::Delete as u8 => rejected.push(index),
                Some(year) if year.as_i64().unwrap() <= 2000 => {}
                _ => if id_passes { kept.push(index) },
            }
        }
        let origin: Vec<u32> = transformed.outputs.iter().flat_map(|output| output.origin.clone()).collect();
        let mut found: Vec<u32> = transformed.rejected.iter().map(|reject| reject.row).collect();
        found.sort_unstable();
        prop_assert_eq!(&origin, &kept);
        prop_assert_eq!(found, rejected);
        let of = |index: &u32| rows[*index as usize].clone();
        let expected: Vec<_> = kept.iter().map(of).collect();
        let expected = batch(&schema, operations(&expected), &only_rows(&expected));
        if let [output] = transformed.outputs.as_slice() {
            let rows = |batch: &Batch| {
                let view = cofferdam_sdk::ColumnsView::new(&schema.schema.fields, columns(batch)).unwrap();
                (0..view.row_count()).map(|row| serde_json::to_string(&view.row(row)).unwrap()).collect::<Vec<_>>()
            };
            prop_assert_eq!(rows(&output.batch), rows(&expected));
            prop_assert_eq!(&output.batch.operations, &expected.operations);
        }
    }

    #[test]
    fn what_is_cast_to_text_and_back_is_the_same(ids in prop::collection::vec(any::<i64>(), 1..50), float in any::<f64>()) {
        let schema = stream("s", &["id as int64", "float as float64", "date as date", "at as timestamp(utc)"], &[]);
        let mut builder = cofferdam_sdk::ColumnsBuilder::new(&schema.schema.fields);
        for id in &ids {
            builder.column(0).push_i64(*id);
            builder.column(1).push_f64(if float.is_finite() { float } else { 0.0 });
            builder.column(2).push_date((*id % 3_000_000) as i32);
            builder.column(3).push_timestamp(*id % 200_000_000_000_000_000);
        }
        let input = Batch::new(&schema, Operation::Insert, builder.finish().unwrap());
        let names = ["id", "float", "date", "at"];
        let to_text = names.map(|name| json!({"cast": {"field": name, "to": "text"}}));
        let types = [DataType::Int64, DataType::Float64, DataType::Date, DataType::Timestamp(cofferdam_sdk::Zone::Utc)];
        let back = names.iter().zip(types).map(|(name, to)| json!({"cast": {"field": name, "to": to.name()}}));
        let steps: Vec<Value> = to_text.into_iter().chain(back).collect();
        let transformed = apply(&config(&json!({"steps": steps})).unwrap(), &schema, input.clone()).unwrap();
        prop_assert_eq!(&transformed.rejected, &Vec::new());
        prop_assert_eq!(&transformed.outputs[0].batch, &input);
    }
}

#[test]
fn a_stream_of_json_lines_is_planned_as_the_columns_that_the_host_makes_of_it() {
    let mut lines = stream("s", &["id as int64", "_additional as text"], &[]);
    lines.layout = cofferdam_sdk::Layout::JsonLines;
    lines.schema.additional_fields = true;
    let columns = stream("s", &["id as int64", "_additional as text", "_additional_ as json?"], &[]);
    let steps = json!([{"compute": {"field": "year", "expression": "_additional_.year", "type": "int64"}}]);
    let config = config(&json!({"steps": steps})).unwrap();
    let plan = |input| Transform::plan(&config, &[input]).unwrap();
    assert_eq!(plan(lines.clone()), plan(columns));
    assert_eq!(plan(lines).input_layouts, cofferdam_sdk::Layouts::COLUMNS);
}

#[test]
fn a_batch_that_was_not_planned_is_a_bug_and_no_data() {
    let schema = stream("s", &FIELDS, &[]);
    let config = config(&json!({"steps": [{"drop": ["year"]}]})).unwrap();
    let other = stream("s", &FIELDS[..3], &[]);
    let fault =
        apply(&config, &schema, batch(&other, RowOperations::All(Operation::Insert), &[])).unwrap_err();
    assert!(
        matches!(fault, cofferdam_sdk::Error::Bug(message) if message.contains("3 columns, planned were 4"))
    );
}

#[test]
fn columns_that_no_step_names_are_not_looked_at() {
    let schema = stream("s", &["id as int64", "broken as text"], &[]);
    let rows = [json!({"id": 1, "broken": "ab"}).as_object().unwrap().clone()];
    let mut input = batch(&schema, RowOperations::All(Operation::Insert), &rows);
    let Rows::Columns(columns) = &mut input.rows else { panic!("columns") };
    let cofferdam_sdk::ColumnData::Text(values) = &mut columns.columns[1].data else { panic!("text") };
    values.data = vec![0xff, 0xfe];
    let steps = json!([{"rename": {"broken": "other"}}, {"filter": "id == 1"}, {"cast": {"field": "id", "to": "text"}}]);
    let transformed = apply(&config(&json!({"steps": steps})).unwrap(), &schema, input).unwrap();
    assert_eq!(transformed.outputs[0].origin, [0]);
}
