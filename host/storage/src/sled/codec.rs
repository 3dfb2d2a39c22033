//! Batches as bytes, as they lie in a frame's payload.
//!
//! ```text
//! batch  = puts u16 | deletes u16 | put... | delete...
//! put    = bytes of the key u16 | bytes of the value u32 | key | value
//! delete = bytes of the key u16 | key
//! ```
//!
//! Absolute: what was expected is not written, because it was true. Deletes come before puts when they are applied.

use crate::engine::Batch;

/// Reads bytes from the front; none where there are too few.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A batch as it lies in the journal, without a copy.
pub(super) struct Written<'a> {
    pub(super) puts: Vec<(&'a [u8], &'a [u8])>,
    pub(super) deletes: Vec<&'a [u8]>,
}

/// Appends a batch that has passed [`Batch::check`], so every length fits its field.
pub(super) fn encode(batch: &Batch, bytes: &mut Vec<u8>) {
    put_u16(bytes, batch.put.len());
    put_u16(bytes, batch.delete.len());
    for (key, value) in &batch.put {
        put_u16(bytes, key.len());
        bytes.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
    }
    for key in &batch.delete {
        put_u16(bytes, key.len());
        bytes.extend_from_slice(key);
    }
}

/// So many batches, which must be all that is there.
pub(super) fn decode(payload: &[u8], count: u32) -> Option<Vec<Written<'_>>> {
    let mut reader = Reader::new(payload);
    let mut batches = Vec::new();
    for _ in 0..count {
        batches.push(decode_one(&mut reader)?);
    }
    reader.is_empty().then_some(batches)
}

fn decode_one<'a>(reader: &mut Reader<'a>) -> Option<Written<'a>> {
    let puts = u16::from_le_bytes(reader.array()?);
    let deletes = u16::from_le_bytes(reader.array()?);
    let mut batch = Written { puts: Vec::new(), deletes: Vec::new() };
    for _ in 0..puts {
        let key = usize::from(u16::from_le_bytes(reader.array()?));
        let value = usize::try_from(u32::from_le_bytes(reader.array()?)).ok()?;
        batch.puts.push((reader.bytes(key)?, reader.bytes(value)?));
    }
    for _ in 0..deletes {
        let key = usize::from(u16::from_le_bytes(reader.array()?));
        batch.deletes.push(reader.bytes(key)?);
    }
    Some(batch)
}

fn put_u16(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
}
