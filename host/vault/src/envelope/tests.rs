use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{Purpose, UnwrapError, key_id, unwrap, wrap};
use crate::secret::Key;

fn key(byte: u8) -> Key {
    Key::from_slice(&[byte; 32]).unwrap()
}

fn opened(key: &Key, purpose: Purpose, context: &[u8], wrapped: &[u8]) -> Result<Vec<u8>, UnwrapError> {
    unwrap(key, purpose, context, wrapped).map(|plaintext| plaintext.expose().to_vec())
}

proptest! {
    #[test]
    fn unwrap_undoes_wrap(secret: Vec<u8>, context: Vec<u8>) {
        let wrapped = wrap(&key(1), Purpose::Export, &context, &secret).unwrap();
        prop_assert_eq!(opened(&key(1), Purpose::Export, &context, &wrapped), Ok(secret));
    }

    #[test]
    fn under_another_key_the_commitment_fails(one: [u8; 32], other: [u8; 32]) {
        proptest::prop_assume!(one != other);
        let (one, other) = (Key::from_slice(&one).unwrap(), Key::from_slice(&other).unwrap());
        let wrapped = wrap(&one, Purpose::RootKey, b"", &[9; 32]).unwrap();
        prop_assert_eq!(opened(&other, Purpose::RootKey, b"", &wrapped), Err(UnwrapError::Commitment));
    }

    #[test]
    fn no_flipped_bit_is_overlooked(secret: [u8; 32], bit in any::<proptest::sample::Index>()) {
        let mut wrapped = wrap(&key(1), Purpose::BucketKey, b"hour 7", &secret).unwrap();
        let bit = bit.index(wrapped.len() * 8);
        wrapped[bit / 8] ^= 1 << (bit % 8);
        proptest::prop_assert!(opened(&key(1), Purpose::BucketKey, b"hour 7", &wrapped).is_err());
    }
}

#[test]
fn what_is_wrapped_for_one_thing_is_nothing_else() {
    let wrapped = wrap(&key(1), Purpose::BucketKey, b"hour 7", b"secret").unwrap();
    let open = |purpose, context: &[u8]| opened(&key(1), purpose, context, &wrapped);
    assert_eq!(open(Purpose::BucketKey, b"hour 8"), Err(UnwrapError::Rejected));
    assert_eq!(open(Purpose::OrganizationKey, b"hour 7"), Err(UnwrapError::Rejected));
}

#[test]
fn unknown_formats_and_cuts_are_told_apart() {
    let mut wrapped = wrap(&key(1), Purpose::Body, b"", b"secret").unwrap();
    assert_eq!(opened(&key(1), Purpose::Body, b"", &wrapped[..60]), Err(UnwrapError::Malformed));
    wrapped[1] = 9;
    assert_eq!(opened(&key(1), Purpose::Body, b"", &wrapped), Err(UnwrapError::Algorithm(9)));
    wrapped[0] = 8;
    assert_eq!(opened(&key(1), Purpose::Body, b"", &wrapped), Err(UnwrapError::Version(8)));
    assert_eq!(opened(&key(1), Purpose::Body, b"", &[]), Err(UnwrapError::Malformed));
}

#[test]
fn a_key_is_named_by_its_bytes() {
    assert_eq!(key_id(&key(1)), key_id(&key(1)));
    assert_ne!(key_id(&key(1)), key_id(&key(2)));
}
