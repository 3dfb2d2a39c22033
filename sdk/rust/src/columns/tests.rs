use serde_json::json;

use super::{Cell, ColumnsBuilder, ColumnsView};
use crate::{
    Column, ColumnData, Columns, DataType, Date, Decimal, Error, Field, LocalTime, Patch, Row, Schema,
    Timestamp, VarData, Zone,
};

crate::row! {
    #[derive(Debug, Clone, PartialEq)]
    struct Everything {
        flag: bool,
        count: Option<i64>,
        ratio: f64,
        price: Decimal<10, 2>,
        name: Patch<String>,
        raw: Vec<u8>,
        tags: serde_json::Value,
        day: Date,
        opens: LocalTime,
        seen: Option<Timestamp> as "Last seen",
        big: u64,
        r#type: u8,
    }
}

fn rows() -> Vec<Everything> {
    let row = |index: i64| Everything {
        flag: index % 3 == 0,
        count: (index % 2 == 0).then_some(-index),
        ratio: index as f64 / 4.0,
        price: Decimal::new(i128::from(index) - 5).unwrap(),
        name: match index % 3 {
            0 => Patch::Absent,
            1 => Patch::Null,
            _ => Patch::Value(format!("näme {index}")),
        },
        raw: vec![0xff; index as usize],
        tags: json!(["a", index]),
        day: Date(index as i32),
        opens: LocalTime(index * 1_000_000),
        seen: (index > 9).then_some(Timestamp(index)),
        big: u64::MAX - index as u64,
        r#type: 7,
    };
    (0..20).map(row).collect()
}

fn built(rows: &[Everything]) -> Columns {
    let mut columns = ColumnsBuilder::new(&Everything::fields());
    rows.iter().for_each(|row| columns.push(row));
    let bytes = columns.byte_count();
    let columns = columns.finish().unwrap();
    assert_eq!(columns.byte_count(), bytes);
    columns
}

#[test]
fn typed_rows_come_back_as_they_went() {
    let (fields, columns) = (Everything::fields(), built(&rows()));
    let view = ColumnsView::new(&fields, &columns).unwrap();
    let back: Vec<_> = view.rows::<Everything>().unwrap().map(Result::unwrap).collect();
    assert_eq!(back, rows());
    assert_eq!(fields[11].name, "type");
}

#[test]
fn rows_as_json_leave_out_what_is_absent() {
    let (fields, columns) = (Everything::fields(), built(&rows()));
    let view = ColumnsView::new(&fields, &columns).unwrap();
    let absent = view.row(0).to_object().unwrap();
    assert!(!absent.contains_key("name"));
    let row = json!({
        "flag": false, "count": -10, "ratio": 2.5, "price": "0.05", "name": null, "raw": "/////////////w==",
        "tags": ["a", 10], "day": "1970-01-11", "opens": "00:00:10", "Last seen": "1970-01-01T00:00:00.00001Z",
        "big": "18446744073709551605", "type": 7,
    });
    assert_eq!(serde_json::Value::Object(view.row(10).to_object().unwrap()), row);
}

#[test]
fn columns_are_read_in_place() {
    let (fields, columns) = (Everything::fields(), built(&rows()));
    let view = ColumnsView::new(&fields, &columns).unwrap();
    assert_eq!(view.f64s("ratio").unwrap().as_slice()[..3], [0.0, 0.25, 0.5]);
    assert_eq!(view.i64s("count").unwrap().iter().flatten().sum::<i64>(), -90);
    assert_eq!(view.texts("name").unwrap().get(2), Some("näme 2"));
    assert_eq!(view.booleans("flag").unwrap().iter().filter(|flag| *flag == Some(true)).count(), 7);
    let price = view.column("price").unwrap().decimals().unwrap();
    assert_eq!((price.scale(), price.get(0), price.get(19), price.get(20)), (2, Some(-5), Some(14), None));
    let name = view.column("name").unwrap();
    assert_eq!((name.is_present(0), name.is_null(0), name.is_null(1)), (false, false, true));
    assert_eq!(view.column("opens").unwrap().cell(3), Cell::Time(3_000_000, Zone::Local));
    assert_eq!(
        view.column("raw").unwrap().bytes().unwrap().iter().flatten().map(<[u8]>::len).sum::<usize>(),
        190
    );
}

#[test]
fn a_column_read_as_another_type_says_both() {
    let (fields, columns) = (Everything::fields(), built(&rows()));
    let view = ColumnsView::new(&fields, &columns).unwrap();
    let error = view.i64s("Last seen").unwrap_err();
    assert_eq!(error, Error::bug("column `Last seen` is timestamp(utc) and was read as i64s"));
    assert!(view.i64s("nope").is_err());
}

