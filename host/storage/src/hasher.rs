//! Keyed hashes of an organization: to find equal values again without keeping them.
//!
//! The secret is a standing record of the organization. So hashes stay what they are when keys are rotated and records
//! sealed anew, and are of no use to anyone once the organization is deleted.

use vault::{Class, Key, SealError};
use zeroize::Zeroizing;

use crate::change::Change;
use crate::error::Error;
use crate::storage::Storage;
use crate::table::{Life, Table};

const TABLE: Table = Table { name: "_hash_secret", class: Class::Credentials, schema_version: 1 };
const KEY: &[u8] = b"1";

/// Hashes under one label of one organization. Costs about 100 ns a call.
pub struct KeyedHasher(Zeroizing<[u8; 32]>);

impl KeyedHasher {
    /// The same for the same organization, label and message, and of no use without the organization's secret.
    #[must_use]
    pub fn hash(&self, message: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.0, message).as_bytes()
    }

    /// The hash of parts, in which no border between two of them can be moved.
    #[must_use]
    pub fn hash_parts<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

impl Storage {
    /// The hasher of an organization for one purpose, the label. To be kept: making one reads a record.
    ///
    /// # Errors
    /// When the secret cannot be read or, the first time, made.
    pub async fn keyed_hasher(&self, organization: &str, label: &str) -> Result<KeyedHasher, Error> {
        loop {
            if let Some(secret) = self.get(organization, TABLE, KEY).await? {
                let secret = Key::from_slice(secret.value.expose());
                let secret = secret.ok_or(Error::Format { found: 0 })?;
                let key = blake3::keyed_hash(secret.expose(), label.as_bytes());
                return Ok(KeyedHasher(Zeroizing::new(*key.as_bytes())));
            }
            let secret = Key::random().map_err(SealError::from)?;
            let change = Change::new(organization).expect(TABLE, KEY, None);
            let change = change.put(TABLE, KEY, Life::Standing, secret.expose().to_vec());
            match self.commit(change).await {
                // Somebody was faster, and theirs counts.
                Ok(_) | Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
