//! One page: ten columns, about 220 bytes a row, as the rows of the other benchmarks.

use cofferdam_sdk::{
    Batch, ColumnsBuilder, DataType, Field, JsonLinesBuilder, Layout, Operation, Result, Schema,
    StreamSchema, Zone,
};
use serde::Serialize;

/// A row; the texts have the length of real ones.
#[derive(Serialize)]
struct Line {
    id: i64,
    quantity: i64,
    price: f64,
    ratio: f64,
    active: bool,
    created_at: &'static str,
    name: &'static str,
    city: &'static str,
    note: &'static str,
    attributes: Attributes,
}

#[derive(Serialize)]
struct Attributes {
    tags: [&'static str; 2],
    score: u32,
}

const NAME: &str = "amber harbor";
const CITY: &str = "Montréal";
const NOTE: &str = "cedar delta meadow north orchard pier";
const ATTRIBUTES: &str = r#"{"tags":["lagoon","kelp"],"score":512}"#;

pub(crate) fn schema() -> Schema {
    let fields = [
        ("id", DataType::Int64),
        ("quantity", DataType::Int64),
        ("price", DataType::Float64),
        ("ratio", DataType::Float64),
        ("active", DataType::Boolean),
        ("created_at", DataType::Timestamp(Zone::Utc)),
        ("name", DataType::Text),
        ("city", DataType::Text),
        ("note", DataType::Text),
        ("attributes", DataType::Json),
    ];
    Schema::new(fields.map(|(name, data_type)| Field::new(name, data_type)))
}

pub(crate) fn batch(schema: &StreamSchema, rows: usize) -> Result<Batch> {
    match schema.layout {
        Layout::Columns => columns(schema, rows),
        Layout::JsonLines => json_lines(schema, rows),
    }
}

fn columns(schema: &StreamSchema, rows: usize) -> Result<Batch> {
    let mut builder = ColumnsBuilder::new(&schema.schema.fields);
    for row in 0..rows as i64 {
        builder.column(0).push_i64(row);
        builder.column(1).push_i64(row * 7);
        builder.column(2).push_f64(row as f64 / 100.0);
        builder.column(3).push_f64(1.0 / (row + 1) as f64);
        builder.column(4).push_bool(row % 2 == 0);
        builder.column(5).push_timestamp(row * 1_000_000);
        builder.column(6).push_str(NAME);
        builder.column(7).push_str(CITY);
        builder.column(8).push_str(NOTE);
        builder.column(9).push_json(ATTRIBUTES);
    }
    Ok(Batch::new(schema, Operation::Insert, builder.finish()?))
}

fn json_lines(schema: &StreamSchema, rows: usize) -> Result<Batch> {
    let mut builder = JsonLinesBuilder::new();
    for row in 0..rows as i64 {
        builder.push(&Line {
            id: row,
            quantity: row * 7,
            price: row as f64 / 100.0,
            ratio: 1.0 / (row + 1) as f64,
            active: row % 2 == 0,
            created_at: "2020-01-01T00:00:00Z",
            name: NAME,
            city: CITY,
            note: NOTE,
            attributes: Attributes { tags: ["lagoon", "kelp"], score: 512 },
        })?;
    }
    Ok(Batch::new(schema, Operation::Insert, builder.finish()))
}
