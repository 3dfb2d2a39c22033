//! Decimals as text.

use super::{RowFault, codes};

/// `-12.50`: all digits of the scale are written.
pub(super) fn write_decimal(out: &mut Vec<u8>, value: i128, scale: u8) {
    if value < 0 {
        out.push(b'-');
    }
    let digits = value.unsigned_abs().to_string();
    let scale = usize::from(scale);
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
        return;
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    out.extend_from_slice(whole.as_bytes());
    out.push(b'.');
    out.extend_from_slice(fraction.as_bytes());
}

/// Reads `-12.5`, `1250e-2`; digits that the scale would lose and values over the precision are faults.
pub(super) fn parse_decimal(text: &str, precision: u8, scale: u8) -> Result<i128, RowFault> {
    let wrong = || RowFault::new(codes::WRONG_TYPE, "not a decimal number");
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong())?),
        None => (text, 0),
    };
    let (negative, unsigned) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || unsigned.ends_with('.') {
        return Err(wrong());
    }
    let fraction = fraction.trim_end_matches('0');
    let unscaled = magnitude(whole, fraction)?;
    let fraction_digits = i32::try_from(fraction.len()).map_err(|_| wrong())?;
    let shift = i64::from(scale) + i64::from(exponent) - i64::from(fraction_digits);
    let magnitude = shifted(unscaled, shift)?;
    if 10_u128.checked_pow(u32::from(precision)).is_none_or(|limit| magnitude >= limit) {
        return Err(out_of_range());
    }
    let value = magnitude.cast_signed();
    Ok(if negative { -value } else { value })
}

fn magnitude(whole: &str, fraction: &str) -> Result<u128, RowFault> {
    whole
        .bytes()
        .chain(fraction.bytes())
        .try_fold(0_u128, |value, byte| value.checked_mul(10)?.checked_add(u128::from(byte - b'0')))
        .ok_or_else(out_of_range)
}

/// `value` times ten to the power of `shift`, exactly.
fn shifted(value: u128, shift: i64) -> Result<u128, RowFault> {
    if value == 0 {
        return Ok(0);
    }
    let power = u32::try_from(shift.unsigned_abs()).ok().and_then(|digits| 10_u128.checked_pow(digits));
    match (shift >= 0, power) {
        (true, Some(power)) => value.checked_mul(power).ok_or_else(out_of_range),
        (true, None) => Err(out_of_range()),
        (false, Some(power)) if value.is_multiple_of(power) => Ok(value / power),
        (false, _) => {
            Err(RowFault::new(codes::PRECISION_LOSS, "more digits after the point than the scale holds"))
        }
    }
}

fn out_of_range() -> RowFault {
    RowFault::new(codes::OUT_OF_RANGE, "more digits than the precision holds")
}
