//! One batch against the schema of its stream.

use super::{Limits, Violation, bytes, quoted};
use crate::model::{
    Batch, Column, ColumnData, Columns, DataType, Field, Layout, Operation, Operations, RowOperations, Rows,
    StreamSchema,
};

/// A batch keeps the schema by which it says it is laid out: `schema` holds the fields that were asked for, in their order.
pub fn batch(batch: &Batch, schema: &StreamSchema, limits: &Limits) -> Result<(), Violation> {
    check(batch, schema, limits)
        .map_err(|violation| violation.at(format!("a batch of {}", quoted(&batch.stream))))
}

fn check(batch: &Batch, schema: &StreamSchema, limits: &Limits) -> Result<(), Violation> {
    if batch.stream != schema.stream {
        return Err(Violation::new(format!("the stream expected here is {}", quoted(&schema.stream))));
    }
    if batch.schema_version != schema.version {
        let (given, current) = (batch.schema_version, schema.version);
        return Err(Violation::new(format!("schema version {given}, the current one is {current}")));
    }
    size(batch, limits)?;
    operations(&batch.operations, batch.row_count(), schema.operations)?;
    match (&batch.rows, schema.layout) {
        (Rows::Columns(given), Layout::Columns) => columns(given, &schema.schema.fields),
        (Rows::JsonLines(lines), Layout::JsonLines) => bytes::json_lines(lines, limits),
        (Rows::Columns(_), Layout::JsonLines) => {
            Err(Violation::new("columns, but the schema says JSON lines"))
        }
        (Rows::JsonLines(_), Layout::Columns) => {
            Err(Violation::new("JSON lines, but the schema says columns"))
        }
    }
}

fn size(batch: &Batch, limits: &Limits) -> Result<(), Violation> {
    let (bytes, rows) = (batch.byte_count(), batch.row_count());
    let allowed = if rows <= 1 { limits.row_bytes_max } else { limits.batch_bytes_max };
    if bytes <= allowed {
        return Ok(());
    }
    let what = format!("{bytes} bytes in {rows} rows, allowed are {allowed}");
    // One row cannot be cut, and how large it may be is the contract's to say.
    if rows <= 1 {
        return Err(Violation::new(what));
    }
    Err(Violation::over("page_bytes", format!("{allowed} bytes"), what))
}

fn operations(given: &RowOperations, rows: u32, allowed: Operations) -> Result<(), Violation> {
    let refused = |operation: Operation| {
        Violation::new(format!("the operation `{}` was not declared for the stream", operation.name()))
    };
    match given {
        RowOperations::All(operation) if rows > 0 && !allowed.contains(*operation) => {
            Err(refused(*operation))
        }
        RowOperations::All(_) => Ok(()),
        RowOperations::Each(list) => {
            bytes::length(list.len(), rows as usize, 1).map_err(|violation| violation.at("operations"))?;
            for (row, byte) in list.iter().enumerate() {
                let operation = Operation::from_byte(*byte)
                    .ok_or_else(|| Violation::new(format!("row {row} has the unknown operation {byte}")))?;
                if !allowed.contains(operation) {
                    return Err(refused(operation));
                }
            }
            Ok(())
        }
    }
}

fn columns(given: &Columns, fields: &[Field]) -> Result<(), Violation> {
    if given.columns.len() != fields.len() {
        return Err(Violation::new(format!("{} columns for {} fields", given.columns.len(), fields.len())));
    }
    let rows = given.row_count as usize;
    for (field, one) in fields.iter().zip(&given.columns) {
        column(one, field, rows)
            .map_err(|violation| violation.at(format!("column {}", quoted(&field.name))))?;
    }
    Ok(())
}

fn column(column: &Column, field: &Field, rows: usize) -> Result<(), Violation> {
    for (name, bits) in [("validity", &column.validity), ("presence", &column.presence)] {
        if let Some(bits) = bits {
            bytes::bitmap(bits, rows).map_err(|violation| violation.at(name))?;
        }
    }
    match (&column.data, field.data_type) {
        (ColumnData::Boolean(bits), DataType::Boolean) => bytes::bitmap(bits, rows),
        (ColumnData::Int64(values), DataType::Int64)
        | (ColumnData::Time(values), DataType::Time(_))
        | (ColumnData::Timestamp(values), DataType::Timestamp(_)) => bytes::length(values.len(), rows, 1),
        (ColumnData::Float64(values), DataType::Float64) => bytes::length(values.len(), rows, 1),
        (ColumnData::Date(days), DataType::Date) => bytes::length(days.len(), rows, 1),
        (ColumnData::Decimal(words), DataType::Decimal { precision, .. }) => {
            bytes::length(words.len(), rows, 2)?;
            decimals(column, words, precision)
        }
        (ColumnData::Text(var), DataType::Text) | (ColumnData::Json(var), DataType::Json) => {
            bytes::text(var, rows)
        }
        (ColumnData::Bytes(var), DataType::Bytes) => bytes::offsets(var, rows),
        (data, data_type) => {
            Err(Violation::new(format!("values of type {}, the field is {data_type}", data.name())))
        }
    }
}

/// A value with more digits than its precision would be cut or refused by every system that it is written to.
fn decimals(column: &Column, words: &[u64], precision: u8) -> Result<(), Violation> {
    let Some(limit) = 10_u128.checked_pow(u32::from(precision)) else {
        return Err(Violation::new(format!("the precision {precision} is over 38")));
    };
    for (row, pair) in words.chunks_exact(2).enumerate() {
        let &[low, high] = pair else { continue };
        let value = ((u128::from(high) << 64) | u128::from(low)).cast_signed();
        if value.unsigned_abs() >= limit && column.is_value(row) {
            return Err(Violation::new(format!("the value of row {row} has more than {precision} digits")));
        }
    }
    Ok(())
}
