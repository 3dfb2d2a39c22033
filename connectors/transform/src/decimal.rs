//! Decimal numbers whose precision and scale are only known when the program runs.

/// Digits after the point up to which a power of ten is a float without loss.
const EXACT_SCALE_MAX: u8 = 22;

/// The number as text, with as many digits after the point as its scale.
pub(crate) fn to_text(unscaled: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// Digits with at most one point and one sign, without loss; none if there are too many digits for this type.
pub(crate) fn from_text(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = usize::from(scale).checked_sub(fraction.len())?;
    let digits = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', missing));
    let mut unscaled: i128 = 0;
    for digit in digits {
        unscaled = unscaled.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    fitting(if negative { -unscaled } else { unscaled }, precision)
}

/// The integer of this type, if it has not too many digits.
pub(crate) fn from_integer(value: i64, precision: u8, scale: u8) -> Option<i128> {
    fitting(i128::from(value).checked_mul(10_i128.checked_pow(scale.into())?)?, precision)
}

/// The same number with another scale, without loss.
pub(crate) fn rescaled(unscaled: i128, from: u8, precision: u8, to: u8) -> Option<i128> {
    let factor = 10_i128.checked_pow(u32::from(from.abs_diff(to)))?;
    let rescaled = if to >= from {
        unscaled.checked_mul(factor)?
    } else {
        (unscaled % factor == 0).then_some(unscaled / factor)?
    };
    fitting(rescaled, precision)
}

/// The float as this type if its shortest text fits: no digit is lost.
pub(crate) fn from_float_exactly(value: f64, precision: u8, scale: u8) -> Option<i128> {
    value.is_finite().then(|| from_text(&value.to_string(), precision, scale))?
}

/// The float rounded to this type, ties to even as its exact value says.
pub(crate) fn from_float_rounded(value: f64, precision: u8, scale: u8) -> Option<i128> {
    value.is_finite().then(|| from_text(&format!("{value:.*}", usize::from(scale)), precision, scale))?
}

/// The nearest float.
pub(crate) fn to_float(unscaled: i128, scale: u8) -> f64 {
    // Both sides of the division are exact, so it rounds once.
    if unscaled.unsigned_abs() <= 1 << 53 && scale <= EXACT_SCALE_MAX {
        return unscaled as f64 / 10_f64.powi(scale.into());
    }
    to_text(unscaled, scale).parse().unwrap_or(f64::NAN)
}

fn fitting(unscaled: i128, precision: u8) -> Option<i128> {
    let limit = 10_u128.checked_pow(precision.into())?;
    (unscaled.unsigned_abs() < limit).then_some(unscaled)
}

#[cfg(test)]
mod tests {
    use super::{
        from_float_exactly, from_float_rounded, from_integer, from_text, rescaled, to_float, to_text,
    };

    #[test]
    fn text_keeps_every_digit_or_is_refused() {
        let cases = [
            ("-12.30", Some(-1230)),
            ("+5", Some(500)),
            (".5", Some(50)),
            ("7.", Some(700)),
            ("1.2300", Some(123)),
        ];
        cases.iter().for_each(|(text, value)| assert_eq!(from_text(text, 6, 2), *value, "{text}"));
        for text in ["", ".", "-", "1.234", "12345.00", "1e2", "1,2", " 1", "١", "--1", "1.2.3"] {
            assert_eq!(from_text(text, 6, 2), None, "{text}");
        }
        assert_eq!(from_text(&"9".repeat(38), 38, 0), Some(10_i128.pow(38) - 1));
        assert_eq!(from_text(&"9".repeat(60), 38, 0), None);
        assert_eq!(
            (to_text(-5, 2), to_text(0, 0), to_text(123, 3)),
            ("-0.05".into(), "0".into(), "0.123".into())
        );
    }

    #[test]
    fn integers_and_other_scales_lose_nothing() {
        assert_eq!((from_integer(12, 4, 2), from_integer(100, 4, 2)), (Some(1200), None));
        assert_eq!((rescaled(1230, 2, 9, 1), rescaled(1234, 2, 9, 1)), (Some(123), None));
        assert_eq!((rescaled(12, 0, 4, 2), rescaled(i128::MAX, 0, 38, 38)), (Some(1200), None));
    }

    #[test]
    fn floats_are_exact_or_rounded_as_asked() {
        assert_eq!((from_float_exactly(0.1, 5, 2), from_float_exactly(0.125, 5, 2)), (Some(10), None));
        assert_eq!((from_float_rounded(0.125, 5, 2), from_float_rounded(0.135, 5, 2)), (Some(12), Some(14)));
        assert_eq!((from_float_exactly(f64::NAN, 5, 2), from_float_rounded(1e300, 38, 0)), (None, None));
        for (unscaled, scale) in
            [(1, 1), (123_456_789_012_345, 7), (-1, 30), (10_i128.pow(37) + 1, 5), (1 << 53, 22)]
        {
            assert_eq!(to_float(unscaled, scale), to_text(unscaled, scale).parse::<f64>().unwrap());
        }
    }
}
