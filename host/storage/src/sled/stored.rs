//! How entries lie in sled. Values over 4 KiB are cut in parts.
//!
//! ```text
//! key              value
//! 0                format u8 = 2 | sequence u64 | live bytes u64 | entries u64      what is in the database, big-endian
//! 1 | bound        a leaf: entries, each a key and its head, see `leaf`
//! 2 | bytes of the key u16 | key | number u8        sequence u64 | a part
//!
//! head = 0 | the value                                    of a short value
//!      | 1 | sequence u64 | bytes u32 | parts u8          of a long one, written by this commit
//! ```
//!
//! Because sled rewrites whole pages of up to 16 of its keys, and puts pages over 128 KiB into files of their own, which it does
//! not sync. A reader may find the head of one commit and a part of another: the sequences tell, and it reads again.

use super::codec::Reader;

pub(super) const COUNTS_KEY: &[u8] = &[0];
/// In 1 each entry was a key of sled. Such a database is built anew, as a broken one is.
pub(super) const FORMAT: u8 = 2;
const LEAVES: u8 = 1;
const PARTS: u8 = 2;
const SHORT: u8 = 0;
const LONG: u8 = 1;
/// 17 parts of 4 KiB and their keys of 1 KiB are 87 KiB: the largest page that sled makes before it splits it.
const PART_BYTES: usize = 4 << 10;

/// What an entry has beside its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head<'a> {
    Short(&'a [u8]),
    Long { sequence: u64, bytes: u32, parts: u8 },
}

impl<'a> Head<'a> {
    pub(super) fn decode(stored: &'a [u8]) -> Option<Self> {
        let (tag, rest) = stored.split_first()?;
        match *tag {
            SHORT => Some(Self::Short(rest)),
            LONG => {
                let mut reader = Reader::new(rest);
                let sequence = u64::from_be_bytes(reader.array()?);
                let bytes = u32::from_be_bytes(reader.array()?);
                let [parts] = reader.array()?;
                reader.is_empty().then_some(Self::Long { sequence, bytes, parts })
            }
            _ => None,
        }
    }

    pub(super) fn value_bytes(&self) -> u64 {
        match self {
            Self::Short(value) => u64::try_from(value.len()).unwrap_or(u64::MAX),
            Self::Long { bytes, .. } => u64::from(*bytes),
        }
    }

    pub(super) fn parts(&self) -> u8 {
        match self {
            Self::Short(_) => 0,
            Self::Long { parts, .. } => *parts,
        }
    }
}

/// Where the leaf with this bound lies.
pub(super) fn leaf_key(bound: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + bound.len());
    bytes.push(LEAVES);
    bytes.extend_from_slice(bound);
    bytes
}

/// The bound of the leaf that lies here.
pub(super) fn bound_of(leaf_key: &[u8]) -> &[u8] {
    leaf_key.get(1..).unwrap_or_default()
}

pub(super) fn part_key(key: &[u8], number: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + key.len());
    bytes.push(PARTS);
    bytes.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(key);
    bytes.push(number);
    bytes
}

/// Behind all leaves, before all parts.
pub(super) const fn parts_start() -> [u8; 1] {
    [PARTS]
}

/// The head of a value and its parts, which may be none.
pub(super) fn encode(sequence: u64, value: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    if value.len() <= PART_BYTES {
        let mut head = Vec::with_capacity(1 + value.len());
        head.push(SHORT);
        head.extend_from_slice(value);
        return (head, Vec::new());
    }
    let part = |bytes: &[u8]| [sequence.to_be_bytes().as_slice(), bytes].concat();
    let parts: Vec<Vec<u8>> = value.chunks(PART_BYTES).map(part).collect();
    let mut head = vec![LONG];
    head.extend_from_slice(&sequence.to_be_bytes());
    head.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
    head.push(u8::try_from(parts.len()).unwrap_or(u8::MAX));
    (head, parts)
}

/// The bytes of a part; none when it is of another commit.
pub(super) fn part(stored: &[u8], sequence: u64) -> Option<&[u8]> {
    let (found, bytes) = stored.split_first_chunk()?;
    (u64::from_be_bytes(*found) == sequence).then_some(bytes)
}
