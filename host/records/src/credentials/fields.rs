//! The fields of a credential, and how the secret ones become bytes without leaving copies behind.
//!
//! ```text
//! count u16 | count times: length u16 | name | length u32 | value
//! ```
//! Numbers are big-endian. The common encoders write into buffers that grow, and each growth leaves a copy of what was
//! there in memory that nobody wipes.

use crate::codec::unreadable;
use crate::error::Error;
use crate::tables::CREDENTIAL_SECRETS;
use std::collections::BTreeMap;
use vault::Plaintext;

/// A certificate with its chain and a key take some thousand bytes; a change of storage has room for this.
const FIELDS_BYTES_MAX: usize = 256 << 10;

/// What a person enters: public fields may be shown, secret ones are shown to nobody.
#[derive(Default)]
pub struct CredentialFields {
    /// By name.
    pub public: BTreeMap<String, String>,
    /// By name.
    pub secret: BTreeMap<String, Plaintext>,
}

impl CredentialFields {
    /// That there is room for them.
    pub(super) fn check(&self, name: &str) -> Result<(), Error> {
        let public: usize = self.public.iter().map(|(name, value)| name.len() + value.len()).sum();
        let bytes = public + encoded_bytes(&self.secret);
        if bytes > FIELDS_BYTES_MAX {
            let reason = format!("its fields have {bytes} bytes, and at most {FIELDS_BYTES_MAX} are kept");
            return Err(Error::BadCredential { name: name.to_owned(), reason });
        }
        Ok(())
    }
}

fn encoded_bytes(fields: &BTreeMap<String, Plaintext>) -> usize {
    2 + fields.iter().map(|(name, value)| 6 + name.len() + value.expose().len()).sum::<usize>()
}

/// The buffer has its final size from the start; whoever gets it wipes it.
pub(super) fn encode(name: &str, fields: &BTreeMap<String, Plaintext>) -> Result<Vec<u8>, Error> {
    let too_long =
        |_| Error::BadCredential { name: name.to_owned(), reason: "a field is too long to be kept".into() };
    let mut bytes = Vec::with_capacity(encoded_bytes(fields));
    bytes.extend_from_slice(&u16::try_from(fields.len()).map_err(too_long)?.to_be_bytes());
    for (field, value) in fields {
        let value = value.expose();
        bytes.extend_from_slice(&u16::try_from(field.len()).map_err(too_long)?.to_be_bytes());
        bytes.extend_from_slice(field.as_bytes());
        bytes.extend_from_slice(&u32::try_from(value.len()).map_err(too_long)?.to_be_bytes());
        bytes.extend_from_slice(value);
    }
    Ok(bytes)
}

pub(super) fn decode(bytes: &[u8]) -> Result<BTreeMap<String, Plaintext>, Error> {
    parse(bytes).ok_or_else(|| unreadable(CREDENTIAL_SECRETS, &"its fields do not fit together"))
}

fn parse(bytes: &[u8]) -> Option<BTreeMap<String, Plaintext>> {
    let (count, mut rest) = bytes.split_first_chunk()?;
    let mut fields = BTreeMap::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk()?;
        let (name, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let (length, after) = after.split_first_chunk()?;
        let (value, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        fields.insert(std::str::from_utf8(name).ok()?.to_owned(), Plaintext::new(value.to_vec()));
        rest = after;
    }
    rest.is_empty().then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, encoded_bytes};
    use std::collections::BTreeMap;
    use vault::Plaintext;

    #[test]
    fn fields_come_back_and_their_buffer_never_grows() {
        let long = "x".repeat(70_000);
        for values in [&[][..], &[("token", "")], &[("a", "ä\0b"), ("private_key", long.as_str())]] {
            let fields: BTreeMap<_, _> = values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Plaintext::new(value.as_bytes().to_vec())))
                .collect();
            let bytes = encode("c", &fields).unwrap();
            assert_eq!((bytes.len(), bytes.capacity()), (encoded_bytes(&fields), bytes.len()));
            let back = decode(&bytes).unwrap();
            let shown: Vec<(&str, &[u8])> =
                back.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
            let expected: Vec<(&str, &[u8])> =
                values.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn what_is_cut_or_longer_is_no_fields_and_the_error_quotes_none() {
        let secret = Plaintext::new(b"CANARY-4711".to_vec());
        let bytes = encode("c", &BTreeMap::from([("token".to_owned(), secret)])).unwrap();
        let longer = [bytes.as_slice(), b"x"].concat();
        let cut = (0..bytes.len()).map(|end| &bytes[..end]);
        for wrong in cut.chain([longer.as_slice()]) {
            let error = decode(wrong).err().unwrap();
            assert_eq!(error.code(), "CD1050");
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
    }
}
