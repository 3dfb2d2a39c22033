//! Where an organization is at home.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Storage has 255 bytes for the name of an owner, and an id takes 30.
const BYTES_MAX: usize = 32;

/// Where an organization is at home: fixed when it is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Region(String);

impl Region {
    /// Reads a region: small letters, digits and hyphens, as in `eu-1`.
    ///
    /// # Errors
    /// [`Error::BadName`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            let reason = "it must be of small letters, digits and hyphens, as in `eu-1`";
            Err(Error::BadName { what: "region", reason })
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn a_region_cannot_be_taken_for_a_part_of_a_name() {
        for good in ["eu-1", "a", "0"] {
            assert_eq!(Region::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "EU", "eu/1", "eu 1", "é", &"a".repeat(33)] {
            assert_eq!(Region::parse(bad).unwrap_err().code(), "CD1245", "{bad}");
        }
    }
}
