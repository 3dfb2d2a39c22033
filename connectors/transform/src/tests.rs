//! The cases of `cases/`, and rules that hold for all batches.

mod cases;
mod rules;

use cofferdam_sdk::{
    Batch, ColumnBuilder, ColumnsBuilder, DataType, Field, Incoming, Layout, Operations, Result,
    RowOperations, Schema, StreamSchema, Transform as _, Transformed, Transformer,
};
use serde_json::{Map, Value};

use crate::{Config, Transform, cast, types};

fn config(value: &Value) -> Result<Config> {
    cofferdam_sdk::parse_config(&value.to_string())
}

/// `"year int64?"`: the question mark says that null is legal.
fn field(text: &str) -> Field {
    let (name, data_type) = text.rsplit_once(" as ").unwrap();
    let (data_type, nullable) = data_type.strip_suffix('?').map_or((data_type, false), |name| (name, true));
    Field { nullable, ..Field::new(name, types::parse(data_type).unwrap()) }
}

fn stream(name: &str, fields: &[&str], keys: &[&str]) -> StreamSchema {
    let schema = Schema::new(fields.iter().map(|text| field(text)));
    let all = Operations::INSERT | Operations::UPDATE | Operations::UPSERT | Operations::DELETE;
    StreamSchema::new(name, schema, Layout::Columns).keyed(keys.iter().copied(), all)
}

/// Rows as columns; a key that a row has not is absent.
fn batch(schema: &StreamSchema, operations: RowOperations, rows: &[Map<String, Value>]) -> Batch {
    let mut builder = ColumnsBuilder::new(&schema.schema.fields);
    for row in rows {
        for (field, column) in schema.schema.fields.iter().zip(builder.columns()) {
            push(row.get(&field.name), column);
        }
    }
    Batch::with_operations(schema, operations, builder.finish().unwrap())
}

fn push(value: Option<&Value>, column: &mut ColumnBuilder) {
    match value {
        None => column.push_absent(),
        Some(Value::Null) => column.push_null(),
        Some(value) if *column.data_type() == DataType::Json => column.push_json(&value.to_string()),
        Some(Value::String(text)) => cast::push(cofferdam_sdk::Cell::Text(text), column).unwrap(),
        Some(value) => cast::push(cofferdam_sdk::Cell::Json(&value.to_string()), column).unwrap(),
    }
}

fn apply(config: &Config, schema: &StreamSchema, batch: Batch) -> Result<Transformed> {
    let mut transformer = Transform::open(config.clone(), vec![schema.clone()])?;
    transformer.apply(Incoming { schema, batch })
}
