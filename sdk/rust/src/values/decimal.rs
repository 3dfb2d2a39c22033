//! Exact decimal numbers of up to 38 digits.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use super::text;
use crate::{Error, Result};

/// A decimal number of at most `PRECISION` digits, `SCALE` of them after the point.
///
/// ```
/// use cofferdam_sdk::Decimal;
///
/// let price: Decimal<10, 2> = "-12.3".parse()?;
/// assert_eq!(price.unscaled(), -1230);
/// assert_eq!(price.to_string(), "-12.30");
/// assert!("0.001".parse::<Decimal<10, 2>>().is_err());
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal<const PRECISION: u8, const SCALE: u8>(i128);

impl<const PRECISION: u8, const SCALE: u8> Decimal<PRECISION, SCALE> {
    /// From the digits without the point; an error if there are too many of them.
    pub fn new(unscaled: i128) -> Result<Self> {
        if fits(unscaled, PRECISION) {
            Ok(Self(unscaled))
        } else {
            Err(Error::data(format!("`{unscaled}` has more than {PRECISION} digits")))
        }
    }

    /// The digits without the point.
    pub fn unscaled(self) -> i128 {
        self.0
    }
}

impl<const PRECISION: u8, const SCALE: u8> fmt::Display for Decimal<PRECISION, SCALE> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::Decimal { unscaled: self.0, scale: SCALE }.fmt(formatter)
    }
}

/// Digits, one point at most, a sign at most; no exponent, and never a loss: more digits after the point than the
/// scale are an error unless they are zeros.
impl<const PRECISION: u8, const SCALE: u8> FromStr for Decimal<PRECISION, SCALE> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fault = || Error::data(format!("`{text}` is no decimal({PRECISION}, {SCALE})"));
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        if whole.is_empty() || fraction.len() > usize::from(SCALE) {
            return Err(fault());
        }
        let padding = std::iter::repeat_n('0', usize::from(SCALE) - fraction.len());
        let mut unscaled: i128 = 0;
        for digit in whole.chars().chain(fraction.chars()).chain(padding) {
            let digit = digit.to_digit(10).ok_or_else(fault)?;
            unscaled =
                unscaled.checked_mul(10).and_then(|n| n.checked_add(digit.into())).ok_or_else(fault)?;
        }
        Self::new(if negative { -unscaled } else { unscaled }).map_err(|_| fault())
    }
}

/// As text, which no reader of JSON rounds.
impl<const PRECISION: u8, const SCALE: u8> Serialize for Decimal<PRECISION, SCALE> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From text or from a number. A number with a point came through a float: it is taken as long as it has at most
/// 15 digits, which a float holds exactly.
impl<'de, const PRECISION: u8, const SCALE: u8> Deserialize<'de> for Decimal<PRECISION, SCALE> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading<const PRECISION: u8, const SCALE: u8>;

impl<const PRECISION: u8, const SCALE: u8> Visitor<'_> for Reading<PRECISION, SCALE> {
    type Value = Decimal<PRECISION, SCALE>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a decimal({PRECISION}, {SCALE})")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        number.to_string().parse().map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        number.to_string().parse().map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        // The shortest text that reads as this float: what stood there, if it had few enough digits.
        let text = number.to_string();
        let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
        let exact = if digits <= 15 { text.parse().ok() } else { None };
        exact.ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
    }
}

/// Whether a number has at most so many digits.
pub(crate) fn fits(unscaled: i128, precision: u8) -> bool {
    10_u128.checked_pow(precision.into()).is_none_or(|limit| unscaled.unsigned_abs() < limit)
}
