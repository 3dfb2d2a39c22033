//! The name of one deployment, drawn once: keys and records of another one are told apart by it.

use std::fmt;

use crate::hex::decode;
use crate::secret::{NoRandomness, random_bytes};

/// The name of one deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeploymentId([u8; 16]);

impl DeploymentId {
    /// Draws a new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random() -> Result<Self, NoRandomness> {
        random_bytes().map(Self)
    }

    /// The one with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads what `Display` writes: 32 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = decode(text.as_bytes())?;
        Some(Self(bytes.as_slice().try_into().ok()?))
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

/// Names a key without telling it: derived from the key, so a swapped key is noticed by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 16]);

impl KeyId {
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

fn write_hex(formatter: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::DeploymentId;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let name = DeploymentId::random().unwrap();
        assert_eq!(DeploymentId::parse(&name.to_string()), Some(name));
        for wrong in ["", "07", &"0".repeat(34), &"x".repeat(32)] {
            assert_eq!(DeploymentId::parse(wrong), None, "{wrong}");
        }
    }
}
