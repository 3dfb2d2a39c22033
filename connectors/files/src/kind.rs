//! The types of columns that files can have, and the names by which a configuration calls them.

use std::fmt;

use cofferdam_sdk::{DataType, Zone};
use serde::{Deserialize, Deserializer, de};

/// The type of a column: the contract's types without the reserved ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Int64,
    Float64,
    Decimal { precision: u8, scale: u8 },
    Text,
    Bytes,
    Json,
    Date,
    Time(Zone),
    Timestamp(Zone),
}

/// Digits of a decimal at most.
pub(crate) const PRECISION_MAX: u8 = 38;

impl Kind {
    /// What a configuration calls it; `None` for any other name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (base, arguments) = match name.split_once('(') {
            Some((base, rest)) => (base.trim(), Some(rest.strip_suffix(')')?.trim())),
            None => (name, None),
        };
        Some(match (base, arguments) {
            ("boolean", None) => Self::Boolean,
            ("int64", None) => Self::Int64,
            ("float64", None) => Self::Float64,
            ("text", None) => Self::Text,
            ("bytes", None) => Self::Bytes,
            ("json", None) => Self::Json,
            ("date", None) => Self::Date,
            ("time", zone) => Self::Time(parse_zone(zone)?),
            ("timestamp", zone) => Self::Timestamp(parse_zone(zone)?),
            ("decimal", Some(digits)) => parse_decimal(digits)?,
            _ => return None,
        })
    }

    /// As the contract calls it.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::decimal(precision, scale),
            Self::Text => DataType::Text,
            Self::Bytes => DataType::Bytes,
            Self::Json => DataType::Json,
            Self::Date => DataType::Date,
            Self::Time(zone) => DataType::Time(zone),
            Self::Timestamp(zone) => DataType::Timestamp(zone),
        }
    }

    /// Bytes that a value takes beside its text: the value or its offset, and its bits in the bitmaps.
    pub(crate) fn fixed_bytes(self) -> usize {
        match self {
            Self::Boolean => 1,
            Self::Int64 | Self::Float64 | Self::Time(_) | Self::Timestamp(_) => 9,
            Self::Decimal { .. } => 17,
            Self::Text | Self::Bytes | Self::Json | Self::Date => 5,
        }
    }
}

fn parse_zone(name: Option<&str>) -> Option<Zone> {
    match name {
        None | Some("utc") => Some(Zone::Utc),
        Some("local") => Some(Zone::Local),
        Some(_) => None,
    }
}

fn parse_decimal(digits: &str) -> Option<Kind> {
    let (precision, scale) = digits.split_once(',').unwrap_or((digits, "0"));
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    ((1..=PRECISION_MAX).contains(&precision) && scale <= precision)
        .then_some(Kind::Decimal { precision, scale })
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.data_type().name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| {
            let known = "boolean, int64, float64, decimal(precision, scale), text, bytes, json, date, time, \
                         time(local), timestamp, timestamp(local)";
            de::Error::custom(format!("`{name}` is no type; types are {known}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_sdk::Zone;

    use super::Kind;

    #[test]
    fn a_type_is_called_as_it_is_shown() {
        for name in ["boolean", "decimal(10, 2)", "time(local)", "timestamp(utc)", "json"] {
            assert_eq!(Kind::parse(name).unwrap().to_string(), name);
        }
        assert_eq!(Kind::parse("timestamp"), Some(Kind::Timestamp(Zone::Utc)));
        assert_eq!(Kind::parse("decimal(3)"), Some(Kind::Decimal { precision: 3, scale: 0 }));
        for name in ["integer", "decimal", "decimal(39,0)", "decimal(2,3)", "time(mars)", "text(3)", "date)"]
        {
            assert_eq!(Kind::parse(name), None, "{name}");
        }
    }
}
