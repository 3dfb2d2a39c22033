//! Leaves out fields that were not selected.

use super::json_line::{FieldIndex, ParsedLine, lines};
use super::{Converted, Sieve, take};
use crate::model::{Batch, Columns, JsonLines, RowOperations, Rows, StreamSchema};

/// The schema with these fields only, in this order; the name of the first that is not declared is the error. Keys stay
/// where all of them were selected; undeclared fields are left out.
pub fn project_schema(schema: &StreamSchema, fields: &[String]) -> Result<StreamSchema, String> {
    let find = |name: &String| schema.schema.fields.iter().find(|field| field.name == *name).cloned();
    let mut projected = schema.clone();
    projected.schema.fields =
        fields.iter().map(|name| find(name).ok_or_else(|| name.clone())).collect::<Result<_, _>>()?;
    projected.schema.additional_fields = false;
    if !schema.keys.iter().all(|key| fields.contains(key)) {
        projected.keys.clear();
    }
    Ok(projected)
}

/// The batch with the fields of `to` only, which [`project_schema`] made of `from`. Values are carried as they are.
pub fn project(batch: &Batch, from: &StreamSchema, to: &StreamSchema) -> Converted {
    match &batch.rows {
        Rows::Columns(given) => {
            let place = |name: &str| from.schema.fields.iter().position(|field| field.name == name);
            let places = to.schema.fields.iter().filter_map(|field| place(&field.name));
            let columns = places.filter_map(|place| given.columns.get(place).cloned()).collect();
            let rows = Rows::Columns(Columns { row_count: given.row_count, columns });
            Converted { batch: Batch { rows, ..shell(batch) }, kept: None, rejected: Vec::new() }
        }
        Rows::JsonLines(given) => project_lines(batch, given, to),
    }
}

fn project_lines(batch: &Batch, given: &JsonLines, to: &StreamSchema) -> Converted {
    let fields = &to.schema.fields;
    let index = FieldIndex::new(fields);
    let names: Vec<String> =
        fields.iter().map(|field| serde_json::Value::from(field.name.as_str()).to_string()).collect();
    let mut parsed = ParsedLine::new(&index);
    let mut data = Vec::with_capacity(given.data.len());
    let mut sieve = Sieve::default();
    for (row, line) in (0..).zip(lines(given)) {
        match parsed.parse(line, &index) {
            Ok(()) => {
                write_line(&mut data, &names, &parsed);
                sieve.keep(row);
            }
            Err(fault) => sieve.reject(row, fault),
        }
    }
    let (kept, rejected) = sieve.finish();
    let mut projected = shell(batch);
    let mut row_count = given.row_count;
    if let Some(kept) = &kept {
        row_count = u32::try_from(kept.len()).unwrap_or(u32::MAX);
        if let RowOperations::Each(bytes) = &projected.operations {
            projected.operations = RowOperations::Each(take::gather(bytes, kept));
        }
    }
    projected.rows = Rows::JsonLines(JsonLines { row_count, data });
    Converted { batch: projected, kept, rejected }
}

fn write_line(data: &mut Vec<u8>, names: &[String], parsed: &ParsedLine<'_>) {
    data.push(b'{');
    let mut first = true;
    for (name, raw) in names.iter().zip(&parsed.declared) {
        let Some(raw) = raw else { continue };
        if !first {
            data.push(b',');
        }
        first = false;
        data.extend_from_slice(name.as_bytes());
        data.push(b':');
        data.extend_from_slice(raw.as_bytes());
    }
    data.extend_from_slice(b"}\n");
}

/// The batch without its rows.
fn shell(batch: &Batch) -> Batch {
    Batch {
        stream: batch.stream.clone(),
        schema_version: batch.schema_version,
        operations: batch.operations.clone(),
        rows: Rows::JsonLines(JsonLines { row_count: 0, data: Vec::new() }),
    }
}
