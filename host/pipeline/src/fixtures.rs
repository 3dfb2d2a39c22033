//! Small schemas and batches for the tests of this crate.

use crate::model::{
    Batch, Column, ColumnData, Columns, DataType, Field, JsonLines, Layout, Operation, Operations,
    RowOperations, Rows, Schema, StreamSchema, VarData,
};

pub(crate) fn field(name: &str, data_type: DataType) -> Field {
    Field { name: name.into(), data_type, nullable: true, logical_type: None, description: None }
}

pub(crate) fn schema(stream: &str, fields: &[(&str, DataType)], layout: Layout) -> StreamSchema {
    StreamSchema {
        stream: stream.into(),
        version: 0,
        schema: Schema {
            fields: fields.iter().map(|(name, data_type)| field(name, *data_type)).collect(),
            additional_fields: false,
        },
        keys: Vec::new(),
        operations: Operations { insert: true, ..Operations::default() },
        layout,
    }
}

pub(crate) fn column(data: ColumnData) -> Column {
    Column { validity: None, presence: None, data }
}

pub(crate) fn texts(values: &[&str]) -> VarData {
    let mut var = VarData { offsets: vec![0], data: Vec::new() };
    for value in values {
        var.data.extend_from_slice(value.as_bytes());
        var.offsets.push(i32::try_from(var.data.len()).unwrap());
    }
    var
}

pub(crate) fn columns_batch(stream: &str, row_count: u32, columns: Vec<Column>) -> Batch {
    Batch {
        stream: stream.into(),
        schema_version: 0,
        operations: RowOperations::All(Operation::Insert),
        rows: Rows::Columns(Columns { row_count, columns }),
    }
}

pub(crate) fn lines_batch(stream: &str, lines: &[&str]) -> Batch {
    Batch {
        stream: stream.into(),
        schema_version: 0,
        operations: RowOperations::All(Operation::Insert),
        rows: Rows::JsonLines(JsonLines {
            row_count: u32::try_from(lines.len()).unwrap(),
            data: lines.iter().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes(),
        }),
    }
}

/// The lines of a batch of JSON lines.
pub(crate) fn lines_of(batch: &Batch) -> Vec<String> {
    let Rows::JsonLines(lines) = &batch.rows else { panic!("columns") };
    String::from_utf8(lines.data.clone()).unwrap().lines().map(str::to_owned).collect()
}
