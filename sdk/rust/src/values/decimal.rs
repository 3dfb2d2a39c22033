//! Exact decimal numbers of up to 38 digits.

use std::{fmt, str::FromStr};

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

/// Whether a number has at most so many digits.
pub(crate) fn fits(unscaled: i128, precision: u8) -> bool {
    10_u128.checked_pow(precision.into()).is_none_or(|limit| unscaled.unsigned_abs() < limit)
}
