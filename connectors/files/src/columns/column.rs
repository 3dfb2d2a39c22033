//! One column being filled.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cofferdam_sdk::{ColumnData, Date, LocalTime, LocalTimestamp, Time, Timestamp, VarData, Zone};

use super::{
    bits::{Bits, cut, get_bit, push_bit},
    parse::{parse_boolean, parse_decimal, parse_float, parse_integer},
};
use crate::kind::Kind;

/// One column being filled.
#[derive(Debug)]
pub(crate) struct Column {
    kind: Kind,
    data: ColumnData,
    rows: usize,
    validity: Bits,
    presence: Bits,
}

impl Column {
    pub(crate) fn new(kind: Kind) -> Self {
        let variable = || VarData { offsets: vec![0], data: Vec::new() };
        let data = match kind {
            Kind::Boolean => ColumnData::Boolean(Vec::new()),
            Kind::Int64 => ColumnData::Int64(Vec::new()),
            Kind::Float64 => ColumnData::Float64(Vec::new()),
            Kind::Decimal { .. } => ColumnData::Decimal(Vec::new()),
            Kind::Text => ColumnData::Text(variable()),
            Kind::Bytes => ColumnData::Bytes(variable()),
            Kind::Json => ColumnData::Json(variable()),
            Kind::Date => ColumnData::Date(Vec::new()),
            Kind::Time(_) => ColumnData::Time(Vec::new()),
            Kind::Timestamp(_) => ColumnData::Timestamp(Vec::new()),
        };
        Self { kind, data, rows: 0, validity: Bits::default(), presence: Bits::default() }
    }

    pub(crate) fn row_count(&self) -> usize {
        self.rows
    }

    /// The values, for readers that append them as a whole; [`end_rows`](Self::end_rows) must follow.
    pub(crate) fn data_mut(&mut self) -> &mut ColumnData {
        &mut self.data
    }

    /// The row whose value was appended through [`data_mut`](Self::data_mut) is whole.
    #[inline]
    pub(crate) fn end_row(&mut self) {
        self.rows += 1;
        self.validity.push(true);
        self.presence.push(true);
    }

    pub(crate) fn push_null(&mut self) {
        self.push_filler();
        self.validity.push(false);
        self.presence.push(true);
    }

    /// Not part of the row.
    pub(crate) fn push_absent(&mut self) {
        self.push_filler();
        self.validity.push(true);
        self.presence.push(false);
    }

    fn push_filler(&mut self) {
        match &mut self.data {
            ColumnData::Boolean(bytes) => push_bit(bytes, self.rows, false),
            ColumnData::Int64(values) | ColumnData::Time(values) | ColumnData::Timestamp(values) => {
                values.push(0)
            }
            ColumnData::Float64(values) => values.push(0.0),
            ColumnData::Decimal(words) => words.extend([0, 0]),
            ColumnData::Text(values) | ColumnData::Bytes(values) | ColumnData::Json(values) => {
                values.offsets.push(values.offsets.last().copied().unwrap_or_default());
            }
            ColumnData::Date(values) => values.push(0),
            ColumnData::List(_) | ColumnData::Struct(_) => {}
        }
        self.rows += 1;
    }

    /// Append a value that is written as text; the text must be UTF-8. Whether it is a value of this column's type.
    #[inline]
    pub(crate) fn push_text(&mut self, text: &[u8]) -> bool {
        match &mut self.data {
            ColumnData::Text(values) => push_variable(values, text),
            ColumnData::Int64(values) => match parse_integer(text) {
                Some(value) => values.push(value),
                None => return false,
            },
            ColumnData::Float64(values) => match parse_float(text) {
                Some(value) => values.push(value),
                None => return false,
            },
            _ => {
                if self.push_other_text(text).is_none() {
                    return false;
                }
            }
        }
        self.end_row();
        true
    }

    fn push_other_text(&mut self, text: &[u8]) -> Option<()> {
        let words = || std::str::from_utf8(text).ok();
        match &mut self.data {
            ColumnData::Boolean(bytes) => push_bit(bytes, self.rows, parse_boolean(text)?),
            ColumnData::Decimal(values) => {
                let Kind::Decimal { precision, scale } = self.kind else { return None };
                push_decimal(values, parse_decimal(text, precision, scale)?);
            }
            ColumnData::Bytes(values) => push_variable(values, &STANDARD.decode(text).ok()?),
            ColumnData::Json(values) => {
                serde_json::from_slice::<serde::de::IgnoredAny>(text).ok()?;
                push_variable(values, text);
            }
            ColumnData::Date(values) => values.push(words()?.parse::<Date>().ok()?.0),
            ColumnData::Time(values) => values.push(match self.kind {
                Kind::Time(Zone::Utc) => words()?.parse::<Time>().ok()?.0,
                _ => words()?.parse::<LocalTime>().ok()?.0,
            }),
            ColumnData::Timestamp(values) => values.push(match self.kind {
                Kind::Timestamp(Zone::Utc) => words()?.parse::<Timestamp>().ok()?.0,
                _ => words()?.parse::<LocalTimestamp>().ok()?.0,
            }),
            _ => return None,
        }
        Some(())
    }

