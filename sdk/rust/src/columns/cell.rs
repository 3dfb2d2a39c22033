//! One value of one row, whatever its type.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

use crate::{Zone, values::text};

/// One value of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Not part of the row: to be left untouched.
    Absent,
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Int64(i64),
    /// A float.
    Float64(f64),
    /// A decimal number: `unscaled` divided by 10 to the power of `scale`.
    Decimal {
        /// The digits without the point.
        unscaled: i128,
        /// Digits after the point.
        scale: u8,
    },
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A JSON value, as text.
    Json(&'a str),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64, Zone),
    /// Microseconds since 1970-01-01T00:00:00.
    Timestamp(i64, Zone),
}

const FAR: &str = "JSON has no word for a year before 0000 or after 9999";

/// As JSON, spelled as the host spells it: decimals, dates and times as text (ISO 8601), bytes as base64, JSON as
/// itself. NaN, infinities and years that RFC 3339 does not know are errors. Absent is null here; rows leave it out.
impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Absent | Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(value),
            Self::Int64(value) => serializer.serialize_i64(value),
            Self::Float64(value) if value.is_finite() => serializer.serialize_f64(value),
            Self::Float64(value) => Err(S::Error::custom(format!("JSON has no word for {value}"))),
            Self::Decimal { unscaled, scale } => serializer.collect_str(&text::Decimal { unscaled, scale }),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Bytes(value) => serializer.serialize_str(&STANDARD.encode(value)),
            Self::Json(value) => {
                let raw: &RawValue = serde_json::from_str(value).map_err(S::Error::custom)?;
                raw.serialize(serializer)
            }
            Self::Date(days) => {
                let date = text::Date(days.into());
                if !date.has_four_digit_year() {
                    return Err(S::Error::custom(FAR));
                }
                serializer.serialize_str(&text::written(|out| date.write(out)))
            }
            Self::Time(micros, zone) => {
                serializer.serialize_str(&text::written(|out| text::Time(micros, zone).write(out)))
            }
            Self::Timestamp(micros, zone) => {
                let timestamp = text::Timestamp(micros, zone);
                if !timestamp.date().has_four_digit_year() {
                    return Err(S::Error::custom(FAR));
                }
                serializer.serialize_str(&text::written(|out| timestamp.write(out)))
            }
        }
    }
}
