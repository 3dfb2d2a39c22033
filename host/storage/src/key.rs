//! How places become keys of an engine. Ids and names of tables are in the clear; rows never are in a key.
//!
//! ```text
//! 1 records   organization | table | key            sealed records
//! 2 chunks    organization | value id 16 | u32      parts of values that are larger than one value of an engine
//! 3 values    organization | value id 16            which record the chunks belong to, for as long as there are any
//! 4 expiry    ends u64 | organization | table | key when the record is to be purged
//! 5 heads     organization                          its epoch, and whether something waits to be erased
//! 6 leases    organization | name                   until when, and of which process
//! 7 fences    organization | name                   the newest fencing token of the lease
//! 8 jobs      organization                          how far sealing anew has come
//! 9 cache     process 16 | cache 16 | key           what a run may lose
//! 10 notes    name                                  of the whole of storage
//! ```
//! The number is the first byte; organization and table have their length in one byte before them. Records of one
//! organization, and of one of its tables, lie together and in the order of their keys.

use vault::Place;

use crate::error::Error;
use crate::value::ValueId;

/// Room for what most keys have: some are made for each commit, and growing them in steps would be most of the work.
const CAPACITY: usize = 96;

/// What an engine's key is of; the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    Records = 1,
    Chunks = 2,
    Values = 3,
    Expiry = 4,
    Heads = 5,
    Leases = 6,
    Fences = 7,
    Jobs = 8,
    Cache = 9,
    Notes = 10,
}

/// All that an organization has in an engine, without its head.
pub(crate) const OF_ORGANIZATIONS: [Space; 6] =
    [Space::Records, Space::Chunks, Space::Values, Space::Leases, Space::Fences, Space::Jobs];

/// The parts of a record's key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordKey<'a> {
    pub(crate) organization: &'a str,
    pub(crate) table: &'a str,
    pub(crate) key: &'a [u8],
}

impl<'a> RecordKey<'a> {
    /// None for what is no record's key.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[Space::Records as u8])?;
        let (organization, rest) = take_short(rest)?;
        let (table, key) = take_short(rest)?;
        Some(Self { organization, table, key })
    }
}

/// The key of a record.
pub(crate) fn record(organization: &str, table: &str, key: &[u8]) -> Result<Vec<u8>, Error> {
    let mut bytes = table_prefix(organization, table)?;
    bytes.extend_from_slice(key);
    Ok(bytes)
}

/// The key of the record at this place.
pub(crate) fn of_place(place: &Place<'_>) -> Result<Vec<u8>, Error> {
    record(place.organization, place.table, place.key)
}

/// What the keys of all records of a table begin with.
pub(crate) fn table_prefix(organization: &str, table: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = of(Space::Records, organization)?;
    put_short(&mut bytes, table)?;
    Ok(bytes)
}

/// The key of what there is once for an organization, and what the keys of all else of it begin with.
pub(crate) fn of(space: Space, organization: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(CAPACITY);
    bytes.push(space as u8);
    put_short(&mut bytes, organization)?;
    Ok(bytes)
}

/// The key of a lease or fence.
pub(crate) fn named(space: Space, organization: &str, name: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = of(space, organization)?;
    put_short(&mut bytes, name)?;
    Ok(bytes)
}

/// The key of a value that has chunks, or what the keys of its chunks begin with.
pub(crate) fn value(space: Space, organization: &str, id: &ValueId) -> Result<Vec<u8>, Error> {
    let mut bytes = of(space, organization)?;
    bytes.extend_from_slice(id);
    Ok(bytes)
}

/// The key of a chunk.
pub(crate) fn chunk(organization: &str, id: &ValueId, number: u32) -> Result<Vec<u8>, Error> {
    let mut bytes = value(Space::Chunks, organization, id)?;
    bytes.extend_from_slice(&number.to_be_bytes());
    Ok(bytes)
}

/// The entry of a record in the index of expiry. Entries are in the order in which they end.
pub(crate) fn expiry(ends_ms: u64, record: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + record.len());
    bytes.push(Space::Expiry as u8);
    bytes.extend_from_slice(&ends_ms.to_be_bytes());
    bytes.extend_from_slice(record.get(1..).unwrap_or_default());
    bytes
}

/// When an entry of the index ends, and the key of its record.
pub(crate) fn parse_expiry(entry: &[u8]) -> Option<(u64, Vec<u8>)> {
    let rest = entry.strip_prefix(&[Space::Expiry as u8])?;
    let (ends_ms, record) = rest.split_first_chunk()?;
    Some((u64::from_be_bytes(*ends_ms), [&[Space::Records as u8], record].concat()))
}

/// The organization that a key is of, in a space whose keys begin with one.
pub(crate) fn organization_of(bytes: &[u8]) -> Option<&str> {
    take_short(bytes.get(1..)?).map(|(organization, _)| organization)
}

fn put_short(bytes: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    let length = u8::try_from(text.len()).map_err(|_| Error::Name { bytes: text.len() })?;
    bytes.push(length);
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

fn take_short(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::{RecordKey, expiry, organization_of, parse_expiry, record};

    #[test]
    fn keys_are_taken_apart_as_they_were_put_together() {
        let bytes = record("acme", "runs", b"7").unwrap();
        let parsed = RecordKey::parse(&bytes).unwrap();
        assert_eq!((parsed.organization, parsed.table, parsed.key), ("acme", "runs", b"7".as_slice()));
        assert_eq!(organization_of(&bytes), Some("acme"));
        assert_eq!(parse_expiry(&expiry(9, &bytes)), Some((9, bytes)));
    }

    #[test]
    fn the_index_is_in_the_order_of_its_ends() {
        assert!(expiry(1, b"\x01z") < expiry(2, b"\x01a") && expiry(255, b"\x01") < expiry(256, b"\x01"));
    }

    #[test]
    fn a_name_of_256_bytes_is_refused() {
        assert_eq!(record(&"a".repeat(256), "runs", b"").unwrap_err().code(), "CD1002");
        assert!(record(&"a".repeat(255), "runs", b"").is_ok());
    }
}
