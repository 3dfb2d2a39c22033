use super::cell::{Cell, of_column};
use super::{
    Filter, codes, convert, convert_in_pieces, converted_schema, project, project_schema, row, row_json,
    split, take,
};
use crate::fixtures::{column, columns_batch, lines_batch, lines_of, schema, texts};
use crate::model::{
    Batch, Column, ColumnData, Comparison, Condition, DataType, Layout, RowOperations, Rows, StreamSchema,
    Zone,
};
use crate::validate::{self, Limits};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use std::sync::Arc;

fn every_type(layout: Layout) -> StreamSchema {
    let types = [
        ("boolean", DataType::Boolean),
        ("int64", DataType::Int64),
        ("float64", DataType::Float64),
        ("decimal", DataType::Decimal { precision: 10, scale: 2 }),
        ("text", DataType::Text),
        ("bytes", DataType::Bytes),
        ("json", DataType::Json),
        ("date", DataType::Date),
        ("time", DataType::Time(Zone::Local)),
        ("timestamp", DataType::Timestamp(Zone::Utc)),
    ];
    schema("s", &types, layout)
}

fn batch_of(schema: &StreamSchema, rows: &[Vec<Cell<'static>>]) -> Batch {
    let mut builders: Vec<_> =
        schema.schema.fields.iter().map(|field| super::build::ColumnBuilder::new(field.data_type)).collect();
    for row in rows {
        builders.iter_mut().zip(row).for_each(|(builder, cell)| builder.push(cell));
    }
    let columns = builders.into_iter().map(super::build::ColumnBuilder::finish).collect();
    columns_batch("s", u32::try_from(rows.len()).unwrap(), columns)
}

fn cells_of(batch: &Batch) -> Vec<Vec<Cell<'_>>> {
    let Rows::Columns(columns) = &batch.rows else { panic!("lines") };
    (0..columns.row_count as usize)
        .map(|row| columns.columns.iter().map(|column| of_column(column, row)).collect())
        .collect()
}

fn to_columns_of(line: &str, schema: &StreamSchema) -> Result<Vec<Cell<'static>>, String> {
    let converted = convert(&lines_batch("s", &[line]), schema, Layout::Columns);
    validate::batch(&converted.batch, &converted_schema(schema, Layout::Columns), &Limits::default())
        .unwrap();
    match converted.rejected.first() {
        Some(reject) => Err(reject.code.clone()),
        None => {
            let batch: &'static Batch = Box::leak(Box::new(converted.batch));
            Ok(cells_of(batch).remove(0))
        }
    }
}

#[test]
fn each_type_has_its_documented_json_form() {
    let schema = every_type(Layout::Columns);
    let row = vec![
        Cell::Boolean(true),
        Cell::Int64(-5),
        Cell::Float64(0.5),
        Cell::Decimal(-1250),
        Cell::Text("a\"\n".into()),
        Cell::Bytes(vec![1, 2].into()),
        Cell::Json("{\"a\":\n[1]}".into()),
        Cell::Date(0),
        Cell::Time(250_000),
        Cell::Timestamp(-1_000_000),
    ];
    let lines = convert(&batch_of(&schema, &[row]), &schema, Layout::JsonLines);
    assert_eq!(
        lines_of(&lines.batch),
        [concat!(
            r#"{"boolean":true,"int64":-5,"float64":0.5,"decimal":"-12.50","text":"a\"\n","bytes":"AQI=","#,
            r#""json":{"a": [1]},"date":"1970-01-01","time":"00:00:00.25","timestamp":"1969-12-31T23:59:59Z"}"#
        )]
    );
}

