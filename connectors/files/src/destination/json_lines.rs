//! Writes rows as JSON Lines.

use cofferdam_sdk::{ColumnView, ColumnsView, JsonLines, Reject, Result};
use serde::de::IgnoredAny;

use crate::text::{Cells, ValueFault, write_json_cell, write_json_string};

/// One column and what stands before its values.
struct JsonColumn<'a> {
    view: ColumnView<'a>,
    cells: Cells<'a>,
    /// `"name":`
    key: Vec<u8>,
}

/// Append the rows that are not refused already, and refuse those that JSON cannot say.
pub(crate) fn write_columns(
    out: &mut Vec<u8>,
    view: &ColumnsView<'_>,
    is_refused: impl Fn(usize) -> bool,
    rejected: &mut Vec<Reject>,
) -> Result<()> {
    let columns = view.columns().iter().map(|view| {
        let mut key = Vec::new();
        write_json_string(&mut key, &view.field().name);
        key.push(b':');
        Ok(JsonColumn { view: *view, cells: Cells::of(view)?, key })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    for row in (0..view.row_count()).filter(|row| !is_refused(*row)) {
        let start = out.len();
        if let Err((fault, field)) = write_row(out, &columns, row) {
            out.truncate(start);
            rejected.push(fault.in_field(row, field));
        }
    }
    Ok(())
}

fn write_row<'c>(
    out: &mut Vec<u8>,
    columns: &'c [JsonColumn<'_>],
    row: usize,
) -> Result<(), (ValueFault, &'c str)> {
    let start = out.len();
    for column in columns {
        if !column.view.is_present(row) {
            continue;
        }
        out.push(b',');
        out.extend_from_slice(&column.key);
        if !write_json_cell(out, &column.cells, row)
            .map_err(|fault| (fault, column.view.field().name.as_str()))?
        {
            out.extend_from_slice(b"null");
        }
    }
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// Append lines as they are, and refuse those that are no JSON objects.
pub(crate) fn write_lines(
    out: &mut Vec<u8>,
    lines: &JsonLines,
    is_refused: impl Fn(usize) -> bool,
    rejected: &mut Vec<Reject>,
) {
    for (row, line) in lines.lines().enumerate().filter(|(row, _)| !is_refused(*row)) {
        let line = line.trim_ascii();
        let index = u32::try_from(row).unwrap_or(u32::MAX);
        match serde_json::from_slice::<IgnoredAny>(line) {
            Ok(_) if line.starts_with(b"{") => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            Ok(_) => rejected.push(Reject::new(index, "not_an_object", "the row is no JSON object")),
            Err(fault) => rejected.push(Reject::new(index, "not_json", fault.to_string())),
        }
    }
}
