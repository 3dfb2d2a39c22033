//! One column of made-up values: as a column for a range of rows, or cell by cell for JSON lines.

use std::fmt::Write as _;

use cofferdam_sdk::{Cell, ColumnBuilder, DataType, Field, Zone};

use crate::{
    pool::Pool,
    random::{Draws, again, below, pick},
    words::{FIRST_NAMES, LAST_NAMES},
};

/// 2020-01-01T00:00:00 in microseconds since 1970.
const START_MICROS: i64 = 1_577_836_800_000_000;
const SECOND_MICROS: i64 = 1_000_000;
const DAY_SECONDS: u32 = 24 * 60 * 60;

/// What values a column has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// The number of the row, from 1.
    Number,
    /// An integer below the span.
    Integer(u32),
    /// An amount below the span's hundredth, with two digits after the point.
    Amount(u32),
    /// A float below 1.
    Fraction,
    /// True or false.
    Boolean,
    /// A decimal number of precision 12 and scale 2.
    Decimal,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An address that no one has.
    Email,
    /// So many words.
    Sentence(u32),
    /// Eight bytes.
    Bytes,
    /// A JSON object.
    Object,
    /// A day of the sixty years after 1950.
    Day,
    /// A second of a day.
    TimeOfDay(Zone),
    /// A second after that of the row before, and some milliseconds.
    Moment(Zone),
}

impl Kind {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Number | Self::Integer(_) => DataType::Int64,
            Self::Amount(_) | Self::Fraction => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Decimal => DataType::decimal(12, 2),
            Self::Choice(_) | Self::Email | Self::Sentence(_) => DataType::Text,
            Self::Bytes => DataType::Bytes,
            Self::Object => DataType::Json,
            Self::Day => DataType::Date,
            Self::TimeOfDay(zone) => DataType::Time(zone),
            Self::Moment(zone) => DataType::Timestamp(zone),
        }
    }

    /// Bytes of a value as JSON, at most: each other layout is smaller.
    fn bytes_max(self) -> usize {
        match self {
            Self::Boolean => 5,
            Self::Choice(choices) => {
                // An escape takes two bytes for one.
                choices.iter().map(|choice| choice.len() * 2).max().unwrap_or(0) + 2
            }
            Self::Sentence(words) => words as usize * 8 + 2,
            Self::Email => 48,
            Self::Object => 64,
            _ => 32,
        }
    }
}

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    kind: Kind,
    draws: Draws,
    /// A value whose second draw is below it is null; none: no value is.
    null_below: Option<u64>,
    /// Of what texts consist, for the kinds that are put together.
    pool: Option<Pool>,
    /// What stands before the value in a JSON object, without the comma.
    json_key: String,
}

/// Room for a text or for bytes while a cell is looked at.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    text: String,
    bytes: [u8; 8],
}

impl Column {
    pub(crate) fn new(kind: Kind, field: &Field, draws: Draws, null_rate: f64) -> Self {
        // From a float the conversion saturates: a rate of 1 is the largest number.
        let null_below = field.nullable.then_some((null_rate * 2_f64.powi(64)) as u64);
        let pool = match kind {
            Kind::Sentence(_) => Some(Pool::of_words(draws)),
            Kind::Object => Some(Pool::of_objects(draws)),
            _ => None,
        };
        Self { kind, draws, null_below, pool, json_key: format!("\"{}\":", field.name) }
    }

    pub(crate) fn json_key(&self) -> &str {
        &self.json_key
    }

    /// Bytes of a value with its key as JSON, at most.
    pub(crate) fn bytes_max(&self) -> usize {
        self.json_key.len() + 1 + self.kind.bytes_max()
    }

    /// Append the values of these rows.
    pub(crate) fn fill(&self, column: &mut ColumnBuilder, rows: impl Iterator<Item = u64>) {
        let mut scratch = Scratch::default();
        match self.kind {
            Kind::Number => self.each(column, rows, |column, row, _| column.push_i64(number(row))),
            Kind::Integer(span) => {
                self.each(column, rows, |column, _, draw| column.push_i64(integer(draw, span)))
            }
            Kind::Amount(span) => {
                self.each(column, rows, |column, _, draw| column.push_f64(amount(draw, span)))
            }
            Kind::Fraction => self.each(column, rows, |column, _, draw| column.push_f64(fraction(draw))),
            Kind::Boolean => self.each(column, rows, |column, _, draw| column.push_bool(draw & 1 == 1)),
            Kind::Decimal => self.each(column, rows, |column, _, draw| column.push_decimal(decimal(draw))),
            Kind::Choice(choices) => {
                self.each(column, rows, |column, _, draw| column.push_str(pick(draw, choices)))
            }
            Kind::Email => {
                self.each(column, rows, |column, _, draw| column.push_str(email(draw, &mut scratch.text)))
            }
            Kind::Sentence(words) => {
                self.each(column, rows, |column, _, draw| column.push_str(self.piece(draw, words)));
            }
            Kind::Object => self.each(column, rows, |column, _, draw| column.push_json(self.piece(draw, 1))),
            Kind::Bytes => self.each(column, rows, |column, _, draw| column.push_bytes(&draw.to_le_bytes())),
            Kind::Day => self.each(column, rows, |column, _, draw| column.push_date(day(draw))),
            Kind::TimeOfDay(_) => {
                self.each(column, rows, |column, _, draw| column.push_time(time_of_day(draw)))
            }
            Kind::Moment(_) => {
                self.each(column, rows, |column, row, draw| column.push_timestamp(moment(row, draw)))
            }
        }
    }

