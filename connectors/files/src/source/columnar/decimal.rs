//! Decimals in big-endian two's complement of any width.

/// The number, if 128 bits hold it.
pub(crate) fn to_i128(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let sign = if negative { 0xff } else { 0 };
    let spare = bytes.len().saturating_sub(16);
    let (extra, low) = bytes.split_at(spare);
    let number =
        low.iter().fold(if negative { -1_i128 } else { 0 }, |number, byte| (number << 8) | i128::from(*byte));
    (extra.iter().all(|byte| *byte == sign) && (number < 0) == negative).then_some(number)
}

/// The digits of the number, however many there are, without a point and with its sign.
pub(crate) fn to_digits(bytes: &[u8]) -> (bool, String) {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let mut rest = bytes.to_vec();
    if negative {
        negate(&mut rest);
    }
    let mut digits = Vec::new();
    // Divide by ten until nothing is left; the remainders are the digits, the last one first.
    while rest.iter().any(|byte| *byte != 0) {
        let mut remainder = 0_u16;
        for byte in &mut rest {
            let value = remainder * 256 + u16::from(*byte);
            *byte = (value / 10) as u8;
            remainder = value % 10;
        }
        digits.push(char::from(b'0' + remainder as u8));
    }
    (negative, digits.iter().rev().collect())
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
        (*byte, carry) = (value, overflow);
    }
}

/// Put the point before the last `scale` digits.
pub(crate) fn with_point((negative, digits): (bool, String), scale: usize) -> String {
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if negative { "-" } else { "" }, if scale == 0 { "" } else { "." });
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::{to_digits, to_i128, with_point};

    #[test]
    fn any_width_gives_the_same_number() {
        for number in [0_i128, 1, -1, 255, -256, i128::MAX, i128::MIN] {
            let bytes = number.to_be_bytes();
            assert_eq!(to_i128(&bytes), Some(number));
            let mut wide = vec![if number < 0 { 0xff } else { 0 }; 8];
            wide.extend(bytes);
            assert_eq!(to_i128(&wide), Some(number));
            assert_eq!(with_point(to_digits(&wide), 0), number.to_string());
        }
        assert_eq!(to_i128(&[0x80, 0x00]), Some(-32768));
        assert_eq!(to_i128(&[]), Some(0));
        assert_eq!(to_i128(&[1; 17]), None);
    }

    #[test]
    fn the_point_stands_where_the_scale_says() {
        assert_eq!(with_point(to_digits(&[0xff]), 3), "-0.001");
        assert_eq!(with_point(to_digits(&[0x04, 0xd2]), 2), "12.34");
        assert_eq!(with_point(to_digits(&[0]), 2), "0.00");
        let wide = [vec![0x7f], vec![0xff; 31]].concat();
        let max = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
        assert_eq!(with_point(to_digits(&wide), 0), max);
    }
}
