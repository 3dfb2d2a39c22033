//! Writes rows as JSON Lines.

use cofferdam_sdk::{ColumnView, ColumnsView, JsonLines, Reject, Result};
use serde::de::IgnoredAny;

use super::{
    cells::Cells,
    text::{
        ValueFault, write_base64, write_boolean, write_date, write_decimal, write_float, write_integer,
        write_time, write_timestamp,
    },
};

const NOT_A_NUMBER: ValueFault =
    ValueFault { code: "not_a_json_number", what: "JSON has no NaN and no infinities" };
const NOT_JSON: ValueFault = ValueFault { code: "not_json", what: "the value is no JSON" };

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
        write_string(&mut key, &view.field().name);
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
        if !write_cell(out, &column.cells, row).map_err(|fault| (fault, column.view.field().name.as_str()))? {
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

/// Append the value; false: there is none.
#[inline]
fn write_cell(out: &mut Vec<u8>, cells: &Cells<'_>, row: usize) -> Result<bool, ValueFault> {
    match cells {
        Cells::Int64(values) => Ok(values.get(row).map(|value| write_integer(out, value)).is_some()),
        Cells::Text(values) => Ok(values.get(row).map(|value| write_string(out, value)).is_some()),
        Cells::Float64(values) => match values.get(row) {
            None => Ok(false),
            Some(value) if value.is_finite() => {
                write_float(out, value);
                Ok(true)
            }
            Some(_) => Err(NOT_A_NUMBER),
        },
        Cells::Boolean(values) => Ok(values.get(row).map(|value| write_boolean(out, value)).is_some()),
        Cells::Json(values) => {
            values.get(row).map_or(Ok(false), |value| write_json(out, value).map(|()| true))
        }
        _ => {
            let start = out.len();
            out.push(b'"');
            if write_quoted(out, cells, row)? {
                out.push(b'"');
                return Ok(true);
            }
            out.truncate(start);
            Ok(false)
        }
    }
}

/// Values that JSON has no type for, as text that needs no escapes.
fn write_quoted(out: &mut Vec<u8>, cells: &Cells<'_>, row: usize) -> Result<bool, ValueFault> {
    match cells {
        Cells::Decimal(values) => {
            Ok(values.get(row).map(|value| write_decimal(out, value, values.scale())).is_some())
        }
        Cells::Bytes(values) => Ok(values.get(row).map(|value| write_base64(out, value)).is_some()),
        Cells::Date(values) => values.get(row).map_or(Ok(false), |days| write_date(out, days).map(|()| true)),
        Cells::Time(values, zone) => {
            Ok(values.get(row).map(|micros| write_time(out, micros, *zone)).is_some())
        }
        Cells::Timestamp(values, zone) => {
            values.get(row).map_or(Ok(false), |micros| write_timestamp(out, micros, *zone).map(|()| true))
        }
        _ => Ok(false),
    }
}

/// A JSON value as it is, on one line: outside of strings line feeds are white space, within them they do not occur.
fn write_json(out: &mut Vec<u8>, value: &str) -> Result<(), ValueFault> {
    serde_json::from_str::<IgnoredAny>(value).map_err(|_| NOT_JSON)?;
    let start = out.len();
    out.extend_from_slice(value.trim().as_bytes());
    for byte in out.iter_mut().skip(start).filter(|byte| matches!(**byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    Ok(())
}

#[inline]
fn write_string(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    if text.as_bytes().iter().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing text to memory cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
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
            Err(fault) => rejected.push(Reject::new(index, NOT_JSON.code, fault.to_string())),
        }
    }
}