#[test]
fn absent_is_a_missing_key_and_null_is_null_both_ways() {
    let schema = schema("s", &[("a", DataType::Int64), ("b", DataType::Int64)], Layout::JsonLines);
    let columns =
        convert(&lines_batch("s", &[r#"{"a":null}"#, r#"{"b":1}"#, "{}"]), &schema, Layout::Columns);
    assert_eq!(
        cells_of(&columns.batch),
        [[Cell::Null, Cell::Absent], [Cell::Absent, Cell::Int64(1)], [Cell::Absent, Cell::Absent]]
    );
    let back = convert(&columns.batch, &converted_schema(&schema, Layout::Columns), Layout::JsonLines);
    assert_eq!(lines_of(&back.batch), [r#"{"a":null}"#, r#"{"b":1}"#, "{}"]);
}

#[test]
fn a_row_without_json_form_is_rejected_and_the_others_go_on() {
    let schema = schema("s", &[("x", DataType::Float64)], Layout::Columns);
    let values = column(ColumnData::Float64(vec![1.0, f64::NAN, 2.0, f64::INFINITY]));
    let lines = convert(&columns_batch("s", 4, vec![values]), &schema, Layout::JsonLines);
    assert_eq!(lines_of(&lines.batch), [r#"{"x":1.0}"#, r#"{"x":2.0}"#]);
    assert_eq!(lines.kept, Some(vec![0, 2]));
    let codes: Vec<_> = lines.rejected.iter().map(|reject| (reject.row, reject.code.as_str())).collect();
    assert_eq!(codes, [(1, codes::NOT_A_JSON_NUMBER), (3, codes::NOT_A_JSON_NUMBER)]);
}

#[test]
fn years_beyond_four_digits_and_broken_json_values_are_rejected_not_written() {
    let types = [("d", DataType::Date), ("j", DataType::Json)];
    let schema = schema("s", &types, Layout::Columns);
    let dates = column(ColumnData::Date(vec![i32::MAX, 0, 0]));
    let json = column(ColumnData::Json(texts(&["1", "{", "[1]"])));
    let lines = convert(&columns_batch("s", 3, vec![dates, json]), &schema, Layout::JsonLines);
    let codes: Vec<_> = lines.rejected.iter().map(|reject| reject.code.as_str()).collect();
    assert_eq!(codes, [codes::OUT_OF_RANGE, codes::NOT_JSON]);
    assert_eq!(lines_of(&lines.batch), [r#"{"d":"1970-01-01","j":[1]}"#]);
}

#[test]
fn json_values_that_do_not_fit_their_type_name_the_reason() {
    let check = |line: &str, code: &str| {
        assert_eq!(to_columns_of(line, &every_type(Layout::JsonLines)), Err(code.to_owned()), "{line}");
    };
    check(r#"{"int64":"1"}"#, codes::WRONG_TYPE);
    check(r#"{"int64":1.5}"#, codes::PRECISION_LOSS);
    check(r#"{"int64":9223372036854775808}"#, codes::OUT_OF_RANGE);
    check(r#"{"float64":1e999}"#, codes::OUT_OF_RANGE);
    check(r#"{"decimal":"1.234"}"#, codes::PRECISION_LOSS);
    check(r#"{"decimal":"123456789.00"}"#, codes::OUT_OF_RANGE);
    check(r#"{"decimal":"1."}"#, codes::WRONG_TYPE);
    check(r#"{"decimal":true}"#, codes::WRONG_TYPE);
    check(r#"{"text":1}"#, codes::WRONG_TYPE);
    check(r#"{"text":"\ud800"}"#, codes::NOT_JSON);
    check(r#"{"bytes":"*"}"#, codes::WRONG_TYPE);
    check(r#"{"boolean":0}"#, codes::WRONG_TYPE);
    check(r#"{"date":"2026-02-30"}"#, codes::WRONG_TYPE);
    check(r#"{"timestamp":"2026-02-03T00:00:00"}"#, codes::WRONG_TYPE);
    check(r#"{"text":"a","text":"b"}"#, codes::DUPLICATE_FIELD);
    check(r#"{"other":1}"#, codes::UNDECLARED_FIELD);
    check(r#"{"float64":NaN}"#, codes::NOT_JSON);
    check("", codes::NOT_JSON);
    check("{} {}", codes::NOT_JSON);
    check("[1]", codes::NOT_AN_OBJECT);
    check("null", codes::NOT_AN_OBJECT);
}

#[test]
fn numbers_are_read_without_losing_a_digit() {
    let schema = schema(
        "s",
        &[("d", DataType::Decimal { precision: 38, scale: 6 }), ("i", DataType::Int64)],
        Layout::JsonLines,
    );
    let line = r#"{"d":12345678901234567890123456789012.000001,"i":1e3}"#;
    assert_eq!(
        to_columns_of(line, &schema),
        Ok(vec![Cell::Decimal(12_345_678_901_234_567_890_123_456_789_012_000_001), Cell::Int64(1_000)])
    );
    assert_eq!(
        to_columns_of(r#"{"d":"125e-2","i":-0}"#, &schema),
        Ok(vec![Cell::Decimal(1_250_000), Cell::Int64(0)])
    );
}

#[test]
fn undeclared_keys_are_kept_as_json_where_the_schema_allows_them() {
    let mut schema = schema("s", &[("_additional", DataType::Int64)], Layout::JsonLines);
    schema.schema.additional_fields = true;
    let converted = converted_schema(&schema, Layout::Columns);
    assert_eq!(converted.schema.fields[1].name, "_additional_");
    assert!(!converted.schema.additional_fields);
    let line = r#"{"x\"":[1, 2],"_additional":7,"y":null}"#;
    assert_eq!(
        to_columns_of(line, &schema),
        Ok(vec![Cell::Int64(7), Cell::Json(r#"{"x\"":[1, 2],"y":null}"#.into())])
    );
    assert_eq!(to_columns_of("{}", &schema), Ok(vec![Cell::Absent, Cell::Null]));
    assert_eq!(to_columns_of(r#"{"x":1,"x":2}"#, &schema), Err(codes::DUPLICATE_FIELD.to_owned()));
}

#[test]
fn a_conversion_that_would_explode_comes_in_pieces() {
    let names: Vec<String> = (0..4_096).map(|place| format!("field_{place}")).collect();
    let types: Vec<_> =
        names.iter().map(|name| (name.as_str(), DataType::Decimal { precision: 1, scale: 0 })).collect();
    let wide = schema("s", &types, Layout::JsonLines);
    let batch = Arc::new(lines_batch("s", &["{}"; 500]));
    let limits = Limits::default();
    let mut rows = Vec::new();
    for piece in convert_in_pieces(&batch, &wide, Layout::Columns, &limits) {
        assert!(piece.batch.byte_count() <= limits.batch_bytes_max);
        rows.extend(piece.rows.unwrap());
    }
    assert_eq!(rows, (0..500).collect::<Vec<u32>>());
}

#[test]
fn a_row_that_grows_over_the_limit_is_rejected() {
    let schema = schema("s", &[("t", DataType::Text)], Layout::Columns);
    let batch = Arc::new(columns_batch(
        "s",
        2,
        vec![column(ColumnData::Text(texts(&["a", "\u{1}\u{1}\u{1}\u{1}"])))],
    ));
    let limits = Limits { batch_bytes_max: 16, row_bytes_max: 16, ..Limits::default() };
    let pieces: Vec<_> = convert_in_pieces(&batch, &schema, Layout::JsonLines, &limits).collect();
    assert_eq!(pieces.len(), 1);
    assert_eq!(pieces[0].rows, Some(vec![0]));
    assert_eq!((pieces[0].rejected[0].row, pieces[0].rejected[0].code.as_str()), (1, codes::ROW_TOO_LARGE));
}

#[test]
fn selected_fields_are_kept_in_the_order_asked_for_in_both_layouts() {
    let columns = schema("s", &[("a", DataType::Int64), ("b", DataType::Text)], Layout::Columns);
    let to = project_schema(&columns, &["b".into()]).unwrap();
    let batch = columns_batch(
        "s",
        1,
        vec![column(ColumnData::Int64(vec![1])), column(ColumnData::Text(texts(&["x"])))],
    );
    assert_eq!(cells_of(&project(&batch, &columns, &to).batch), [[Cell::Text("x".into())]]);
    let lines = StreamSchema { layout: Layout::JsonLines, ..columns };
    let to = project_schema(&lines, &["b".into(), "a".into()]).unwrap();
    let batch = lines_batch("s", &[r#"{"a":1, "c":2,"b": "x"}"#, "{", r#"{"a":1}"#]);
    let projected = project(&batch, &lines, &to);
    assert_eq!(lines_of(&projected.batch), [r#"{"b":"x","a":1}"#, r#"{"a":1}"#]);
    assert_eq!((projected.kept, projected.rejected[0].row), (Some(vec![0, 2]), 1));
    assert_eq!(project_schema(&lines, &["z".into()]), Err("z".into()));
}

#[test]
fn keys_are_given_up_when_one_of_them_is_not_selected() {
    let mut keyed = schema("s", &[("a", DataType::Int64), ("b", DataType::Text)], Layout::Columns);
    keyed.keys = vec!["a".into()];
    assert_eq!(project_schema(&keyed, &["b".into()]).unwrap().keys, Vec::<String>::new());
    assert_eq!(project_schema(&keyed, &["a".into()]).unwrap().keys, ["a"]);
}

fn condition(field: &str, comparison: Comparison, value: &str) -> Condition {
    Condition { field: field.into(), comparison, value: value.into() }
}

#[test]
fn filters_judge_both_layouts_alike() {
    let schema = schema("s", &[("n", DataType::Int64), ("t", DataType::Text)], Layout::JsonLines);
    let batch = lines_batch(
        "s",
        &[r#"{"n":1,"t":"a"}"#, r#"{"n":null,"t":"b"}"#, r#"{"t":"c"}"#, r#"{"n":3,"t":"a"}"#],
    );
    let columns = convert(&batch, &schema, Layout::Columns).batch;
    let check = |conditions: &[Condition], expected: &[u32]| {
        let filter = Filter::new(&schema, conditions).unwrap();
        for batch in [&batch, &columns] {
            let (kept, rejected) = filter.apply(batch);
            assert_eq!(kept.unwrap_or_else(|| (0..4).collect()), expected, "{conditions:?}");
            assert!(rejected.is_empty());
        }
    };
    check(&[], &[0, 1, 2, 3]);
    check(&[condition("n", Comparison::Greater, "1")], &[3]);
    check(&[condition("n", Comparison::NotEqual, "1")], &[3]);
    check(&[condition("n", Comparison::IsNull, "null")], &[1, 2]);
    check(
        &[condition("n", Comparison::IsNotNull, "null"), condition("t", Comparison::LessOrEqual, "\"a\"")],
        &[0, 3],
    );
    check(
        &[condition("t", Comparison::GreaterOrEqual, "\"b\""), condition("t", Comparison::Less, "\"c\"")],
        &[1],
    );
    check(&[condition("t", Comparison::Equal, "\"a\"")], &[0, 3]);
}

#[test]
fn a_condition_that_cannot_be_judged_is_refused_when_it_is_made() {
    let schema = every_type(Layout::Columns);
    let refused = |field: &str, comparison, value: &str| {
        Filter::new(&schema, &[condition(field, comparison, value)]).unwrap_err()
    };
    assert!(!refused("nope", Comparison::Equal, "1").known);
    assert!(refused("json", Comparison::Equal, "1").message.contains("null only"));
    assert!(refused("boolean", Comparison::Less, "true").message.contains("no order"));
    assert!(refused("int64", Comparison::Equal, "\"x\"").message.contains("int64"));
    assert!(refused("int64", Comparison::Equal, "null").message.contains("is-null"));
    assert!(refused("int64", Comparison::Equal, "{").known);
}

#[test]
fn a_line_that_the_filter_cannot_read_is_a_row_error() {
    let schema = schema("s", &[("n", DataType::Int64)], Layout::JsonLines);
    let filter = Filter::new(&schema, &[condition("n", Comparison::Equal, "1")]).unwrap();
    let (kept, rejected) = filter.apply(&lines_batch("s", &[r#"{"n":1}"#, r#"{"n":"x"}"#, "{"]));
    assert_eq!(kept, Some(vec![0]));
    let codes: Vec<_> = rejected.iter().map(|reject| (reject.row, reject.code.as_str())).collect();
    assert_eq!(codes, [(1, codes::WRONG_TYPE), (2, codes::NOT_JSON)]);
}

#[test]
fn a_row_is_shown_to_people_even_where_json_has_no_form_for_it() {
    let schema = schema("s", &[("x", DataType::Float64), ("d", DataType::Date)], Layout::Columns);
    let values = vec![column(ColumnData::Float64(vec![f64::NAN])), column(ColumnData::Date(vec![i32::MIN]))];
    let batch = columns_batch("s", 1, values);
    let shown = row_json(&batch, &schema, 0).unwrap();
    assert_eq!(shown, r#"{"x":"NaN","d":"-2147483648 days since 1970-01-01"}"#);
    assert_eq!(row_json(&batch, &schema, 1), None);
    assert_eq!(row_json(&lines_batch("s", &["{}", "{\"a\":1}"]), &schema, 1).unwrap(), "{\"a\":1}");
}

#[test]
fn a_batch_survives_json_bit_by_bit() {
    let bits = f64::from_bits(0x7ff8_0000_0000_0123);
    let batch = columns_batch(
        "s",
        1,
        vec![
            Column { validity: Some(vec![1]), presence: None, data: ColumnData::Float64(vec![bits]) },
            column(ColumnData::Text(texts(&["é"]))),
        ],
    );
    let text = serde_json::to_string(&batch).unwrap();
    let back: Batch = serde_json::from_str(&text).unwrap();
    let (Rows::Columns(columns), Rows::Columns(expected)) = (&back.rows, &batch.rows) else {
        panic!("lines")
    };
    let ColumnData::Float64(values) = &columns.columns[0].data else { panic!("floats") };
    assert_eq!(values[0].to_bits(), bits.to_bits());
    assert_eq!(columns.columns[1], expected.columns[1]);
}

fn cell(data_type: DataType) -> impl Strategy<Value = Cell<'static>> {
    let value = match data_type {
        DataType::Boolean => any::<bool>().prop_map(Cell::Boolean).boxed(),
        DataType::Int64 => any::<i64>().prop_map(Cell::Int64).boxed(),
        DataType::Float64 => proptest::num::f64::NORMAL.prop_map(Cell::Float64).boxed(),
        DataType::Decimal { .. } => (-9_999_999_999_i128..=9_999_999_999).prop_map(Cell::Decimal).boxed(),
        DataType::Text => {
            "\\PC{0,6}|[\u{0}-\u{20}\"\\\\]{0,3}".prop_map(|text| Cell::Text(text.into())).boxed()
        }
        DataType::Bytes => any::<Vec<u8>>().prop_map(|bytes| Cell::Bytes(bytes.into())).boxed(),
        DataType::Json => prop_oneof![Just("[1,{\"a\":\"\\n\"}]"), Just("1.10"), Just("\"x\"")]
            .prop_map(|text| Cell::Json(text.into()))
            .boxed(),
        DataType::Date => (-719_528..=2_932_896_i32).prop_map(Cell::Date).boxed(),
        DataType::Time(_) => (0..86_400_000_000_i64).prop_map(Cell::Time).boxed(),
        DataType::Timestamp(_) => {
            (-62_167_219_200_000_000..253_402_300_800_000_000_i64).prop_map(Cell::Timestamp).boxed()
        }
    };
    prop_oneof![6 => value, 1 => Just(Cell::Null), 1 => Just(Cell::Absent)]
}

fn any_rows() -> impl Strategy<Value = Vec<Vec<Cell<'static>>>> {
    let row: Vec<_> =
        every_type(Layout::Columns).schema.fields.iter().map(|field| cell(field.data_type).boxed()).collect();
    proptest::collection::vec(row, 0..12)
}

proptest! {
    #[test]
    fn columns_to_lines_and_back_is_the_identity(rows in any_rows()) {
        let schema = every_type(Layout::Columns);
        let batch = batch_of(&schema, &rows);
        validate::batch(&batch, &schema, &Limits::default()).unwrap();
        let lines = convert(&batch, &schema, Layout::JsonLines);
        assert!(lines.rejected.is_empty(), "{:?}", lines.rejected);
        let lines_schema = converted_schema(&schema, Layout::JsonLines);
        validate::batch(&lines.batch, &lines_schema, &Limits::default()).unwrap();
        let back = convert(&lines.batch, &lines_schema, Layout::Columns);
        assert!(back.rejected.is_empty(), "{:?}", back.rejected);
        validate::batch(&back.batch, &schema, &Limits::default()).unwrap();
        assert_eq!(cells_of(&back.batch), rows);
    }

    #[test]
    fn taking_rows_takes_exactly_these_in_both_layouts(rows in any_rows(), picks in proptest::collection::vec(0_u32..14, 0..20)) {
        let schema = every_type(Layout::Columns);
        let mut batch = batch_of(&schema, &rows);
        batch.operations = RowOperations::Each((0..rows.len()).map(|row| u8::try_from(row % 4).unwrap()).collect());
        let within: Vec<usize> = picks.iter().map(|pick| *pick as usize).filter(|pick| *pick < rows.len()).collect();
        let expected: Vec<_> = within.iter().map(|pick| rows[*pick].clone()).collect();
        let taken = take(&batch, &picks);
        assert_eq!(cells_of(&taken), expected);
        assert_eq!(taken.operations, RowOperations::Each(within.iter().map(|pick| u8::try_from(pick % 4).unwrap()).collect()));
        let lines = convert(&batch, &schema, Layout::JsonLines).batch;
        let all = lines_of(&lines);
        assert_eq!(lines_of(&take(&lines, &picks)), within.iter().map(|pick| all[*pick].clone()).collect::<Vec<_>>());
        assert_eq!(row(&batch, u32::try_from(rows.len()).unwrap()), None);
    }

    #[test]
    fn parts_of_a_split_follow_each_other_and_fit(rows in any_rows(), bytes_max in 1_usize..400) {
        let schema = every_type(Layout::Columns);
        let parts = split(Arc::new(batch_of(&schema, &rows)), bytes_max);
        let mut next = 0;
        let mut together = Vec::new();
        for (first, part) in &parts {
            assert_eq!(*first, next);
            assert!(part.byte_count() <= bytes_max || part.row_count() <= 1);
            next += part.row_count();
            together.extend(cells_of(part));
        }
        assert_eq!(together, rows);
    }

    #[test]
    fn no_line_whatever_makes_broken_columns(line in "[\\[\\]{}:,\"a-d0-9.eE -]{0,40}") {
        let mut schema = every_type(Layout::JsonLines);
        schema.schema.additional_fields = true;
        let _ = to_columns_of(&line, &schema);
    }
}
