//! ISO 8601 durations; months and years have the length that the calendar gives them.

use jiff::{Span, Timestamp, tz::TimeZone};

use super::Error;

/// A duration.
#[derive(Debug, Clone, Copy)]
pub struct Duration(Span);

impl Duration {
    /// Reads `P1M`, `PT1H`, `P1W`, `PT0.001S`.
    ///
    /// # Errors
    /// When the text is none, or is negative.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let span: Span = text
            .trim()
            .strip_prefix('P')
            .and_then(|_| text.trim().parse().ok())
            .ok_or_else(|| Error::Duration { text: text.to_owned() })?;
        Ok(Self(span))
    }

    /// The duration so many times.
    #[must_use]
    pub fn times(self, factor: i64) -> Self {
        Self(self.0.checked_mul(factor).unwrap_or_default())
    }

    /// The moment that is this much later.
    ///
    /// # Errors
    /// When it is out of the calendar.
    pub fn after(self, micros: i64) -> Result<i64, Error> {
        add(micros, self.0)
    }

    /// The moment that is this much earlier.
    ///
    /// # Errors
    /// When it is out of the calendar.
    pub fn before(self, micros: i64) -> Result<i64, Error> {
        add(micros, self.0.negate())
    }

    /// Whether it lasts no time at all.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

fn add(micros: i64, span: Span) -> Result<i64, Error> {
    let moment = Timestamp::from_microsecond(micros).map_err(|_| Error::Range)?.to_zoned(TimeZone::UTC);
    let moved = moment.checked_add(span).map_err(|_| Error::Range)?;
    Ok(moved.timestamp().as_microsecond())
}
