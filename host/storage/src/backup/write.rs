//! Makes a backup.

use tokio::io::{AsyncWrite, AsyncWriteExt};
use vault::{BackupKey, SealError, random_bytes};

use super::BackupSummary;
use super::error::BackupError;
use super::format::{End, Kind, Pending, START_BYTES, Start};
use crate::engine::SnapshotItem;
use crate::error::Error;
use crate::key::Space;
use crate::storage::Storage;

impl Storage {
    /// Writes a backup while everything goes on. The file is whole and on its way to the disk when this returns; to sync
    /// it, and to put it in the place of an older one only then, is the caller's part.
    ///
    /// # Errors
    /// When the engine has stopped, or the file cannot be written.
    pub async fn backup(
        &self,
        to: &mut (impl AsyncWrite + Unpin + Send),
    ) -> Result<BackupSummary, BackupError> {
        let start = Start {
            deployment: self.deployment(),
            backup: random_bytes().map_err(|source| Error::Seal(SealError::from(source)))?,
            created_ms: self.now_ms(),
        };
        let mut snapshot = self.engine.snapshot().await?;
        let mut frames = Frames {
            to,
            start,
            key: self.with_keyring(vault::Keyring::backup_key),
            number: 0,
            items: 0,
            offset: 0,
            digest: blake3::Hasher::new(),
        };
        frames.write(&start.encode()).await?;
        let mut pending = Pending::default();
        loop {
            let items = snapshot.next().await?;
            if items.is_empty() {
                break;
            }
            for item in items.iter().filter(|item| is_kept(item)) {
                pending.push(item);
                if pending.is_full() {
                    frames.write_items(&mut pending).await?;
                }
            }
        }
        if pending.items > 0 {
            frames.write_items(&mut pending).await?;
        }
        frames.finish(snapshot.sequence()).await
    }
}

/// Caches end with their process; nobody could open them.
fn is_kept(item: &SnapshotItem) -> bool {
    let (SnapshotItem::Put((key, _)) | SnapshotItem::Delete(key)) = item;
    key.first() != Some(&(Space::Cache as u8))
}

struct Frames<'a, W> {
    to: &'a mut W,
    start: Start,
    key: BackupKey,
    number: u64,
    items: u64,
    offset: u64,
    digest: blake3::Hasher,
}

impl<W: AsyncWrite + Unpin> Frames<'_, W> {
    async fn write_items(&mut self, pending: &mut Pending) -> Result<(), BackupError> {
        self.items += pending.items;
        let frame = pending.take().map_err(|source| self.failed(source))?;
        self.write_frame(Kind::Items, &frame).await?;
        self.number += 1;
        Ok(())
    }

    async fn finish(mut self, sequence: u64) -> Result<BackupSummary, BackupError> {
        let digest = *self.digest.finalize().as_bytes();
        let end = End { frames: self.number, items: self.items, sequence, digest };
        self.write_frame(Kind::End, &end.encode()).await?;
        self.to.flush().await.map_err(|source| self.failed(source))?;
        let Start { deployment, created_ms, .. } = self.start;
        let (items, frames, bytes) = (self.items, self.number, self.offset);
        Ok(BackupSummary { deployment, created_ms, sequence, items, frames, bytes })
    }

    async fn write_frame(&mut self, kind: Kind, frame: &[u8]) -> Result<(), BackupError> {
        let sealed = self.key.seal(&self.start.context(kind, self.number), frame);
        let sealed = sealed.map_err(|source| Error::Seal(SealError::from(source)))?;
        let mut head = vec![kind as u8];
        head.extend_from_slice(&u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.digest.update(&head);
        self.digest.update(&sealed);
        self.write(&head).await?;
        self.write(&sealed).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.to.write_all(bytes).await.map_err(|source| self.failed(source))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn failed(&self, source: std::io::Error) -> BackupError {
        BackupError::File { action: "write", offset: self.offset, source }
    }
}

const _: () = assert!(START_BYTES == 50, "the format says so");
