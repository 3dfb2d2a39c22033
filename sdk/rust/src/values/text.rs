//! How decimals, dates and times are written (ISO 8601), and how dates and times are read.

use std::fmt;

use crate::Zone;

pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

pub(crate) struct Decimal {
    pub(crate) unscaled: i128,
    pub(crate) scale: u8,
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", self.unscaled.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let point = if scale == 0 { "" } else { "." };
        write!(formatter, "{sign}{whole}{point}{fraction}")
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, also before it was made.
pub(crate) struct Date(pub(crate) i64);

impl Date {
    /// Whether text in JSON may name it: RFC 3339 knows the years 0000 to 9999 only.
    pub(crate) fn has_four_digit_year(&self) -> bool {
        (0..=9999).contains(&date_of(self.0).0)
    }

    pub(crate) fn write(&self, out: &mut String) {
        let (year, month, day) = date_of(self.0);
        if (0..=9999).contains(&year) {
            write_digits(out, year, 4);
        } else {
            out.push(if year < 0 { '-' } else { '+' });
            write_digits(out, year.abs(), 6);
        }
        out.push('-');
        write_digits(out, month, 2);
        out.push('-');
        write_digits(out, day, 2);
    }
}

/// Microseconds since midnight.
pub(crate) struct Time(pub(crate) i64, pub(crate) Zone);

impl Time {
    pub(crate) fn write(&self, out: &mut String) {
        let seconds = self.0 / 1_000_000;
        write_digits(out, seconds / 3600, 2);
        out.push(':');
        write_digits(out, seconds / 60 % 60, 2);
        out.push(':');
        write_digits(out, seconds % 60, 2);
        let micros = self.0 % 1_000_000;
        if micros != 0 {
            out.push('.');
            write_digits(out, micros, 6);
            out.truncate(out.trim_end_matches('0').len());
        }
        if self.1 == Zone::Utc {
            out.push('Z');
        }
    }
}

/// Microseconds since 1970-01-01T00:00:00.
pub(crate) struct Timestamp(pub(crate) i64, pub(crate) Zone);

impl Timestamp {
    pub(crate) fn date(&self) -> Date {
        Date(self.0.div_euclid(DAY_MICROS))
    }

    pub(crate) fn write(&self, out: &mut String) {
        self.date().write(out);
        out.push('T');
        Time(self.0.rem_euclid(DAY_MICROS), self.1).write(out);
    }
}

/// What a writer writes.
pub(crate) fn written(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::with_capacity(32);
    write(&mut text);
    text
}

/// At least `width` digits. By hand: millions of dates are written, and the formatting machinery takes several times
/// as long.
fn write_digits(out: &mut String, value: i64, width: u32) {
    let width = width.max(value.checked_ilog10().map_or(1, |log| log + 1));
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}

/// Year, month and day. Years begin in March here, so that the leap day is the last of its year: then a month's
/// first day within the year is a linear function, (153 m + 2) / 5. 719,468 days lie between 0000-03-01 and 1970.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The inverse of [`date_of`].
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// `YYYY-MM-DD` (a sign and more digits for other years) as days since 1970-01-01.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches(['+', '-']);
    let (year, rest) = digits.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let signed = text.len() - digits.len();
    if signed > 1 || !(4..=6).contains(&year.len()) || (signed == 0 && year.len() != 4) {
        return None;
    }
    let year = number(year)? * if text.starts_with('-') { -1 } else { 1 };
    let (month, day) = (two_digits(month)?, two_digits(day)?);
    if !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    // A day that the month does not have comes back as one of the next month.
    let days = days_of(year, month, day);
    (date_of(days) == (year, month, day)).then_some(days)
}

/// `HH:MM[:SS[.fraction]]` as microseconds since midnight. Digits finer than microseconds are refused unless they
/// are zeros; a leap second is refused, for no count of microseconds can hold it.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, "0"),
    };
    let mut parts = clock.split(':');
    let (hours, minutes) = (two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    let seconds = match parts.next() {
        Some(seconds) => two_digits(seconds)?,
        None if clock.len() == text.len() => 0,
        None => return None,
    };
    let fraction = if fraction.len() > 6 { fraction.trim_end_matches('0') } else { fraction };
    if hours > 23 || minutes > 59 || seconds > 59 || parts.next().is_some() || fraction.len() > 6 {
        return None;
    }
    let exponent = u32::try_from(6 - fraction.len()).ok()?;
    let micros = number_or_zero(fraction)? * 10_i64.pow(exponent);
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
}

/// Date and time joined by `T` or a blank as microseconds since 1970.
pub(crate) fn parse_date_time(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    parse_date(date)?.checked_mul(DAY_MICROS)?.checked_add(parse_time(time)?)
}

/// What stands before `Z` or an offset such as `+02:00`, and the offset in microseconds.
pub(crate) fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        return Some((rest, 0));
    }
    let (rest, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, clock) = match offset.strip_prefix('+') {
        Some(clock) => (1, clock),
        None => (-1, offset.strip_prefix('-')?),
    };
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some((rest, sign * (hours * 60 + minutes) * 60_000_000))
}

fn two_digits(text: &str) -> Option<i64> {
    if text.len() == 2 { number(text) } else { None }
}

fn number_or_zero(text: &str) -> Option<i64> {
    if text.is_empty() { Some(0) } else { number(text) }
}

fn number(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
