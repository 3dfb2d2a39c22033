//! Keys sealed under keys, with a commitment: what opens under one key opens under no other.
//!
//! `version | algorithm | 24-byte nonce | 32-byte commitment | ciphertext | tag`. AES-GCM alone commits to no key: one
//! ciphertext can be made that opens under two. So HKDF makes an encryption key and a commitment of the wrapping key and
//! the nonce, and the commitment is compared before anything is decrypted.

use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::codec::{Reader, put_counted};
use crate::deployment::KeyId;
use crate::secret::{Key, NoRandomness, Plaintext, random_bytes};
use crate::xaes::{Cipher, NONCE_BYTES, TAG_BYTES};

const VERSION: u8 = 1;
/// XAES-256-GCM under a key and a commitment of HKDF-SHA-256. Records have other numbers.
const ALGORITHM: u8 = 2;

/// What is wrapped by what. One never opens as another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The root key under a KEK.
    RootKey,
    /// The body of the keyring under the shred key.
    Body,
    /// A generation of an organization's key under the root key.
    OrganizationKey,
    /// The key of a bucket under the root key.
    BucketKey,
    /// The whole keyring under a recovery key.
    Export,
    /// A frame of a backup under the backup key.
    BackupFrame,
}

impl Purpose {
    fn name(self) -> &'static [u8] {
        match self {
            Self::RootKey => b"root key",
            Self::Body => b"body",
            Self::OrganizationKey => b"organization key",
            Self::BucketKey => b"bucket key",
            Self::Export => b"export",
            Self::BackupFrame => b"backup frame",
        }
    }
}

/// Why something does not unwrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// Too short.
    #[error("the wrapped bytes are cut off")]
    Malformed,
    /// Of another format.
    #[error("the wrapped bytes have format version {0}, which is not known")]
    Version(u8),
    /// Of another algorithm.
    #[error("the wrapped bytes have algorithm {0}, which is not known")]
    Algorithm(u8),
    /// Wrapped under another key.
    #[error("the commitment does not match: the bytes were wrapped under another key")]
    Commitment,
    /// Changed, or wrapped for something else.
    #[error("the wrapped bytes were changed or belong elsewhere")]
    Rejected,
}

/// Wraps `secret` under `key`, for `purpose` and `context`.
pub(crate) fn wrap(
    key: &Key,
    purpose: Purpose,
    context: &[u8],
    secret: &[u8],
) -> Result<Vec<u8>, NoRandomness> {
    let nonce = random_bytes::<NONCE_BYTES>()?;
    let (cipher, commitment) = keys(key, &nonce);
    let mut message = Zeroizing::new(secret.to_vec());
    let tag = cipher.seal(&nonce, &associated(purpose, context), &mut message);
    // Only a message of 64 GiB is refused, and no keyring has a fraction of that.
    let tag = tag.unwrap_or_else(|_| unreachable!("a keyring is far below 64 GiB"));
    let mut wrapped = vec![VERSION, ALGORITHM];
    wrapped.extend_from_slice(&nonce);
    wrapped.extend_from_slice(&*commitment);
    wrapped.extend_from_slice(&message);
    wrapped.extend_from_slice(&tag);
    Ok(wrapped)
}

/// Unwraps what [`wrap`] made of the same key, purpose and context.
pub(crate) fn unwrap(
    key: &Key,
    purpose: Purpose,
    context: &[u8],
    wrapped: &[u8],
) -> Result<Plaintext, UnwrapError> {
    let mut reader = Reader::new(wrapped);
    match reader.u8().ok_or(UnwrapError::Malformed)? {
        VERSION => {}
        version => return Err(UnwrapError::Version(version)),
    }
    match reader.u8().ok_or(UnwrapError::Malformed)? {
        ALGORITHM => {}
        algorithm => return Err(UnwrapError::Algorithm(algorithm)),
    }
    let nonce = reader.array::<NONCE_BYTES>().ok_or(UnwrapError::Malformed)?;
    let commitment = reader.array::<32>().ok_or(UnwrapError::Malformed)?;
    let (ciphertext, tag) = reader.rest().split_last_chunk::<TAG_BYTES>().ok_or(UnwrapError::Malformed)?;
    let (cipher, expected) = keys(key, &nonce);
    if !bool::from(expected.ct_eq(&commitment)) {
        return Err(UnwrapError::Commitment);
    }
    let mut message = Plaintext::new(ciphertext.to_vec());
    cipher
        .open(&nonce, &associated(purpose, context), message.expose_mut(), tag)
        .map_err(|_| UnwrapError::Rejected)?;
    Ok(message)
}

/// Unwraps a key.
pub(crate) fn unwrap_key(
    key: &Key,
    purpose: Purpose,
    context: &[u8],
    wrapped: &[u8],
) -> Result<Key, UnwrapError> {
    let bytes = unwrap(key, purpose, context, wrapped)?;
    Key::from_slice(bytes.expose()).ok_or(UnwrapError::Malformed)
}

/// The name of a key.
pub(crate) fn key_id(key: &Key) -> KeyId {
    let mut id = [0; 16];
    expand(key, None, b"cofferdam key id 1", &mut id);
    KeyId::from_bytes(id)
}

/// A key for another use, from which `key` cannot be found.
pub(crate) fn derived(key: &Key, label: &[u8]) -> Key {
    let derived = Key::filled(|bytes| {
        expand(key, None, label, bytes);
        Ok::<(), std::convert::Infallible>(())
    });
    derived.unwrap_or_else(|never| match never {})
}

fn keys(key: &Key, nonce: &[u8; NONCE_BYTES]) -> (Cipher, Zeroizing<[u8; 32]>) {
    let mut commitment = Zeroizing::new([0; 32]);
    expand(key, Some(nonce), b"cofferdam wrap commitment 1", &mut *commitment);
    let encryption = Key::filled(|bytes| {
        expand(key, Some(nonce), b"cofferdam wrap encryption 1", bytes);
        Ok::<(), std::convert::Infallible>(())
    });
    (Cipher::new(&encryption.unwrap_or_else(|never| match never {})), commitment)
}

fn expand(key: &Key, salt: Option<&[u8]>, label: &[u8], to: &mut [u8]) {
    // Expanding fails only above 255 blocks; all keys here are one.
    if Hkdf::<Sha256>::new(salt, key.expose()).expand(label, to).is_err() {
        unreachable!("32 bytes are one block");
    }
}

fn associated(purpose: Purpose, context: &[u8]) -> Vec<u8> {
    let mut bytes = vec![VERSION, ALGORITHM];
    put_counted(&mut bytes, purpose.name());
    put_counted(&mut bytes, context);
    bytes
}

#[cfg(test)]
mod tests;
