//! Checks of raw buffers: offsets, bitmaps, UTF-8, lines.

use super::{Limits, Violation};
use crate::model::{JsonLines, VarData};

/// A bitmap has exactly as many bytes as the rows need; what stands in the padding bits is not looked at.
pub(super) fn bitmap(bits: &[u8], rows: usize) -> Result<(), Violation> {
    let wanted = rows.div_ceil(8);
    if bits.len() == wanted {
        return Ok(());
    }
    Err(Violation::new(format!("a bitmap has {} bytes, {rows} rows need {wanted}", bits.len())))
}

/// A list of values has one entry (of `width` words) for each row.
pub(super) fn length(values: usize, rows: usize, width: usize) -> Result<(), Violation> {
    if rows.checked_mul(width) == Some(values) {
        return Ok(());
    }
    let unit = if width == 1 { "values" } else { "words" };
    Err(Violation::new(format!("{values} {unit} for {rows} rows")))
}

/// Offsets: n + 1, first 0, never falling, last the length of the data.
pub(super) fn offsets(var: &VarData, rows: usize) -> Result<(), Violation> {
    if rows.checked_add(1) != Some(var.offsets.len()) {
        return Err(Violation::new(format!(
            "{} offsets for {rows} rows, one more than rows is wanted",
            var.offsets.len()
        )));
    }
    let mut previous = 0;
    for (index, &offset) in var.offsets.iter().enumerate() {
        if offset < previous {
            return Err(Violation::new(format!("offset {index} is {offset} after {previous}")));
        }
        previous = offset;
    }
    if var.offsets.first() != Some(&0) {
        return Err(Violation::new("the first offset is not 0"));
    }
    if usize::try_from(previous) != Ok(var.data.len()) {
        return Err(Violation::new(format!(
            "the last offset is {previous}, the data has {} bytes",
            var.data.len()
        )));
    }
    Ok(())
}

/// Text: the data is UTF-8 as a whole and no value begins within a character, so each value is UTF-8.
pub(super) fn text(var: &VarData, rows: usize) -> Result<(), Violation> {
    offsets(var, rows)?;
    utf8(&var.data)?;
    for (row, &offset) in var.offsets.iter().enumerate() {
        let first = usize::try_from(offset).ok().and_then(|at| var.data.get(at));
        if first.is_some_and(|byte| is_continuation(*byte)) {
            return Err(Violation::new(format!("the value of row {row} begins within a character")));
        }
    }
    Ok(())
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

fn utf8(data: &[u8]) -> Result<(), Violation> {
    if simdutf8::basic::from_utf8(data).is_ok() {
        return Ok(());
    }
    // The fast check does not say where; this one is only run for the message.
    let place = simdutf8::compat::from_utf8(data).err().map_or(0, |error| error.valid_up_to());
    Err(Violation::new(format!("the data is not UTF-8 at byte {place}")))
}

/// Lines: as many line feeds as rows, the last byte is one, UTF-8, no line over the limit of a row.
pub(super) fn json_lines(lines: &JsonLines, limits: &Limits) -> Result<(), Violation> {
    let mut count: u64 = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', &lines.data) {
        let length = end - start;
        if length > limits.row_bytes_max {
            let allowed = limits.row_bytes_max;
            return Err(Violation::new(format!("line {count} has {length} bytes, allowed are {allowed}")));
        }
        start = end + 1;
        count += 1;
    }
    if start != lines.data.len() {
        return Err(Violation::new("the last line does not end with a line feed"));
    }
    if count != u64::from(lines.row_count) {
        return Err(Violation::new(format!("{count} lines for {} rows", lines.row_count)));
    }
    utf8(&lines.data)
}
