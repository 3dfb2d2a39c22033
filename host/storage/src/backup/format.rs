//! The bytes of a backup, and of its frames before they are sealed.

use vault::DeploymentId;

use super::error::BackupError;
use crate::engine::SnapshotItem;

const MAGIC: &[u8; 8] = b"COFFBKUP";
const VERSION: u16 = 1;
/// Bytes of the start of a backup.
pub(super) const START_BYTES: usize = 8 + 2 + 16 + 16 + 8;
/// Bytes before a sealed frame.
pub(super) const FRAME_START_BYTES: usize = 1 + 4;
/// A frame is closed when it has so much, so the longest has one value more.
pub(super) const FRAME_BYTES: usize = 1 << 20;
/// No longer one was written: nobody makes room for what a damaged length says.
pub(super) const FRAME_BYTES_MAX: u32 = 4 << 20;
/// Fast, and as good as slower ones on keys that begin alike.
const COMPRESSION: i32 = 1;

const PUT: u8 = 1;
const DELETE: u8 = 2;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Items = 1,
    End = 2,
}

impl Kind {
    pub(super) fn decode(byte: u8) -> Option<Self> {
        [Self::Items, Self::End].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// The start of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) deployment: DeploymentId,
    pub(super) backup: [u8; 16],
    pub(super) created_ms: u64,
}

impl Start {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(self.deployment.as_bytes());
        bytes.extend_from_slice(&self.backup);
        bytes.extend_from_slice(&self.created_ms.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BackupError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(BackupError::NotABackup)?;
        let (version, rest) = rest.split_first_chunk().ok_or(BackupError::NotABackup)?;
        match u16::from_be_bytes(*version) {
            VERSION => {}
            found => return Err(BackupError::Newer { found, known: VERSION }),
        }
        Self::read(rest).ok_or(BackupError::NotABackup)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (deployment, rest) = bytes.split_first_chunk()?;
        let (backup, rest) = rest.split_first_chunk()?;
        let created: &[u8; 8] = rest.try_into().ok()?;
        let (deployment, created_ms) = (DeploymentId::from_bytes(*deployment), u64::from_be_bytes(*created));
        Some(Self { deployment, backup: *backup, created_ms })
    }

    /// What a frame is sealed for.
    pub(super) fn context(&self, kind: Kind, number: u64) -> Vec<u8> {
        [self.encode().as_slice(), &[kind as u8], &number.to_be_bytes()].concat()
    }
}

/// The last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) frames: u64,
    pub(super) items: u64,
    pub(super) sequence: u64,
    pub(super) digest: [u8; 32],
}

impl End {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(56);
        for number in [self.frames, self.items, self.sequence] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.digest);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (frames, rest) = bytes.split_first_chunk()?;
        let (items, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let digest: &[u8; 32] = rest.try_into().ok()?;
        let [frames, items, sequence] = [frames, items, sequence].map(|number| u64::from_be_bytes(*number));
        Some(Self { frames, items, sequence, digest: *digest })
    }
}

/// Items that wait to become a frame.
#[derive(Default)]
pub(super) struct Pending {
    heads: Vec<u8>,
    values: Vec<u8>,
    pub(super) items: u64,
}

impl Pending {
    /// Keys and values are within the limits of engines, far below what their lengths can say.
    pub(super) fn push(&mut self, item: &SnapshotItem) {
        let (kind, key, value) = match item {
            SnapshotItem::Put((key, value)) => (PUT, key, value.as_slice()),
            SnapshotItem::Delete(key) => (DELETE, key, [].as_slice()),
        };
        self.heads.push(kind);
        self.heads.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.heads.extend_from_slice(key);
        self.heads.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.values.extend_from_slice(value);
        self.items += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.heads.len() + self.values.len() >= FRAME_BYTES
    }

    /// The frame before it is sealed, and nothing waits any more.
    pub(super) fn take(&mut self) -> std::io::Result<Vec<u8>> {
        let heads = zstd::bulk::compress(&self.heads, COMPRESSION)?;
        let mut frame = Vec::with_capacity(4 + heads.len() + self.values.len());
        frame.extend_from_slice(&u32::try_from(heads.len()).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(&heads);
        frame.extend_from_slice(&self.values);
        *self = Self::default();
        Ok(frame)
    }
}

/// The items of a frame. None: it is not as [`Pending`] makes one.
pub(super) fn decode_items(frame: &[u8]) -> Option<Vec<SnapshotItem>> {
    let (length, rest) = frame.split_first_chunk()?;
    let (heads, mut values) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let heads = zstd::bulk::decompress(heads, FRAME_BYTES_MAX as usize).ok()?;
    let mut heads = heads.as_slice();
    let mut items = Vec::new();
    while let Some((kind, rest)) = heads.split_first() {
        let (length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let (length, rest) = rest.split_first_chunk()?;
        let (value, left) = values.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        (heads, values) = (rest, left);
        items.push(match *kind {
            PUT => SnapshotItem::Put((key.to_vec(), value.to_vec())),
            DELETE => SnapshotItem::Delete(key.to_vec()),
            _ => return None,
        });
    }
    values.is_empty().then_some(items)
}

#[cfg(test)]
mod tests {
    use vault::DeploymentId;

    use super::{End, Pending, START_BYTES, Start, decode_items};
    use crate::engine::SnapshotItem;

    #[test]
    fn items_are_read_as_they_were_written() {
        let items = [
            SnapshotItem::Put((b"one".to_vec(), vec![1; 300])),
            SnapshotItem::Delete(b"two".to_vec()),
            SnapshotItem::Put((b"three".to_vec(), Vec::new())),
        ];
        let mut pending = Pending::default();
        items.iter().for_each(|item| pending.push(item));
        let frame = pending.take().unwrap();
        assert_eq!(decode_items(&frame).unwrap(), items);
        assert!(decode_items(&frame[..frame.len() - 1]).is_none());
    }

    #[test]
    fn start_and_end_are_read_as_they_were_written() {
        let start = Start { deployment: DeploymentId::from_bytes([1; 16]), backup: [2; 16], created_ms: 3 };
        assert_eq!(start.encode().len(), START_BYTES);
        assert_eq!(Start::decode(&start.encode()).unwrap(), start);
        let end = End { frames: 1, items: 2, sequence: 3, digest: [4; 32] };
        assert_eq!(End::decode(&end.encode()), Some(end));
    }
}
