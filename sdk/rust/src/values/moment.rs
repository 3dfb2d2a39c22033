//! Dates and times. They count days and microseconds as the contract does and know no calendar beyond reading and
//! writing ISO 8601: for arithmetic convert from and to the crate of your choice.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::text;
use crate::{Error, Result, Zone};

macro_rules! moment {
    ($(#[$doc:meta])* $name:ident($inner:ty), $unit:literal, $show:expr, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(#[doc = $unit] pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let show = $show;
                formatter.pad(&text::written(|out| show(self.0).write(out)))
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let parse = $parse;
                let value: Option<$inner> = parse(text);
                value.map(Self).ok_or_else(|| Error::data(format!("`{text}` is no {}", stringify!($name))))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &stringify!($name)))
            }
        }
    };
}

moment!(
    /// A day, read and written as `2024-02-29`.
    Date(i32), "Days since 1970-01-01.",
    |days: i32| text::Date(days.into()),
    |text: &str| text::parse_date(text).and_then(|days| i32::try_from(days).ok())
);

moment!(
    /// A time of day in UTC, read and written as `23:59:59.5Z`; an offset is applied when one is read.
    Time(i64), "Microseconds since midnight.",
    |micros: i64| text::Time(micros, Zone::Utc),
    |text: &str| {
        let (time, offset) = text::split_offset(text)?;
        Some((text::parse_time(time)? - offset).rem_euclid(text::DAY_MICROS))
    }
);

moment!(
    /// What a clock on some wall shows, read and written as `23:59:59.5`; an offset is refused.
    LocalTime(i64), "Microseconds since midnight.",
    |micros: i64| text::Time(micros, Zone::Local),
    text::parse_time
);

moment!(
    /// An instant, read and written as `2024-02-29T23:59:59.5Z`; an offset is applied when one is read.
    ///
    /// ```
    /// use cofferdam_sdk::Timestamp;
    ///
    /// let instant: Timestamp = "1970-01-01T02:00:01+02:00".parse()?;
    /// assert_eq!(instant, Timestamp(1_000_000));
    /// assert_eq!(instant.to_string(), "1970-01-01T00:00:01Z");
    /// # Ok::<(), cofferdam_sdk::Error>(())
    /// ```
    Timestamp(i64), "Microseconds since 1970-01-01T00:00:00 UTC.",
    |micros: i64| text::Timestamp(micros, Zone::Utc),
    |text: &str| {
        let (date_time, offset) = text::split_offset(text)?;
        text::parse_date_time(date_time)?.checked_sub(offset)
    }
);

moment!(
    /// A date and the time that a clock on some wall shows, without a zone; an offset is refused.
    LocalTimestamp(i64), "Microseconds since 1970-01-01T00:00:00 on that clock.",
    |micros: i64| text::Timestamp(micros, Zone::Local),
    text::parse_date_time
);
