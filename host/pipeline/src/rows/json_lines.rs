//! From columns to JSON lines.

use super::cell::{BASE64, Cell, of_column};
use super::date::{write_date, write_time, write_timestamp};
use super::decimal::write_decimal;
use super::{Converted, RowFault, Sieve, codes, take};
use crate::model::{Batch, Column, DataType, Field, JsonLines, RowOperations, Rows, StreamSchema, Zone};
use base64::Engine;
use std::borrow::Cow;

/// Writes columns as JSON lines. A batch of JSON lines is returned as it is.
pub fn to_json_lines(batch: &Batch, schema: &StreamSchema) -> Converted {
    let Rows::Columns(given) = &batch.rows else {
        return Converted { batch: batch.clone(), kept: None, rejected: Vec::new() };
    };
    let writers = writers(&given.columns, schema);
    let mut data = Vec::with_capacity(batch.byte_count().saturating_mul(2));
    let mut sieve = Sieve::default();
    for row in 0..given.row_count {
        let start = data.len();
        match write_row(&mut data, &writers, row as usize, Form::Strict) {
            Ok(()) => {
                data.push(b'\n');
                sieve.keep(row);
            }
            Err(fault) => {
                data.truncate(start);
                sieve.reject(row, fault);
            }
        }
    }
    let (kept, rejected) = sieve.finish();
    let row_count =
        kept.as_ref().map_or(given.row_count, |kept| u32::try_from(kept.len()).unwrap_or(u32::MAX));
    let operations = match (&kept, &batch.operations) {
        (Some(kept), RowOperations::Each(bytes)) => RowOperations::Each(take::gather(bytes, kept)),
        (_, operations) => operations.clone(),
    };
    let rows = Rows::JsonLines(JsonLines { row_count, data });
    let batch =
        Batch { stream: batch.stream.clone(), schema_version: batch.schema_version, operations, rows };
    Converted { batch, kept, rejected }
}

/// One row as JSON, for people: what has no form in JSON is shown as a string that says so. None past the end.
pub fn row_json(batch: &Batch, schema: &StreamSchema, row: u32) -> Option<String> {
    if row >= batch.row_count() {
        return None;
    }
    let bytes = match &batch.rows {
        Rows::JsonLines(given) => super::json_line::lines(given).nth(row as usize)?.to_vec(),
        Rows::Columns(given) => {
            let mut data = Vec::new();
            // The lenient form has no faults.
            let _ = write_row(&mut data, &writers(&given.columns, schema), row as usize, Form::Lenient);
            data
        }
    };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// What has no form in JSON is a fault of its row.
    Strict,
    /// What has no form in JSON is a string for people.
    Lenient,
}

struct FieldWriter<'a> {
    column: &'a Column,
    field: &'a Field,
    /// `"name":`
    key: Vec<u8>,
}

fn writers<'a>(columns: &'a [Column], schema: &'a StreamSchema) -> Vec<FieldWriter<'a>> {
    let writer = |(column, field): (&'a Column, &'a Field)| {
        let mut key = Vec::with_capacity(field.name.len() + 3);
        write_string(&mut key, &field.name);
        key.push(b':');
        FieldWriter { column, field, key }
    };
    columns.iter().zip(&schema.schema.fields).map(writer).collect()
}

fn write_row(out: &mut Vec<u8>, writers: &[FieldWriter<'_>], row: usize, form: Form) -> Result<(), RowFault> {
    out.push(b'{');
    let mut first = true;
    for writer in writers {
        let cell = of_column(writer.column, row);
        if cell == Cell::Absent {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(&writer.key);
        let start = out.len();
        if let Err(fault) = write_cell(out, &cell, writer.field.data_type) {
            if form == Form::Strict {
                return Err(fault.in_field(&writer.field.name));
            }
            out.truncate(start);
            write_string(out, &shown(&cell));
        }
    }
    out.push(b'}');
    Ok(())
}

fn write_cell(out: &mut Vec<u8>, cell: &Cell<'_>, data_type: DataType) -> Result<(), RowFault> {
    let years = |written: bool| {
        if written {
            Ok(())
        } else {
            Err(RowFault::new(codes::OUT_OF_RANGE, "has no text form: years are 0000 to 9999"))
        }
    };
    match cell {
        Cell::Absent | Cell::Null => out.extend_from_slice(b"null"),
        Cell::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Cell::Int64(value) => write_number(out, value),
        Cell::Float64(value) if value.is_finite() => write_number(out, value),
        Cell::Float64(value) => {
            return Err(RowFault::new(codes::NOT_A_JSON_NUMBER, format!("{value} has no form in JSON")));
        }
        Cell::Decimal(value) => quoted(out, |out| write_decimal(out, *value, scale(data_type))),
        Cell::Text(text) => write_string(out, text),
        Cell::Bytes(bytes) => quoted(out, |out| out.extend_from_slice(BASE64.encode(bytes).as_bytes())),
        Cell::Json(text) => write_json(out, text)?,
        Cell::Date(days) => years(quoted(out, |out| write_date(out, i64::from(*days))))?,
        Cell::Time(micros) => {
            if !quoted(out, |out| write_time(out, *micros, zone(data_type))) {
                return Err(RowFault::new(codes::OUT_OF_RANGE, "no time of a day"));
            }
        }
        Cell::Timestamp(micros) => years(quoted(out, |out| write_timestamp(out, *micros, zone(data_type))))?,
    }
    Ok(())
}

fn quoted<T>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    out.push(b'"');
    let result = write(out);
    out.push(b'"');
    result
}

fn scale(data_type: DataType) -> u8 {
    if let DataType::Decimal { scale, .. } = data_type { scale } else { 0 }
}

fn zone(data_type: DataType) -> Zone {
    if let DataType::Time(zone) | DataType::Timestamp(zone) = data_type { zone } else { Zone::Local }
}

/// Writing numbers and strings into memory cannot fail.
fn write_number(out: &mut Vec<u8>, value: impl serde::Serialize) {
    let _ = serde_json::to_writer(out, &value);
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}

/// JSON text stands in the line as it is. Outside of strings a line feed is mere space, and inside it is illegal, so
/// that replacing it changes no value.
fn write_json(out: &mut Vec<u8>, text: &str) -> Result<(), RowFault> {
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map_err(|error| RowFault::new(codes::NOT_JSON, error.to_string()))?;
    let start = out.len();
    out.extend_from_slice(text.trim_ascii().as_bytes());
    for byte in out.iter_mut().skip(start).filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    Ok(())
}

/// What people see of a value that JSON cannot hold.
fn shown<'a>(cell: &'a Cell<'_>) -> Cow<'a, str> {
    match cell {
        Cell::Float64(value) => Cow::Owned(value.to_string()),
        Cell::Date(days) => Cow::Owned(format!("{days} days since 1970-01-01")),
        Cell::Time(micros) => Cow::Owned(format!("{micros} µs since midnight")),
        Cell::Timestamp(micros) => Cow::Owned(format!("{micros} µs since 1970-01-01")),
        Cell::Json(text) => Cow::Borrowed(text),
        _ => Cow::Borrowed("?"),
    }
}
