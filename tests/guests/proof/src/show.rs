//! Rows as text in which every bit of every value can be seen.

use std::fmt::Write as _;

use cofferdam_sdk::{Cell, Incoming, Result, Rows};

/// One line of text for each row.
pub(crate) fn rows(incoming: &Incoming<'_>) -> Result<Vec<String>> {
    if let Rows::JsonLines(lines) = &incoming.batch.rows {
        return Ok(lines.lines().map(|line| format!("{:?}", String::from_utf8_lossy(line))).collect());
    }
    let view = incoming.columns()?;
    let row = |row| {
        let mut text = String::new();
        for (name, cell) in view.row(row).cells() {
            let separator = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{separator}{name}={}", value(cell));
        }
        text
    };
    Ok((0..view.row_count()).map(row).collect())
}

fn value(cell: Cell<'_>) -> String {
    match cell {
        Cell::Float64(value) => format!("Float64({:016x})", value.to_bits()),
        Cell::Bytes(bytes) => format!("Bytes({bytes:02x?})"),
        other => format!("{other:?}"),
    }
}
