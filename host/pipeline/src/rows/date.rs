//! Dates and times as text, in the proleptic Gregorian calendar, years 0000 to 9999 (RFC 3339 knows no others).

use super::{RowFault, codes};
use crate::model::Zone;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Writes `2026-07-01`; false, with nothing written, where the year has no four digits.
pub(super) fn write_date(out: &mut Vec<u8>, days: i64) -> bool {
    let Some((year, month, day)) = civil(days) else { return false };
    digits(out, year, 4);
    out.push(b'-');
    digits(out, month, 2);
    out.push(b'-');
    digits(out, day, 2);
    true
}

/// Writes `13:05:00.25`, with `Z` for utc; false where it is no time of a day.
pub(super) fn write_time(out: &mut Vec<u8>, micros: i64, zone: Zone) -> bool {
    if !(0..DAY).contains(&micros) {
        return false;
    }
    let seconds = micros / SECOND;
    digits(out, seconds / 3600, 2);
    out.push(b':');
    digits(out, seconds / 60 % 60, 2);
    out.push(b':');
    digits(out, seconds % 60, 2);
    let mut fraction = micros % SECOND;
    if fraction > 0 {
        let mut width = 6;
        while fraction % 10 == 0 {
            fraction /= 10;
            width -= 1;
        }
        out.push(b'.');
        digits(out, fraction, width);
    }
    if zone == Zone::Utc {
        out.push(b'Z');
    }
    true
}

/// Writes `2026-07-01T13:05:00Z`, without `Z` for local; false where the year has no four digits.
pub(super) fn write_timestamp(out: &mut Vec<u8>, micros: i64, zone: Zone) -> bool {
    if !write_date(out, micros.div_euclid(DAY)) {
        return false;
    }
    out.push(b'T');
    write_time(out, micros.rem_euclid(DAY), zone)
}

fn digits(out: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

/// Reads `2026-07-01` as days since 1970-01-01.
pub(super) fn parse_date(text: &str) -> Result<i32, RowFault> {
    let mut rest = text.as_bytes();
    let days =
        date(&mut rest).filter(|_| rest.is_empty()).ok_or_else(|| wrong("a date such as `2026-07-01`"))?;
    i32::try_from(days).map_err(|_| wrong("a date"))
}

/// Reads `13:05:00.25` as microseconds since midnight; utc needs a `Z`, local must have none.
pub(super) fn parse_time(text: &str, zone: Zone) -> Result<i64, RowFault> {
    let mut rest = text.as_bytes();
    let micros = time(&mut rest)?;
    match (zone, rest) {
        (Zone::Utc, b"Z" | b"z") | (Zone::Local, b"") => Ok(micros),
        (Zone::Utc, _) => Err(wrong("a time such as `13:05:00Z`")),
        (Zone::Local, _) => Err(wrong("a time such as `13:05:00`, without zone")),
    }
}

/// Reads RFC 3339 as microseconds since 1970; utc needs `Z` or an offset, local must have none.
pub(super) fn parse_timestamp(text: &str, zone: Zone) -> Result<i64, RowFault> {
    let mut rest = text.as_bytes();
    let form = || wrong("a time such as `2026-07-01T13:05:00Z`");
    let days = date(&mut rest).ok_or_else(form)?;
    if !matches!(rest.split_off_first(), Some(b'T' | b't' | b' ')) {
        return Err(form());
    }
    let local = days * DAY + time(&mut rest)?;
    match (zone, rest) {
        (Zone::Local, b"") | (Zone::Utc, b"Z" | b"z") => Ok(local),
        (Zone::Local, _) => Err(wrong("a time without zone")),
        (Zone::Utc, _) => offset(rest).map(|offset| local - offset).ok_or_else(form),
    }
}

/// `+02:00` in microseconds.
fn offset(mut rest: &[u8]) -> Option<i64> {
    let sign = match rest.split_off_first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(&mut rest, 2)?;
    expect(&mut rest, b':')?;
    let minutes = number(&mut rest, 2)?;
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60 * SECOND)
}

fn date(rest: &mut &[u8]) -> Option<i64> {
    let year = number(rest, 4)?;
    expect(rest, b'-')?;
    let month = number(rest, 2)?;
    expect(rest, b'-')?;
    let day = number(rest, 2)?;
    let days = days_of(year, month, day);
    (civil(days) == Some((year, month, day))).then_some(days)
}

fn time(rest: &mut &[u8]) -> Result<i64, RowFault> {
    let (hours, minutes, seconds) = clock(rest).ok_or_else(|| wrong("a time such as `13:05:00`"))?;
    if hours > 23 || minutes > 59 || seconds > 59 {
        return Err(RowFault::new(codes::OUT_OF_RANGE, "no time of a day"));
    }
    Ok(((hours * 60 + minutes) * 60 + seconds) * SECOND + fraction(rest)?)
}

