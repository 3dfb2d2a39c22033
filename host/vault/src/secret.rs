//! Bytes that are wiped when they are dropped and that nothing prints, copies or serializes.

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandomness(#[from] getrandom::Error);

/// A 256-bit key: without `Debug`, `Clone` and `Serialize`, wiped when it is dropped.
pub struct Key(SecretBox<[u8; 32]>);

impl Key {
    /// A fresh key from the operating system.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random() -> Result<Self, NoRandomness> {
        Self::filled(|bytes| getrandom::fill(bytes).map_err(NoRandomness))
    }

    /// The key that these bytes are; none unless there are 32. Wiping the caller's copy is the caller's part.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        Some(Self(SecretBox::init_with_mut(|key: &mut [u8; 32]| key.copy_from_slice(bytes))))
    }

    /// A key that is written where it stays, so that no copy of it is left on the stack.
    pub(crate) fn filled<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = SecretBox::new(Box::new([0; 32]));
        fill(key.expose_secret_mut())?;
        Ok(Self(key))
    }

    /// The bytes, for as long as they are needed.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

/// What was sealed, opened: without `Debug`, `Clone` and `Serialize`, wiped when it is dropped.
pub struct Plaintext(SecretBox<Vec<u8>>);

impl Plaintext {
    /// These bytes, which from now on are wiped: what was put together of several opened parts.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// The bytes, for as long as they are needed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    pub(crate) fn expose_mut(&mut self) -> &mut Vec<u8> {
        self.0.expose_secret_mut()
    }
}

/// Random bytes that are no secret: nonces, salts, identifiers.
///
/// # Errors
/// When there is no randomness.
pub fn random_bytes<const LENGTH: usize>() -> Result<[u8; LENGTH], NoRandomness> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use static_assertions::{assert_impl_all, assert_not_impl_any};

    use super::{Key, Plaintext};

    assert_not_impl_any!(Key: Clone, Copy, std::fmt::Debug, std::fmt::Display, PartialEq);
    assert_not_impl_any!(Plaintext: Clone, std::fmt::Debug, std::fmt::Display, PartialEq);
    assert_impl_all!(secrecy::SecretBox<[u8; 32]>: zeroize::ZeroizeOnDrop);

    #[test]
    fn two_random_keys_differ() {
        assert_ne!(Key::random().unwrap().expose(), Key::random().unwrap().expose());
    }

    #[test]
    fn a_key_has_32_bytes() {
        assert!(Key::from_slice(&[1; 31]).is_none());
        assert!(Key::from_slice(&[1; 33]).is_none());
        assert_eq!(Key::from_slice(&[1; 32]).unwrap().expose(), &[1; 32]);
    }
}
