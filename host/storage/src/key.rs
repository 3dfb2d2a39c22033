//! How places become keys of an engine. Ids and names of tables are in the clear; rows never are in a key.
//!
//! `space u8 | organization, length before it | table, length before it | key`. Records of one organization, and of one of its
//! tables, lie together and in the order of their keys.

use crate::error::Error;

/// What an engine's key is of; the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    /// Sealed records.
    Records = 1,
}

/// The key of a record.
pub(crate) fn record(organization: &str, table: &str, key: &[u8]) -> Result<Vec<u8>, Error> {
    let mut bytes = table_prefix(organization, table)?;
    bytes.extend_from_slice(key);
    Ok(bytes)
}

/// What the keys of all records of a table begin with.
pub(crate) fn table_prefix(organization: &str, table: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = organization_prefix(organization)?;
    put_short(&mut bytes, table)?;
    Ok(bytes)
}

/// What the keys of all records of an organization begin with.
pub(crate) fn organization_prefix(organization: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![Space::Records as u8];
    put_short(&mut bytes, organization)?;
    Ok(bytes)
}

fn put_short(bytes: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    let length = u8::try_from(text.len()).map_err(|_| Error::Name { bytes: text.len() })?;
    bytes.push(length);
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}
