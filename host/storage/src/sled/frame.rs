//! The bytes of the commit journal: what is written once, and how it is told from what was torn by a power cut.
//!
//! A journal is a row of segments, files that are named by their number. All numbers are little-endian.
//!
//! ```text
//! segment  0  magic "CFDMJRNL"                      frame   0  magic "CFJ1"
//!          8  format u32 = 1                                4  kind u8, then three zeros
//!         12  zero u32                                      8  bytes of the payload u32
//!         16  number of the segment u64                    12  batches in it u32
//!         24  first sequence that it may have u64          16  sequence of the first of them u64
//!         32  chain before it [32]                         24  CRC-32 of 0..24 and the payload
//!         64  MAC of 0..64 [32]                            28  zero u32
//!         96  frames, to the end or to zeros               32  MAC [32]
//!                                                          64  payload, then zeros up to a multiple of 8
//! ```
//!
//! A frame is what was written and synced at once: the batches of one group of commits, so only the last frame of a journal
//! can be torn. Its MAC is keyed BLAKE3 over segment, chain, header and payload, and the chain is the MAC of the frame before:
//! frames can be neither reordered nor left out. The CRC tells a torn frame without the key, and finds frames behind a bad
//! one.

use super::codec::Reader;

pub(super) const FORMAT: u32 = 1;
pub(super) const SEGMENT_HEADER_BYTES: usize = 96;
pub(super) const FRAME_HEADER_BYTES: usize = 64;
const SEGMENT_MAGIC: &[u8; 8] = b"CFDMJRNL";
const FRAME_MAGIC: &[u8; 4] = b"CFJ1";
const CHECKED_BYTES: usize = 24;

/// A MAC, and with it the chain behind the frame that it is of.
pub(super) type Mac = [u8; 32];

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// These batches are committed.
    Batches = 1,
    /// A process has opened the database. Its sequence is that of the last commit, as with the kinds that follow.
    Opened = 2,
    /// It has closed it: everything is in the database, durably.
    Closed = 3,
    /// The journal goes on in the next segment, which is there.
    Ended = 4,
}

/// The beginning of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) number: u64,
    pub(super) first: u64,
    pub(super) chain: Mac,
}

/// Why a segment does not begin as it should.
pub(super) enum HeaderFault {
    Bytes,
    Format(u32),
    Mac,
}

impl SegmentHeader {
    pub(super) fn encode(&self, key: &Mac) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.extend_from_slice(SEGMENT_MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.chain);
        let mac = blake3::keyed_hash(key, &bytes);
        bytes.extend_from_slice(mac.as_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8], key: &Mac) -> Result<Self, HeaderFault> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            let magic: [u8; 8] = reader.array()?;
            let format = u32::from_le_bytes(reader.array()?);
            let zero: [u8; 4] = reader.array()?;
            let number = u64::from_le_bytes(reader.array()?);
            let first = u64::from_le_bytes(reader.array()?);
            Some((magic, format, zero, Self { number, first, chain: reader.array()? }, reader.array()?))
        };
        let (magic, format, zero, header, mac): (_, _, _, _, Mac) = read().ok_or(HeaderFault::Bytes)?;
        if &magic != SEGMENT_MAGIC || zero != [0; 4] {
            return Err(HeaderFault::Bytes);
        }
        if format != FORMAT {
            return Err(HeaderFault::Format(format));
        }
        let signed = bytes.get(..SEGMENT_HEADER_BYTES - size_of::<Mac>()).unwrap_or_default();
        if blake3::keyed_hash(key, signed) != blake3::Hash::from_bytes(mac) {
            return Err(HeaderFault::Mac);
        }
        Ok(header)
    }
}

/// A frame whose CRC is right.
#[derive(Debug, Clone)]
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    pub(super) batches: u32,
    pub(super) first: u64,
    pub(super) payload: &'a [u8],
    pub(super) mac: Mac,
    header: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame that begins these bytes; none where there is none or its CRC is wrong.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let magic: [u8; 4] = reader.array()?;
        if &magic != FRAME_MAGIC {
            return None;
        }
        let kind = match reader.array()? {
            [1, 0, 0, 0] => Kind::Batches,
            [2, 0, 0, 0] => Kind::Opened,
            [3, 0, 0, 0] => Kind::Closed,
            [4, 0, 0, 0] => Kind::Ended,
            _ => return None,
        };
        let length = usize::try_from(u32::from_le_bytes(reader.array()?)).ok()?;
        let batches = u32::from_le_bytes(reader.array()?);
        let first = u64::from_le_bytes(reader.array()?);
        let crc = u32::from_le_bytes(reader.array()?);
        let zero: [u8; 4] = reader.array()?;
        let mac = reader.array()?;
        let payload = reader.bytes(length)?;
        let header = bytes.get(..CHECKED_BYTES)?;
        let padding = reader.bytes(padding(length))?;
        let is_whole =
            zero == [0; 4] && crc == checksum(header, payload) && padding.iter().all(|byte| *byte == 0);
        is_whole.then_some(Self { kind, batches, first, payload, mac, header })
    }

    pub(super) fn byte_count(&self) -> usize {
        FRAME_HEADER_BYTES + self.payload.len() + padding(self.payload.len())
    }

    /// Whether it is ours and stands behind what it was written behind.
    pub(super) fn fits(&self, key: &Mac, segment: u64, chain: &Mac) -> bool {
        blake3::Hash::from_bytes(mac(key, segment, chain, self.header, self.payload))
            == blake3::Hash::from_bytes(self.mac)
    }

    /// The sequence of the next commit behind it.
    pub(super) fn next(&self) -> u64 {
        match self.kind {
            Kind::Batches => self.first.saturating_add(u64::from(self.batches)),
            _ => self.first.saturating_add(1),
        }
    }
}

/// Makes a frame of a buffer that has room for the header and behind it the payload. Answers with the new chain.
pub(super) fn seal(
    buffer: &mut Vec<u8>,
    says: (Kind, u32, u64),
    key: &Mac,
    segment: u64,
    chain: &Mac,
) -> Mac {
    let (kind, batches, first) = says;
    let payload = buffer.get(FRAME_HEADER_BYTES..).unwrap_or_default();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut header = Vec::with_capacity(FRAME_HEADER_BYTES);
    header.extend_from_slice(FRAME_MAGIC);
    header.extend_from_slice(&[kind as u8, 0, 0, 0]);
    header.extend_from_slice(&length.to_le_bytes());
    header.extend_from_slice(&batches.to_le_bytes());
    header.extend_from_slice(&first.to_le_bytes());
    let crc = checksum(&header, payload);
    let mac = mac(key, segment, chain, &header, payload);
    header.extend_from_slice(&crc.to_le_bytes());
    header.extend_from_slice(&[0; 4]);
    header.extend_from_slice(&mac);
    let padded = buffer.len() + padding(payload.len());
    buffer.resize(padded, 0);
    if let Some(room) = buffer.first_chunk_mut::<FRAME_HEADER_BYTES>() {
        room.copy_from_slice(&header);
    }
    mac
}

fn padding(length: usize) -> usize {
    length.next_multiple_of(8) - length
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize()
}

fn mac(key: &Mac, segment: u64, chain: &Mac, header: &[u8], payload: &[u8]) -> Mac {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&segment.to_le_bytes());
    hasher.update(chain);
    hasher.update(header);
    hasher.update(payload);
    *hasher.finalize().as_bytes()
}
