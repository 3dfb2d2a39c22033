//! Keys as hex digits, without copies that are not wiped.

use zeroize::Zeroizing;

use crate::secret::Key;

/// 64 hex digits as a key.
pub(crate) fn decode_key(digits: &[u8]) -> Option<Key> {
    let bytes = decode(digits)?;
    Key::from_slice(&bytes)
}

pub(crate) fn decode(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.chunks_exact(2) {
        let mut byte = 0;
        for digit in pair {
            byte = byte << 4 | value(*digit)?;
        }
        bytes.push(byte);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Lower-case digits.
pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_key, encode};

    #[test]
    fn digits_of_either_case_are_read() {
        assert_eq!(decode(b"00fFA5").unwrap().as_slice(), [0x00, 0xff, 0xa5]);
        assert_eq!(encode(&[0x00, 0xff, 0xa5]).as_str(), "00ffa5");
        assert_eq!(decode_key(&[b'1'; 64]).unwrap().expose(), &[0x11; 32]);
    }

    #[test]
    fn what_is_no_hex_is_none() {
        assert!(decode(b"0").is_none() && decode(b"0g").is_none() && decode_key(&[b'1'; 62]).is_none());
    }
}
