use super::merge;
use pipeline::model::{
    Batch, Column, ColumnData, Columns, JsonLines, Operation, RowOperations, Rows, VarData,
};
use pipeline::rows;

fn var(values: &[&str]) -> VarData {
    let mut var = VarData { offsets: vec![0], data: Vec::new() };
    for value in values {
        var.data.extend_from_slice(value.as_bytes());
        var.offsets.push(i32::try_from(var.data.len()).unwrap());
    }
    var
}

/// Eleven rows with every type, nulls, absent values and several operations.
fn every_type() -> Batch {
    let texts: Vec<String> = (0..11).map(|row| "ü".repeat(row)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let floats = vec![f64::NAN, -0.0, 0.0, f64::INFINITY, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, f64::MIN];
    let column = |data| Column { validity: None, presence: None, data };
    let columns = vec![
        column(ColumnData::Boolean(vec![0b1010_0101, 0b101])),
        Column { validity: Some(vec![0b1111_0111, 0b011]), ..column(ColumnData::Int64((0..11).collect())) },
        column(ColumnData::Float64(floats)),
        column(ColumnData::Decimal((0..22).collect())),
        Column { presence: Some(vec![0b0111_1111, 0b111]), ..column(ColumnData::Text(var(&texts))) },
        column(ColumnData::Bytes(var(&texts))),
        column(ColumnData::Json(var(&["1"; 11]))),
        column(ColumnData::Date((0..11).collect())),
        column(ColumnData::Time((0..11).collect())),
        column(ColumnData::Timestamp((0..11).collect())),
    ];
    Batch {
        stream: "s".into(),
        schema_version: 3,
        operations: RowOperations::Each(vec![0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0]),
        rows: Rows::Columns(Columns { row_count: 11, columns }),
    }
}

fn single_rows(batch: &Batch) -> Vec<Batch> {
    (0..batch.row_count()).map(|row| rows::row(batch, row).unwrap()).collect()
}

/// NaN is equal to nothing, but its bits are.
fn bits(batch: &Batch) -> String {
    serde_json::to_string(batch).unwrap()
}

#[test]
fn rows_that_were_taken_apart_are_the_batch_again_bit_for_bit() {
    let whole = every_type();
    let merged = merge(single_rows(&whole));
    assert_eq!(merged.len(), 1);
    assert_eq!(bits(&merged[0]), bits(&whole));
}

#[test]
fn json_lines_are_joined_too() {
    let line = |text: &str| Batch {
        stream: "s".into(),
        schema_version: 0,
        operations: RowOperations::All(Operation::Upsert),
        rows: Rows::JsonLines(JsonLines { row_count: 1, data: format!("{text}\n").into_bytes() }),
    };
    let merged = merge(vec![line("{}"), line(r#"{"a":1}"#)]);
    let data = b"{}\n{\"a\":1}\n".to_vec();
    assert_eq!(merged, [Batch { rows: Rows::JsonLines(JsonLines { row_count: 2, data }), ..line("") }]);
}

#[test]
fn what_is_laid_out_in_another_way_stays_apart_and_in_its_order() {
    let one = single_rows(&every_type()).remove(0);
    let other_stream = Batch { stream: "t".into(), ..one.clone() };
    let other_version = Batch { schema_version: 4, ..one.clone() };
    let given = vec![one.clone(), one.clone(), other_stream, other_version, one];
    let rows: Vec<u32> = merge(given.clone()).iter().map(Batch::row_count).collect();
    assert_eq!(rows, [2, 1, 1, 1]);
    let apart: Vec<String> =
        merge(given.clone()).iter().flat_map(single_rows).map(|row| bits(&row)).collect();
    let streams: Vec<&str> = given.iter().map(|row| row.stream.as_str()).collect();
    assert_eq!(apart.len(), streams.len());
    assert!(apart.iter().zip(streams).all(|(row, stream)| row.contains(&format!("\"stream\":\"{stream}\""))));
}

#[test]
fn nothing_is_joined_to_nothing() {
    assert_eq!(merge(Vec::new()), []);
}