#[test]
fn truncated_columns_are_as_if_the_rest_had_never_been() {
    for keep in 0..20 {
        let mut columns = ColumnsBuilder::new(&Everything::fields());
        rows().iter().for_each(|row| columns.push(row));
        columns.truncate(keep);
        let columns = columns.finish().unwrap();
        let fields = Everything::fields();
        let view = ColumnsView::new(&fields, &columns).unwrap();
        let back: Vec<_> = view.rows::<Everything>().unwrap().map(Result::unwrap).collect();
        assert_eq!(back, rows()[..keep]);
    }
}

#[test]
fn a_wrong_push_is_reported_once_at_the_end() {
    let fields =
        Schema::new([Field::new("a", DataType::Int64), Field::new("b", DataType::decimal(3, 1))]).fields;
    let finished = |push: fn(&mut ColumnsBuilder)| {
        let mut columns = ColumnsBuilder::new(&fields);
        push(&mut columns);
        columns.finish().map(|columns| columns.row_count)
    };
    let good = |columns: &mut ColumnsBuilder| {
        columns.column(0).push_i64(1);
        columns.column(1).push_decimal(-999);
    };
    assert_eq!(finished(good), Ok(1));
    let check =
        |push: fn(&mut ColumnsBuilder), message: &str| assert_eq!(finished(push), Err(Error::bug(message)));
    check(
        |columns| {
            columns.column(0).push_str("x");
            columns.column(1).push_decimal(0);
        },
        "column `a`: `push_str` into a column of type int64",
    );
    check(
        |columns| {
            columns.column(0).push_null();
            columns.column(1).push_decimal(0);
        },
        "column `a`: null in a field that is not nullable",
    );
    check(
        |columns| {
            columns.column(0).push_absent();
            columns.column(1).push_decimal(1000);
        },
        "column `b`: 1000 has more than 3 digits",
    );
    check(|columns| columns.column(0).push_i64(1), "column 1 has not 1 rows as the first one has");
    check(|columns| columns.column(2).push_i64(1), "a value for a column past the last of 2");
}

#[test]
fn broken_columns_are_refused_and_never_panic() {
    let fields = [Field::new("t", DataType::Text).nullable()];
    let text = |offsets: &[i32], data: &[u8]| {
        ColumnData::Text(VarData { offsets: offsets.to_vec(), data: data.to_vec() })
    };
    let columns = |data: ColumnData, validity: Option<Vec<u8>>| Columns {
        row_count: 2,
        columns: vec![Column { validity, presence: None, data }],
        children: Vec::new(),
    };
    for broken in [
        columns(text(&[0, 1], b"a"), None),
        columns(text(&[0, 1, 2], b"\xff\xfe"), None),
        columns(text(&[0, 1, 2], b"ab"), Some(Vec::new())),
        columns(ColumnData::Int64(vec![1, 2]), None),
        Columns { row_count: 2, columns: Vec::new(), children: Vec::new() },
    ] {
        assert!(matches!(ColumnsView::new(&fields, &broken), Err(Error::Bug(_))), "{broken:?} was accepted");
    }
    let odd = columns(text(&[0, 9, -4], b"\xc3\xa4b"), None);
    let view = ColumnsView::new(&fields, &odd).unwrap();
    assert_eq!(view.texts("t").unwrap().iter().collect::<Vec<_>>(), [None, None]);
}

#[test]
fn nan_is_kept_in_columns_and_no_json() {
    let fields = [Field::new("x", DataType::Float64)];
    let mut columns = ColumnsBuilder::new(&fields);
    columns.column(0).push_f64(f64::NAN);
    let columns = columns.finish().unwrap();
    let view = ColumnsView::new(&fields, &columns).unwrap();
    assert!(view.f64s("x").unwrap().get(0).unwrap().is_nan());
    assert!(matches!(view.row(0).to_object(), Err(Error::Data(_))));
}

#[test]
fn a_null_where_a_value_is_needed_is_the_fault_of_its_row() {
    crate::row! {
        #[derive(Debug)]
        struct Loose { x: Option<i64> }
        #[derive(Debug)]
        struct Strict { x: i64 }
    }
    let fields = Loose::fields();
    let mut columns = ColumnsBuilder::new(&fields);
    columns.push(&Loose { x: None });
    columns.push(&Loose { x: Some(3) });
    let columns = columns.finish().unwrap();
    let view = ColumnsView::new(&fields, &columns).unwrap();
    let read: Vec<_> = view.rows::<Strict>().unwrap().map(|row| row.map(|strict| strict.x)).collect();
    assert_eq!(read, [Err(Error::data("row 0: `x` cannot be Null here")), Ok(3)]);
}
