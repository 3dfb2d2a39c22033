//! Values as JSON.

use serde::de::IgnoredAny;

use super::{
    cells::Cells,
    values::{
        ValueFault, write_base64, write_boolean, write_date, write_decimal, write_float, write_integer,
        write_time, write_timestamp,
    },
};

const NOT_A_NUMBER: ValueFault =
    ValueFault { code: "not_a_json_number", what: "JSON has no NaN and no infinities" };
const NOT_JSON: ValueFault = ValueFault { code: "not_json", what: "the value is no JSON" };

/// Append the value; false: there is none.
#[inline]
pub(crate) fn write_cell(out: &mut Vec<u8>, cells: &Cells<'_>, row: usize) -> Result<bool, ValueFault> {
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
    if !is_json(value) {
        return Err(NOT_JSON);
    }
    let start = out.len();
    out.extend_from_slice(value.trim().as_bytes());
    for byte in out.iter_mut().skip(start).filter(|byte| matches!(**byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    Ok(())
}

#[inline]
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing text to memory cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// Whether none of these bytes needs an escape in a JSON string. Eight at a time: a byte is found by the borrow that a
/// subtraction takes from it.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // The high bit is set in some byte if there is a zero in the word; never if there is none.
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    let found = words.iter().fold(0, |found, word| {
        let word = u64::from_ne_bytes(*word);
        let below_space = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        found
            | below_space
            | has_zero(word ^ (ONES * u64::from(b'"')))
            | has_zero(word ^ (ONES * u64::from(b'\\')))
    });
    found == 0 && rest.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\')
}

/// Whether the text is one JSON value.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{is_plain, write_string};

    #[test]
    fn what_needs_an_escape_is_found_at_every_place() {
        for length in 0..40 {
            let text = "é~ x".repeat(10)[..].chars().take(length).collect::<String>();
            assert!(is_plain(text.as_bytes()), "{text}");
            for place in 0..text.len() {
                for byte in ["\"", "\\", "\n", "\0", "\u{1f}"] {
                    let mut bytes = text.clone().into_bytes();
                    bytes[place] = byte.as_bytes()[0];
                    assert!(!is_plain(&bytes), "{text:?} {place} {byte:?}");
                }
            }
        }
    }

    #[test]
    fn strings_come_back_as_they_were() {
        for text in ["", "plain", "with \"quotes\" and \\", "line\nfeed", "\u{0}\u{1f}\u{7f}", "größe 😀"]
        {
            let mut out = Vec::new();
            write_string(&mut out, text);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
