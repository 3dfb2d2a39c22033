//! From JSON lines to columns.

use super::build::ColumnBuilder;
use super::cell::{Cell, of_json};
use super::json_line::{FieldIndex, ParsedLine, lines};
use super::{Converted, RowFault, Sieve, codes, take};
use crate::model::{Batch, Columns, DataType, JsonLines, Reject, RowOperations, Rows, StreamSchema};
use std::borrow::Cow;
use std::collections::HashSet;

/// Lays JSON lines out as the columns of [`converted_schema`](super::converted_schema). A batch of columns is returned
/// as it is.
pub fn to_columns(batch: &Batch, schema: &StreamSchema) -> Converted {
    let Rows::JsonLines(given) = &batch.rows else {
        return Converted { batch: batch.clone(), kept: None, rejected: Vec::new() };
    };
    let mut builder = RowsBuilder::new(schema);
    let (kept, rejected) = builder.fill(given, schema);
    let row_count = kept.as_ref().map_or(given.row_count as usize, Vec::len);
    let operations = match (&kept, &batch.operations) {
        (Some(kept), RowOperations::Each(bytes)) => RowOperations::Each(take::gather(bytes, kept)),
        (_, operations) => operations.clone(),
    };
    let columns = builder.columns.into_iter().map(ColumnBuilder::finish).collect();
    let rows = Rows::Columns(Columns { row_count: u32::try_from(row_count).unwrap_or(u32::MAX), columns });
    let batch =
        Batch { stream: batch.stream.clone(), schema_version: batch.schema_version, operations, rows };
    Converted { batch, kept, rejected }
}

struct RowsBuilder {
    columns: Vec<ColumnBuilder>,
}

impl RowsBuilder {
    fn new(schema: &StreamSchema) -> Self {
        let declared = schema.schema.fields.iter().map(|field| ColumnBuilder::new(field.data_type));
        let additional = schema.schema.additional_fields.then(|| ColumnBuilder::new(DataType::Json));
        Self { columns: declared.chain(additional).collect() }
    }

    fn fill(&mut self, given: &JsonLines, schema: &StreamSchema) -> (Option<Vec<u32>>, Vec<Reject>) {
        let index = FieldIndex::new(&schema.schema.fields);
        let mut parsed = ParsedLine::new(&index);
        let mut cells = Vec::with_capacity(self.columns.len());
        let mut sieve = Sieve::default();
        for (row, line) in (0..).zip(lines(given)) {
            cells.clear();
            let read = parsed.parse(line, &index).and_then(|()| read_cells(&parsed, schema, &mut cells));
            match read {
                Ok(()) => {
                    sieve.keep(row);
                    for (column, cell) in self.columns.iter_mut().zip(&cells) {
                        column.push(cell);
                    }
                }
                Err(fault) => sieve.reject(row, fault),
            }
        }
        sieve.finish()
    }
}

fn read_cells<'l>(
    parsed: &ParsedLine<'l>,
    schema: &StreamSchema,
    cells: &mut Vec<Cell<'l>>,
) -> Result<(), RowFault> {
    for (field, raw) in schema.schema.fields.iter().zip(&parsed.declared) {
        let cell = match raw {
            Some(raw) => of_json(raw, field.data_type).map_err(|fault| fault.in_field(&field.name))?,
            None => Cell::Absent,
        };
        cells.push(cell);
    }
    if schema.schema.additional_fields {
        cells.push(additional(parsed)?);
    } else if let Some((name, _)) = parsed.others.first() {
        return Err(RowFault::new(codes::UNDECLARED_FIELD, format!("the field `{name}` is not declared")));
    }
    Ok(())
}

/// The undeclared keys as one object; null where there are none.
fn additional<'l>(parsed: &ParsedLine<'_>) -> Result<Cell<'l>, RowFault> {
    if parsed.others.is_empty() {
        return Ok(Cell::Null);
    }
    let mut seen = HashSet::with_capacity(parsed.others.len());
    let mut object = String::from("{");
    for (name, raw) in &parsed.others {
        if !seen.insert(name) {
            return Err(RowFault::new(codes::DUPLICATE_FIELD, format!("the key `{name}` stands twice")));
        }
        if seen.len() > 1 {
            object.push(',');
        }
        object.push_str(&serde_json::Value::from(name.as_str()).to_string());
        object.push(':');
        object.push_str(raw);
    }
    object.push('}');
    Ok(Cell::Json(Cow::Owned(object)))
}
