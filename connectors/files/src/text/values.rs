//! Values of each type as text.

use std::io::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cofferdam_sdk::{Date, LocalTime, LocalTimestamp, Reject, Time, Timestamp, Zone};

/// 0000-01-01 and 9999-12-31: the years that text has four digits for.
const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;
const DAY_MICROS: i64 = 86_400_000_000;

/// Why a value has no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueFault {
    pub(crate) code: &'static str,
    pub(crate) what: &'static str,
}

impl ValueFault {
    pub(crate) fn in_field(self, row: usize, field: &str) -> Reject {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        Reject::new(row, self.code, format!("field `{field}`: {}", self.what))
    }
}

const FAR: ValueFault = ValueFault { code: "out_of_range", what: "years are 0000 to 9999 in text" };

pub(crate) fn write_integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

pub(crate) fn write_float(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    out.extend_from_slice(buffer.format(value).as_bytes());
}

pub(crate) fn write_boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

pub(crate) fn write_decimal(out: &mut Vec<u8>, unscaled: i128, scale: u8) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(unscaled.unsigned_abs()).as_bytes();
    let scale = usize::from(scale);
    if unscaled < 0 {
        out.push(b'-');
    }
    // At least one digit stands before the point.
    let zeros = (scale + 1).saturating_sub(digits.len());
    let start = out.len();
    out.extend(std::iter::repeat_n(b'0', zeros));
    out.extend_from_slice(digits);
    if scale > 0 {
        let point = start + zeros + digits.len() - scale;
        out.insert(point, b'.');
    }
}

pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
}

pub(crate) fn write_date(out: &mut Vec<u8>, days: i32) -> Result<(), ValueFault> {
    if !DAYS.contains(&i64::from(days)) {
        return Err(FAR);
    }
    push(out, Date(days));
    Ok(())
}

pub(crate) fn write_time(out: &mut Vec<u8>, micros: i64, zone: Zone) {
    match zone {
        Zone::Utc => push(out, Time(micros)),
        Zone::Local => push(out, LocalTime(micros)),
    }
}

pub(crate) fn write_timestamp(out: &mut Vec<u8>, micros: i64, zone: Zone) -> Result<(), ValueFault> {
    if !DAYS.contains(&micros.div_euclid(DAY_MICROS)) {
        return Err(FAR);
    }
    match zone {
        Zone::Utc => push(out, Timestamp(micros)),
        Zone::Local => push(out, LocalTimestamp(micros)),
    }
    Ok(())
}

/// Writing to memory cannot fail.
fn push(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use cofferdam_sdk::Zone;

    use super::{write_date, write_decimal, write_float, write_timestamp};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"x".to_vec();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_keep_their_zeros() {
        assert_eq!(text(|out| write_decimal(out, -5, 2)), "x-0.05");
        assert_eq!(text(|out| write_decimal(out, 1230, 2)), "x12.30");
        assert_eq!(text(|out| write_decimal(out, 7, 0)), "x7");
        assert_eq!(
            text(|out| write_decimal(out, i128::MIN, 38)),
            "x-1.70141183460469231731687303715884105728"
        );
    }

    #[test]
    fn floats_come_back_as_they_were() {
        for value in [0.1, -0.0, 1e300, 5e-324, 100.0, f64::MAX, 1.0 / 3.0] {
            assert_eq!(
                text(|out| write_float(out, value))[1..].parse::<f64>().unwrap().to_bits(),
                value.to_bits()
            );
        }
        assert_eq!(text(|out| write_float(out, f64::NAN)), "xNaN");
    }

    #[test]
    fn years_without_four_digits_are_refused() {
        assert_eq!(text(|out| write_date(out, -719_528).unwrap()), "x0000-01-01");
        assert_eq!(text(|out| write_date(out, 2_932_896).unwrap()), "x9999-12-31");
        assert!(write_date(&mut Vec::new(), 2_932_897).is_err());
        let last = 2_932_897 * super::DAY_MICROS - 1;
        assert_eq!(
            text(|out| write_timestamp(out, last, Zone::Local).unwrap()),
            "x9999-12-31T23:59:59.999999"
        );
        assert!(write_timestamp(&mut Vec::new(), last + 1, Zone::Utc).is_err());
    }
}
