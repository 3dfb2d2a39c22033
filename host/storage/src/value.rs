//! What an engine keeps as the value of a record: `format u8 = 1 | schema version u32 | sealed record`.

use crate::error::Error;

const FORMAT: u8 = 1;

pub(crate) fn encode(schema_version: u32, sealed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5 + sealed.len());
    bytes.push(FORMAT);
    bytes.extend_from_slice(&schema_version.to_be_bytes());
    bytes.extend_from_slice(sealed);
    bytes
}

pub(crate) fn decode(bytes: &[u8]) -> Result<(u32, &[u8]), Error> {
    let (format, rest) = bytes.split_first().ok_or(Error::Format { found: 0 })?;
    if *format != FORMAT {
        return Err(Error::Format { found: *format });
    }
    let (version, sealed) = rest.split_first_chunk().ok_or(Error::Format { found: *format })?;
    Ok((u32::from_be_bytes(*version), sealed))
}
