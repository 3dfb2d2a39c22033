//! Moments as microseconds since 1970 in UTC, in the formats of the dialect (Python's, and some of its own), and ISO
//! 8601 durations.

mod duration;

use jiff::{
    Timestamp,
    civil::Time,
    fmt::strtime::{self, BrokenDownTime},
    tz::{Offset, TimeZone},
};

pub use duration::Duration;

/// A date that cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text does not have the format.
    #[error("`{text}` is no time of the format `{format}`")]
    Text {
        /// The text.
        text: String,
        /// The format.
        format: String,
    },
    /// The text is no ISO 8601 date.
    #[error("`{text}` is no ISO 8601 date")]
    Iso {
        /// The text.
        text: String,
    },
    /// The format is none.
    #[error("`{format}` is no format of times that is supported: {reason}")]
    Format {
        /// The format.
        format: String,
        /// Why.
        reason: String,
    },
    /// The text is no duration.
    #[error("`{text}` is no ISO 8601 duration such as `P1D` or `PT1H`")]
    Duration {
        /// The text.
        text: String,
    },
    /// The moment is out of the years 0001 to 9999.
    #[error("the moment is out of the calendar")]
    Range,
}

/// Reads a text of this format. Without an offset it is UTC; without a time it is midnight.
///
/// # Errors
/// When the text does not have the format.
pub fn parse(text: &str, format: &str) -> Result<i64, Error> {
    let wrong = || Error::Text { text: text.to_owned(), format: format.to_owned() };
    match format {
        "%s" | "%s_as_float" => seconds(text).ok_or_else(wrong),
        "%ms" => scaled(text, 1_000).ok_or_else(wrong),
        "%epoch_microseconds" => scaled(text, 1).ok_or_else(wrong),
        _ => spellings(format).iter().find_map(|format| broken_down(text, format)).ok_or_else(wrong),
    }
}

/// Reads the first of these formats that fits, or ISO 8601.
///
/// # Errors
/// When none of them fits.
pub fn parse_any(text: &str, formats: &[String]) -> Result<i64, Error> {
    let fitting = formats.iter().find_map(|format| parse(text, format).ok());
    fitting.map_or_else(|| parse_iso(text), Ok)
}

/// Reads an ISO 8601 date, with or without a time and an offset.
///
/// # Errors
/// When the text is none.
pub fn parse_iso(text: &str) -> Result<i64, Error> {
    const FORMATS: [&str; 6] = [
        "%Y-%m-%dT%H:%M:%S%.f%z",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f%z",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M%z",
        "%Y-%m-%d",
    ];
    let read = FORMATS.iter().find_map(|format| parse(text.trim(), format).ok());
    read.ok_or_else(|| Error::Iso { text: text.to_owned() })
}

/// Writes a moment in this format.
///
/// # Errors
/// When the format is none, or the moment is out of the calendar.
pub fn format(micros: i64, format: &str) -> Result<String, Error> {
    match format {
        "%s" => return Ok(micros.div_euclid(1_000_000).to_string()),
        "%s_as_float" => {
            let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
            return Ok(format!("{seconds}.{rest:06}"));
        }
        "%ms" => return Ok(micros.div_euclid(1_000).to_string()),
        "%epoch_microseconds" => return Ok(micros.to_string()),
        _ => {}
    }
    let moment = Timestamp::from_microsecond(micros).map_err(|_| Error::Range)?.to_zoned(TimeZone::UTC);
    let known = format.replace("%_ms", "%3f").replace("%f", "%6f").replace("%Z", "UTC");
    strtime::format(&known, &moment)
        .map_err(|error| Error::Format { format: format.to_owned(), reason: error.to_string() })
}

/// Whether times can be written in this format.
///
/// # Errors
/// When they cannot.
pub fn check_format(text: &str) -> Result<(), Error> {
    for directive in ["%c", "%x", "%X", "%r"] {
        if text.contains(directive) {
            let reason = format!("`{directive}` depends on where a program runs");
            return Err(Error::Format { format: text.to_owned(), reason });
        }
    }
    format(0, text).map(drop)
}

/// How the engine spells the format for reading. An offset is written with a colon, without one, or as `Z`; a zone's
/// name can only be that of UTC.
fn spellings(format: &str) -> Vec<String> {
    let format = format.replace("%_ms", "%f");
    let mut spelled = vec![format.clone()];
    for (directive, spellings) in [("%z", ["%z", "%:z", "Z"]), ("%Z", ["UTC", "GMT", ""])] {
        if format.contains(directive) {
            let spell = |format: &String| spellings.map(|spelling| format.replace(directive, spelling));
            spelled = spelled.iter().flat_map(spell).collect();
        }
    }
    spelled
}

fn broken_down(text: &str, format: &str) -> Option<i64> {
    let read = BrokenDownTime::parse(format, text).ok()?;
    if let Some(timestamp) = read.timestamp() {
        return Some(timestamp.as_microsecond());
    }
    let time = if read.hour().is_none() { Time::midnight() } else { read.to_time().ok()? };
    let local = read.to_date().ok()?.to_datetime(time);
    let moment = read.offset().unwrap_or(Offset::UTC).to_timestamp(local).ok()?;
    Some(moment.as_microsecond())
}

fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let fraction: i64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let micros = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    if whole.starts_with('-') { micros.checked_sub(fraction) } else { micros.checked_add(fraction) }
}

fn scaled(text: &str, factor: i64) -> Option<i64> {
    let whole = text.trim().split('.').next()?;
    whole.parse::<i64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests;
