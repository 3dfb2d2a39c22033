//! Writes rows as CSV.

use cofferdam_sdk::{ColumnsView, Field, Reject, Result};

use crate::{
    config::Dialect,
    text::{
        Cells, ValueFault, write_base64, write_boolean, write_date, write_decimal, write_float,
        write_integer, write_time, write_timestamp,
    },
};

const NEEDS_QUOTES: ValueFault = ValueFault {
    code: "needs_quotes",
    what: "the value holds what only quotes could hold, and the dialect has none",
};

/// The first row.
pub(crate) fn write_header(out: &mut Vec<u8>, fields: &[Field], dialect: &Dialect) -> Result<(), ValueFault> {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(dialect.delimiter);
        }
        let start = out.len();
        out.extend_from_slice(field.name.as_bytes());
        quote_if_needed(out, start, dialect)?;
    }
    out.push(b'\n');
    Ok(())
}

/// Append the rows that are not refused already, and refuse those that the dialect cannot say.
pub(crate) fn write_columns(
    out: &mut Vec<u8>,
    view: &ColumnsView<'_>,
    dialect: &Dialect,
    is_refused: impl Fn(usize) -> bool,
    rejected: &mut Vec<Reject>,
) -> Result<()> {
    let columns = view.columns().iter().map(Cells::of).collect::<Result<Vec<_>>>()?;
    for row in (0..view.row_count()).filter(|row| !is_refused(*row)) {
        let start = out.len();
        if let Err((fault, place)) = write_row(out, &columns, row, dialect) {
            out.truncate(start);
            let field = view.columns().get(place).map_or("?", |column| column.field().name.as_str());
            rejected.push(fault.in_field(row, field));
        }
    }
    Ok(())
}

fn write_row(
    out: &mut Vec<u8>,
    columns: &[Cells<'_>],
    row: usize,
    dialect: &Dialect,
) -> Result<(), (ValueFault, usize)> {
    let row_start = out.len();
    for (place, cells) in columns.iter().enumerate() {
        if place > 0 {
            out.push(dialect.delimiter);
        }
        let start = out.len();
        let written = match write_cell(out, cells, row) {
            Ok(true) => quote_if_needed(out, start, dialect),
            Ok(false) => {
                out.extend_from_slice(dialect.nulls.first().map_or(b"", String::as_bytes));
                Ok(())
            }
            Err(fault) => Err(fault),
        };
        written.map_err(|fault| (fault, place))?;
    }
    // A line without anything would be no row for who reads it.
    if out.len() == row_start
        && let Some(quote) = dialect.quote
    {
        out.extend([quote, quote]);
    }
    out.push(b'\n');
    Ok(())
}

/// Append the value; false: there is none.
#[inline]
fn write_cell(out: &mut Vec<u8>, cells: &Cells<'_>, row: usize) -> Result<bool, ValueFault> {
    Ok(match cells {
        Cells::Boolean(values) => values.get(row).map(|value| write_boolean(out, value)).is_some(),
        Cells::Int64(values) => values.get(row).map(|value| write_integer(out, value)).is_some(),
        Cells::Float64(values) => values.get(row).map(|value| write_float(out, value)).is_some(),
        Cells::Decimal(values) => {
            values.get(row).map(|value| write_decimal(out, value, values.scale())).is_some()
        }
        Cells::Text(values) | Cells::Json(values) => {
            values.get(row).map(|value| out.extend_from_slice(value.as_bytes())).is_some()
        }
        Cells::Bytes(values) => values.get(row).map(|value| write_base64(out, value)).is_some(),
        Cells::Date(values) => values.get(row).map(|days| write_date(out, days)).transpose()?.is_some(),
        Cells::Time(values, zone) => values.get(row).map(|micros| write_time(out, micros, *zone)).is_some(),
        Cells::Timestamp(values, zone) => {
            values.get(row).map(|micros| write_timestamp(out, micros, *zone)).transpose()?.is_some()
        }
    })
}

/// Put what was appended into quotes, if it could be taken for something else without.
#[inline]
fn quote_if_needed(out: &mut Vec<u8>, start: usize, dialect: &Dialect) -> Result<(), ValueFault> {
    let value = out.get(start..).unwrap_or_default();
    let special = |byte: &u8| {
        *byte == dialect.delimiter
            || matches!(*byte, b'\n' | b'\r')
            || Some(*byte) == dialect.quote
            || Some(*byte) == dialect.escape
    };
    let first_is_comment = dialect.comment.is_some() && value.first().copied() == dialect.comment;
    if !(dialect.is_null(value) || first_is_comment || value.iter().any(special)) {
        return Ok(());
    }
    let Some(quote) = dialect.quote else {
        // Without quotes an empty text is what null is.
        return if value.is_empty() { Ok(()) } else { Err(NEEDS_QUOTES) };
    };
    let value = out.split_off(start);
    out.push(quote);
    for byte in value {
        if byte == quote || Some(byte) == dialect.escape {
            out.push(dialect.escape.unwrap_or(quote));
        }
        out.push(byte);
    }
    out.push(quote);
    Ok(())
}