    /// Append a value that is one JSON token (not `null`). Whether it is a value of this column's type.
    pub(crate) fn push_json(&mut self, token: &str) -> bool {
        let bytes = token.as_bytes();
        match (self.kind, bytes.first()) {
            (Kind::Json, _) => {
                if let ColumnData::Json(values) = &mut self.data {
                    push_variable(values, bytes);
                }
                self.end_row();
                true
            }
            (Kind::Boolean, Some(b't' | b'f')) => self.push_text(bytes),
            (Kind::Int64 | Kind::Float64 | Kind::Decimal { .. }, Some(b'-' | b'0'..=b'9')) => {
                self.push_text(bytes)
            }
            (Kind::Boolean | Kind::Int64 | Kind::Float64, _) => false,
            (_, Some(b'"')) => match token.get(1..token.len() - 1) {
                Some(inside) if !inside.contains('\\') => self.push_text(inside.as_bytes()),
                _ => serde_json::from_str::<String>(token).is_ok_and(|text| self.push_text(text.as_bytes())),
            },
            _ => false,
        }
    }

    /// Append some of the values of another column of the same type.
    pub(crate) fn append(&mut self, other: &Self, rows: Range<usize>) {
        match (&mut self.data, &other.data) {
            (ColumnData::Boolean(into), ColumnData::Boolean(from)) => {
                for (place, row) in (self.rows..).zip(rows.clone()) {
                    push_bit(into, place, get_bit(from, row));
                }
            }
            (ColumnData::Int64(into), ColumnData::Int64(from))
            | (ColumnData::Time(into), ColumnData::Time(from))
            | (ColumnData::Timestamp(into), ColumnData::Timestamp(from)) => copy(into, from, rows.clone(), 1),
            (ColumnData::Float64(into), ColumnData::Float64(from)) => copy(into, from, rows.clone(), 1),
            (ColumnData::Decimal(into), ColumnData::Decimal(from)) => copy(into, from, rows.clone(), 2),
            (ColumnData::Date(into), ColumnData::Date(from)) => copy(into, from, rows.clone(), 1),
            (ColumnData::Text(into), ColumnData::Text(from))
            | (ColumnData::Bytes(into), ColumnData::Bytes(from))
            | (ColumnData::Json(into), ColumnData::Json(from)) => copy_variable(into, from, rows.clone()),
            _ => return,
        }
        self.validity.append(&other.validity, rows.clone());
        self.presence.append(&other.presence, rows.clone());
        self.rows += rows.len();
    }

    /// Bytes of the text of some rows, if it is text.
    pub(crate) fn text_bytes(&self, rows: Range<usize>) -> usize {
        match &self.data {
            ColumnData::Text(values) | ColumnData::Bytes(values) | ColumnData::Json(values) => {
                range_of(values, rows).len()
            }
            _ => 0,
        }
    }

    /// Keep only the first rows.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match &mut self.data {
            ColumnData::Boolean(bytes) => cut(bytes, rows),
            ColumnData::Int64(values) | ColumnData::Time(values) | ColumnData::Timestamp(values) => {
                values.truncate(rows);
            }
            ColumnData::Float64(values) => values.truncate(rows),
            ColumnData::Decimal(words) => words.truncate(rows * 2),
            ColumnData::Text(values) | ColumnData::Bytes(values) | ColumnData::Json(values) => {
                values.offsets.truncate(rows + 1);
                let end = values.offsets.last().copied().unwrap_or_default();
                values.data.truncate(usize::try_from(end).unwrap_or_default());
            }
            ColumnData::Date(values) => values.truncate(rows),
            ColumnData::List(_) | ColumnData::Struct(_) => {}
        }
        self.rows = self.rows.min(rows);
        self.validity.truncate(rows);
        self.presence.truncate(rows);
    }

    pub(crate) fn finish(self) -> cofferdam_sdk::Column {
        cofferdam_sdk::Column {
            validity: self.validity.finish(),
            presence: self.presence.finish(),
            data: self.data,
        }
    }
}

fn copy<T: Copy>(into: &mut Vec<T>, from: &[T], rows: Range<usize>, width: usize) {
    into.extend_from_slice(from.get(rows.start * width..rows.end * width).unwrap_or_default());
}

fn copy_variable(into: &mut VarData, from: &VarData, rows: Range<usize>) {
    let bytes = range_of(from, rows.clone());
    let shift =
        i64::try_from(into.data.len()).unwrap_or(i64::MAX) - i64::try_from(bytes.start).unwrap_or(i64::MAX);
    into.data.extend_from_slice(from.data.get(bytes).unwrap_or_default());
    let ends = from.offsets.get(rows.start + 1..rows.end + 1).unwrap_or_default();
    into.offsets.extend(ends.iter().map(|end| i32::try_from(i64::from(*end) + shift).unwrap_or(i32::MAX)));
}

fn range_of(values: &VarData, rows: Range<usize>) -> Range<usize> {
    let offset =
        |row: usize| values.offsets.get(row).and_then(|end| usize::try_from(*end).ok()).unwrap_or_default();
    offset(rows.start)..offset(rows.end)
}

/// Batches end long before 2 GiB, so the offset always fits.
#[inline]
pub(crate) fn push_variable(values: &mut VarData, bytes: &[u8]) {
    values.data.extend_from_slice(bytes);
    values.offsets.push(i32::try_from(values.data.len()).unwrap_or(i32::MAX));
}

/// Two's complement, the low word first.
pub(crate) fn push_decimal(words: &mut Vec<u64>, unscaled: i128) {
    words.extend([unscaled as u64, (unscaled >> 64) as u64]);
}