    #[inline]
    fn each(
        &self,
        column: &mut ColumnBuilder,
        rows: impl Iterator<Item = u64>,
        mut push: impl FnMut(&mut ColumnBuilder, u64, u64),
    ) {
        for row in rows {
            let draw = self.draws.at(row);
            if self.is_null(draw) { column.push_null() } else { push(column, row, draw) }
        }
    }

    /// The value of one row.
    pub(crate) fn cell<'s>(&'s self, row: u64, scratch: &'s mut Scratch) -> Cell<'s> {
        let draw = self.draws.at(row);
        if self.is_null(draw) {
            return Cell::Null;
        }
        match self.kind {
            Kind::Number => Cell::Int64(number(row)),
            Kind::Integer(span) => Cell::Int64(integer(draw, span)),
            Kind::Amount(span) => Cell::Float64(amount(draw, span)),
            Kind::Fraction => Cell::Float64(fraction(draw)),
            Kind::Boolean => Cell::Boolean(draw & 1 == 1),
            Kind::Decimal => Cell::Decimal { unscaled: decimal(draw), scale: 2 },
            Kind::Choice(choices) => Cell::Text(pick(draw, choices)),
            Kind::Email => Cell::Text(email(draw, &mut scratch.text)),
            Kind::Sentence(words) => Cell::Text(self.piece(draw, words)),
            Kind::Object => Cell::Json(self.piece(draw, 1)),
            Kind::Bytes => {
                scratch.bytes = draw.to_le_bytes();
                Cell::Bytes(&scratch.bytes)
            }
            Kind::Day => Cell::Date(day(draw)),
            Kind::TimeOfDay(zone) => Cell::Time(time_of_day(draw), zone),
            Kind::Moment(zone) => Cell::Timestamp(moment(row, draw), zone),
        }
    }

    #[inline]
    fn is_null(&self, draw: u64) -> bool {
        self.null_below.is_some_and(|limit| again(draw) <= limit)
    }

    /// A piece of the pool.
    #[inline]
    fn piece(&self, draw: u64, count: u32) -> &str {
        self.pool.as_ref().map_or("", |pool| pool.piece(below(draw, pool.count() + 1 - count), count))
    }
}

fn number(row: u64) -> i64 {
    row as i64 + 1
}

#[inline]
fn integer(draw: u64, span: u32) -> i64 {
    below(draw, span).into()
}

#[inline]
fn amount(draw: u64, span: u32) -> f64 {
    f64::from(below(draw, span)) / 100.0
}

/// The 53 bits that a float holds exactly.
#[inline]
fn fraction(draw: u64) -> f64 {
    (draw >> 11) as f64 / 2_f64.powi(53)
}

#[inline]
fn decimal(draw: u64) -> i128 {
    i128::from(below(draw, 2_000_000_000)) - 1_000_000_000
}

#[inline]
fn day(draw: u64) -> i32 {
    below(draw, 60 * 365) as i32 - 20 * 365
}

#[inline]
fn time_of_day(draw: u64) -> i64 {
    i64::from(below(draw, DAY_SECONDS)) * SECOND_MICROS
}

#[inline]
fn moment(row: u64, draw: u64) -> i64 {
    START_MICROS + row as i64 * SECOND_MICROS + i64::from(below(draw, 1000)) * 1000
}

fn email(draw: u64, text: &mut String) -> &str {
    text.clear();
    let names = [pick(draw, &FIRST_NAMES), pick(draw.rotate_left(32), &LAST_NAMES)];
    for letter in names.into_iter().flat_map(str::chars).filter(char::is_ascii_alphabetic) {
        text.push(letter.to_ascii_lowercase());
    }
    // Writing into a string cannot fail.
    let _ = write!(text, "{}@example.com", below(again(draw), 10_000));
    text
}