fn clock(rest: &mut &[u8]) -> Option<(i64, i64, i64)> {
    let hours = number(rest, 2)?;
    expect(rest, b':')?;
    let minutes = number(rest, 2)?;
    expect(rest, b':')?;
    Some((hours, minutes, number(rest, 2)?))
}

fn fraction(rest: &mut &[u8]) -> Result<i64, RowFault> {
    if rest.first() != Some(&b'.') {
        return Ok(0);
    }
    let _point = rest.split_off_first();
    let mut micros = 0;
    let mut unit = SECOND;
    let mut count = 0;
    while let Some(digit) = rest.first().filter(|byte| byte.is_ascii_digit()) {
        let digit = i64::from(digit - b'0');
        unit /= 10;
        if unit == 0 && digit != 0 {
            return Err(RowFault::new(codes::PRECISION_LOSS, "finer than a microsecond"));
        }
        micros += digit * unit;
        count += 1;
        let _digit = rest.split_off_first();
    }
    if count == 0 { Err(wrong("a fraction of a second")) } else { Ok(micros) }
}

fn number(rest: &mut &[u8], width: usize) -> Option<i64> {
    let taken = rest.split_off(..width)?;
    taken.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

fn expect(rest: &mut &[u8], wanted: u8) -> Option<()> {
    (*rest.split_off_first()? == wanted).then_some(())
}

fn wrong(wanted: &str) -> RowFault {
    RowFault::new(codes::WRONG_TYPE, format!("not {wanted}"))
}

/// Days of 400 years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01. Years are counted from March, so that the leap day is the last of its year.
const EPOCH_DAYS: i64 = 719_468;

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_DAYS
}

/// Year, month, day; none outside of the years 0 to 9999.
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    let shifted = days.checked_add(EPOCH_DAYS)?;
    let era = shifted.div_euclid(ERA_DAYS);
    let day_of_era = shifted.rem_euclid(ERA_DAYS);
    // Take out the leap days: one in 4 years, none in 100, one in 400.
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::{civil, days_of, parse_date, parse_time, parse_timestamp, write_timestamp};
    use crate::model::Zone;

    fn text(micros: i64, zone: Zone) -> String {
        let mut out = Vec::new();
        assert!(write_timestamp(&mut out, micros, zone));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(days_of(1970, 1, 1), 0);
        assert_eq!(days_of(2000, 2, 29), 11_016);
        assert_eq!(civil(-719_528), Some((0, 1, 1)));
        assert_eq!(civil(-719_529), None);
        assert_eq!(civil(days_of(9999, 12, 31) + 1), None);
    }

    #[test]
    fn each_day_of_ten_thousand_years_reads_back() {
        let mut expected = -719_528;
        while let Some((year, month, day)) = civil(expected) {
            assert_eq!(days_of(year, month, day), expected);
            expected += 1;
        }
        assert_eq!(expected, days_of(9999, 12, 31) + 1);
    }

    #[test]
    fn days_that_are_not_in_the_calendar_are_refused() {
        for text in
            ["2023-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-01", "2026-01-01x"]
        {
            assert!(parse_date(text).is_err(), "{text}");
        }
        assert!(parse_date("2000-02-29").is_ok());
    }

    #[test]
    fn times_are_written_without_needless_zeros_and_read_back() {
        assert_eq!(text(0, Zone::Utc), "1970-01-01T00:00:00Z");
        assert_eq!(text(-1, Zone::Local), "1969-12-31T23:59:59.999999");
        assert_eq!(text(250_000, Zone::Utc), "1970-01-01T00:00:00.25Z");
        assert_eq!(parse_timestamp("1970-01-01T00:00:00.250000000Z", Zone::Utc).unwrap(), 250_000);
        assert_eq!(parse_timestamp("1970-01-01t02:00:00+02:00", Zone::Utc).unwrap(), 0);
    }

    #[test]
    fn a_local_time_is_never_converted() {
        assert!(parse_timestamp("1970-01-01T00:00:00Z", Zone::Local).is_err());
        assert!(parse_timestamp("1970-01-01T00:00:00", Zone::Utc).is_err());
        assert!(parse_time("10:00:00Z", Zone::Local).is_err());
        assert!(parse_time("10:00:00", Zone::Utc).is_err());
    }

    #[test]
    fn what_a_microsecond_cannot_hold_is_a_fault() {
        assert_eq!(parse_time("10:00:00.0000001", Zone::Local).unwrap_err().code, "precision_loss");
        assert_eq!(parse_time("24:00:00", Zone::Local).unwrap_err().code, "out_of_range");
        assert_eq!(parse_time("10:00:00.", Zone::Local).unwrap_err().code, "wrong_type");
    }
}
