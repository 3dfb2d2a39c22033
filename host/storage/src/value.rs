//! What an engine keeps as the value of a record.
//!
//! ```text
//! 1 | schema version u32 | sealed value
//! 2 | schema version u32 | value id 16 | chunks u32 | sealed: value id 16 | chunks u32 | bytes u64
//! ```
//! A value that is too large for one value of an engine lies in chunks, each sealed for its record, value id and number.
//! Id and count are in the clear too, so that chunks are found and removed after the keys are destroyed; what is sealed
//! says whether they are right.

use vault::{Bucket, OVERHEAD_BYTES, RecordHeader};

use crate::engine::VALUE_BYTES_MAX;
use crate::error::Error;

const WHOLE: u8 = 1;
const CHUNKED: u8 = 2;
const WHOLE_BYTES: usize = 1 + 4 + OVERHEAD_BYTES;

/// The longest value that is kept in one piece, and the length of a chunk.
pub(crate) const PIECE_BYTES_MAX: usize = VALUE_BYTES_MAX - WHOLE_BYTES;

/// Names a value that lies in chunks; drawn at random, so that no two writers share one.
pub(crate) type ValueId = [u8; 16];

/// The chunks of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunks {
    pub(crate) id: ValueId,
    pub(crate) count: u32,
}

/// What is stored for a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) schema_version: u32,
    /// None: the value is in one piece.
    pub(crate) chunks: Option<Chunks>,
    pub(crate) sealed: &'a [u8],
}

impl<'a> Stored<'a> {
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let (format, rest) = bytes.split_first().ok_or(Error::Format { found: 0 })?;
        let cut_off = Error::Format { found: *format };
        match *format {
            WHOLE => Self::whole(rest).ok_or(cut_off),
            CHUNKED => Self::chunked(rest).ok_or(cut_off),
            _ => Err(cut_off),
        }
    }

    fn whole(bytes: &'a [u8]) -> Option<Self> {
        let (version, sealed) = bytes.split_first_chunk()?;
        Some(Self { schema_version: u32::from_be_bytes(*version), chunks: None, sealed })
    }

    fn chunked(bytes: &'a [u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (count, sealed) = rest.split_first_chunk()?;
        let chunks = Some(Chunks { id: *id, count: u32::from_be_bytes(*count) });
        Some(Self { schema_version: u32::from_be_bytes(*version), chunks, sealed })
    }

    pub(crate) fn header(&self) -> Result<RecordHeader, Error> {
        Ok(RecordHeader::parse(self.sealed)?)
    }
}

/// The chunks of what is stored; none also for what cannot be read.
pub(crate) fn chunks_of(stored: &[u8]) -> Option<Chunks> {
    Stored::decode(stored).ok().and_then(|stored| stored.chunks)
}

/// When what is stored ends. What cannot be read is not said to end: it is damaged, and not expired.
pub(crate) fn bucket_of(stored: &[u8]) -> Option<Bucket> {
    let stored = Stored::decode(stored).ok()?;
    Some(stored.header().ok()?.bucket)
}

pub(crate) fn encode_whole(schema_version: u32, sealed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5 + sealed.len());
    bytes.push(WHOLE);
    bytes.extend_from_slice(&schema_version.to_be_bytes());
    bytes.extend_from_slice(sealed);
    bytes
}

pub(crate) fn encode_chunked(schema_version: u32, chunks: Chunks, sealed: &[u8]) -> Vec<u8> {
    let mut bytes = vec![CHUNKED];
    bytes.extend_from_slice(&schema_version.to_be_bytes());
    bytes.extend_from_slice(&chunks.id);
    bytes.extend_from_slice(&chunks.count.to_be_bytes());
    bytes.extend_from_slice(sealed);
    bytes
}

/// What is sealed in the record of a value that lies in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) chunks: Chunks,
    pub(crate) bytes: u64,
}

impl Summary {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.chunks.id.to_vec();
        bytes.extend_from_slice(&self.chunks.count.to_be_bytes());
        bytes.extend_from_slice(&self.bytes.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let length: &[u8; 8] = rest.try_into().ok()?;
        let chunks = Chunks { id: *id, count: u32::from_be_bytes(*count) };
        Some(Self { chunks, bytes: u64::from_be_bytes(*length) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunks, PIECE_BYTES_MAX, Stored, Summary, encode_chunked, encode_whole};
    use crate::engine::VALUE_BYTES_MAX;

    #[test]
    fn what_is_encoded_is_decoded_and_a_cut_is_noticed() {
        let chunks = Chunks { id: [7; 16], count: 9 };
        let bytes = encode_chunked(3, chunks, b"sealed");
        let stored = Stored::decode(&bytes).unwrap();
        assert_eq!(
            (stored.schema_version, stored.chunks, stored.sealed),
            (3, Some(chunks), b"sealed".as_slice())
        );
        assert_eq!(Stored::decode(&bytes[..20]).unwrap_err().code(), "CD1003");
        let bytes = encode_whole(3, b"sealed");
        assert_eq!(Stored::decode(&bytes).unwrap().chunks, None);
        let summary = Summary { chunks, bytes: 70_000 };
        assert_eq!(Summary::decode(&summary.encode()), Some(summary));
    }

    #[test]
    fn the_longest_piece_fits_exactly() {
        let sealed = vec![0; PIECE_BYTES_MAX + vault::OVERHEAD_BYTES];
        assert_eq!(encode_whole(1, &sealed).len(), VALUE_BYTES_MAX);
    }
}
