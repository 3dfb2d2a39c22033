//! The streams: `values` with a field of every type, and `orders` and `items`, which are read together.

use cofferdam_sdk::{
    Catalog, Columns, ColumnsBuilder, DataType, Error, Field, Layout, Operations, Pushdown, Result, Schema,
    StreamInfo, StreamSchema, Zone,
};

/// The largest decimal of 38 digits.
const MOST_DIGITS: i128 = 10_i128.pow(38) - 1;
/// The last microsecond of a day.
const DAY_END: i64 = 24 * 60 * 60 * 1_000_000 - 1;
/// A NaN that is not the usual one.
const ODD_NAN: u64 = 0x7ff8_0000_dead_beef;

pub(crate) fn catalog() -> Catalog {
    let values = StreamInfo {
        estimated_rows: Some(7),
        ..StreamInfo::new(values(1))
            .incremental(["int64", "text"])
            .pushdown(Pushdown::FIELDS | Pushdown::LIMIT)
            .description("every type")
    };
    let orders = StreamInfo::new(lines("orders")).group("log").pushdown(Pushdown::FILTER);
    let items = StreamInfo::new(lines("items")).group("log");
    Catalog::new([values, orders, items]).marks_transactions("log")
}

pub(crate) fn lines(stream: &str) -> StreamSchema {
    let id = Field::new("id", DataType::Int64).logical_type("serial").description("the key");
    let schema = Schema::new([id]).with_additional_fields();
    StreamSchema::new(stream, schema, Layout::JsonLines).keyed(["id"], Operations::all())
}

/// In its second version it has a field more.
pub(crate) fn values(version: u32) -> StreamSchema {
    let mut fields = vec![
        Field::new("boolean", DataType::Boolean),
        Field::new("int64", DataType::Int64),
        Field::new("float64", DataType::Float64),
        Field::new("whole", DataType::decimal(38, 0)),
        Field::new("money", DataType::decimal(5, 2)),
        Field::new("text", DataType::Text),
        Field::new("bytes", DataType::Bytes),
        Field::new("json", DataType::Json),
        Field::new("date", DataType::Date),
        Field::new("time_utc", DataType::Time(Zone::Utc)),
        Field::new("time_local", DataType::Time(Zone::Local)),
        Field::new("timestamp_utc", DataType::Timestamp(Zone::Utc)),
        Field::new("timestamp_local", DataType::Timestamp(Zone::Local)),
    ];
    if version > 1 {
        fields.push(Field::new("added", DataType::Text));
    }
    let schema = Schema::new(fields.into_iter().map(Field::nullable));
    let schema = StreamSchema::new("values", schema, Layout::Columns).keyed(["int64"], Operations::all());
    StreamSchema { version, ..schema }
}

/// Rows by their names, as columns of these fields.
pub(crate) fn rows(schema: &StreamSchema, names: &[String]) -> Result<Columns> {
    let mut columns = ColumnsBuilder::new(&schema.schema.fields);
    for name in names {
        match name.as_str() {
            "ordinary" => ordinary(&mut columns),
            "least" => least(&mut columns),
            "most" => most(&mut columns),
            "null" => columns.columns().iter_mut().for_each(|column| column.push_null()),
            "absent" => columns.columns().iter_mut().for_each(|column| column.push_absent()),
            "nan" => only_float(&mut columns, f64::NAN),
            "odd-nan" => only_float(&mut columns, f64::from_bits(ODD_NAN)),
            "minus-zero" => only_float(&mut columns, -0.0),
            other => return Err(Error::bug(format!("there is no row `{other}`"))),
        }
        for added in columns.columns().iter_mut().skip(13).filter(|added| added.row_count() == 0) {
            added.push_str("new");
        }
    }
    columns.finish()
}

fn ordinary(columns: &mut ColumnsBuilder) {
    columns.column(0).push_bool(true);
    columns.column(1).push_i64(42);
    columns.column(2).push_f64(0.1);
    columns.column(3).push_decimal(-7);
    columns.column(4).push_decimal(12_345);
    columns.column(5).push_str("Zürich \u{1f30d}");
    columns.column(6).push_bytes(&[0, 255, 10]);
    columns.column(7).push_json(r#"{"a": [1, null]}"#);
    columns.column(8).push_date(20_000);
    columns.column(9).push_time(1);
    columns.column(10).push_time(2);
    columns.column(11).push_timestamp(3);
    columns.column(12).push_timestamp(4);
}

fn least(columns: &mut ColumnsBuilder) {
    columns.column(0).push_bool(false);
    columns.column(1).push_i64(i64::MIN);
    columns.column(2).push_f64(f64::NEG_INFINITY);
    columns.column(3).push_decimal(-MOST_DIGITS);
    columns.column(4).push_decimal(-99_999);
    columns.column(5).push_str("");
    columns.column(6).push_bytes(&[]);
    columns.column(7).push_json("null");
    columns.column(8).push_date(i32::MIN);
    columns.column(9).push_time(0);
    columns.column(10).push_time(0);
    columns.column(11).push_timestamp(i64::MIN);
    columns.column(12).push_timestamp(i64::MIN);
}

fn most(columns: &mut ColumnsBuilder) {
    columns.column(0).push_bool(true);
    columns.column(1).push_i64(i64::MAX);
    columns.column(2).push_f64(f64::INFINITY);
    columns.column(3).push_decimal(MOST_DIGITS);
    columns.column(4).push_decimal(99_999);
    columns.column(5).push_str("\0\n\"");
    columns.column(6).push_bytes(b"\n");
    columns.column(7).push_json("\"\"");
    columns.column(8).push_date(i32::MAX);
    columns.column(9).push_time(DAY_END);
    columns.column(10).push_time(DAY_END);
    columns.column(11).push_timestamp(i64::MAX);
    columns.column(12).push_timestamp(i64::MAX);
}

/// Null everywhere else.
fn only_float(columns: &mut ColumnsBuilder, value: f64) {
    for (place, column) in columns.columns().iter_mut().enumerate() {
        if place == 2 { column.push_f64(value) } else { column.push_null() }
    }
}
