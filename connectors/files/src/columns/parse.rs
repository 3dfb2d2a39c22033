//! Values out of their text. Nothing is rounded, cut or guessed, but for what a `float64` itself rounds.

use std::str;

/// Digits that always fit an `i64`.
const SAFE_DIGITS: usize = 18;

pub(crate) fn parse_boolean(text: &[u8]) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    if is(&["true", "t", "yes", "1"]) {
        Some(true)
    } else if is(&["false", "f", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}

#[inline]
pub(crate) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > SAFE_DIGITS {
        return str::from_utf8(text).ok()?.parse().ok();
    }
    let mut value: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// A number, `NaN` or an infinity by name. What is too large to be one is refused rather than made infinite.
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    let named = || text.iter().any(|byte| matches!(byte, b'n' | b'N'));
    (value.is_finite() || named()).then_some(value)
}

/// Digits with one point at most; more digits after it than the scale are refused unless they are zeros.
pub(crate) fn parse_decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = digits.split_at(point.unwrap_or(digits.len()));
    let fraction = fraction.strip_prefix(b".").unwrap_or(fraction);
    let used = fraction.len() - fraction.iter().rev().take_while(|byte| **byte == b'0').count();
    let (fraction, scale) = (fraction.get(..used)?, usize::from(scale));
    if whole.is_empty() || fraction.len() > scale {
        return None;
    }
    let mut value: i128 = 0;
    for byte in whole.iter().chain(fraction) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(digit.into())?;
    }
    for _ in fraction.len()..scale {
        value = value.checked_mul(10)?;
    }
    let fits = value.unsigned_abs() < 10_u128.checked_pow(precision.into())?;
    fits.then_some(if negative { -value } else { value })
}

/// Whether a text is an integer as programs write it: `007` and `+1` are rather names than numbers.
pub(crate) fn is_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = digits == b"0" || digits.first().is_some_and(|first| matches!(first, b'1'..=b'9'));
    plain && parse_integer(text).is_some()
}

/// Whether a text is a number that a `float64` holds: no more than 17 digits, no leading zeros, no words.
pub(crate) fn is_float(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let digits = unsigned.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let significant = digits.filter(|byte| byte.is_ascii_digit()).skip_while(|byte| **byte == b'0').count();
    let starts = match unsigned {
        [b'0', next, ..] => !next.is_ascii_digit(),
        [b'0'..=b'9', ..] => true,
        _ => false,
    };
    let ends = text.last().is_some_and(u8::is_ascii_digit);
    starts && ends && significant <= 17 && parse_float(text).is_some_and(f64::is_finite)
}
