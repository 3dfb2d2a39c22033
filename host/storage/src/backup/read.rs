//! Reads a backup. Nothing of a frame is given out before its seal was found right.

use tokio::io::{AsyncRead, AsyncReadExt};
use vault::{BackupKey, Keyring, UnwrapError};

use super::BackupSummary;
use super::error::BackupError;
use super::format::{End, FRAME_BYTES_MAX, FRAME_START_BYTES, Kind, START_BYTES, Start, decode_items};
use crate::engine::SnapshotItem;

/// A backup that is read from its beginning to its end.
pub struct BackupReader<R> {
    from: R,
    start: Start,
    key: BackupKey,
    frame: u64,
    items: u64,
    offset: u64,
    digest: blake3::Hasher,
    end: Option<End>,
}

impl<R: AsyncRead + Unpin + Send> BackupReader<R> {
    /// Reads the start.
    ///
    /// # Errors
    /// When it is no backup, of a newer version, or of another deployment than the keyring.
    pub async fn open(from: R, keyring: &Keyring) -> Result<Self, BackupError> {
        let mut reader = Reader { from, offset: 0 };
        let mut start = [0; START_BYTES];
        let read = reader.fill(&mut start).await?;
        let start = Start::decode(start.get(..read).unwrap_or_default())?;
        let expected = *keyring.deployment();
        if start.deployment != expected {
            return Err(BackupError::OtherDeployment { found: start.deployment, expected });
        }
        Ok(Self {
            from: reader.from,
            start,
            key: keyring.backup_key(),
            frame: 0,
            items: 0,
            offset: reader.offset,
            digest: blake3::Hasher::new(),
            end: None,
        })
    }

    /// The items of the next frame; none at the end, when all of the backup was found right.
    ///
    /// # Errors
    /// When the backup is damaged or cut off, with the frame and the place in the file.
    pub async fn next(&mut self) -> Result<Option<Vec<SnapshotItem>>, BackupError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let mut head = [0; FRAME_START_BYTES];
        let at = self.offset;
        self.exactly(&mut head).await?;
        let [kind, length @ ..] = head;
        let kind = Kind::decode(kind).ok_or_else(|| self.damaged(at, "its kind is not known", None))?;
        let length = u32::from_be_bytes(length);
        if length > FRAME_BYTES_MAX {
            return Err(self.damaged(at, "it is longer than any frame", None));
        }
        let mut sealed = vec![0; length as usize];
        self.exactly(&mut sealed).await?;
        let opened = self.key.open(&self.start.context(kind, self.frame), &sealed);
        let opened =
            opened.map_err(|source| self.damaged(at, "it was changed, moved or left out", Some(source)))?;
        match kind {
            Kind::Items => {
                self.digest.update(&head);
                self.digest.update(&sealed);
                let items = decode_items(opened.expose())
                    .ok_or_else(|| self.damaged(at, "its items are not as they are written", None))?;
                self.frame += 1;
                self.items += items.len() as u64;
                Ok(Some(items))
            }
            Kind::End => self.check_end(at, opened.expose()).await.map(|()| None),
        }
    }

    /// What the backup says of itself; none before its end.
    pub fn summary(&self) -> Option<BackupSummary> {
        let End { frames, items, sequence, .. } = self.end?;
        let Start { deployment, created_ms, .. } = self.start;
        Some(BackupSummary { deployment, created_ms, sequence, items, frames, bytes: self.offset })
    }

    async fn check_end(&mut self, at: u64, end: &[u8]) -> Result<(), BackupError> {
        let end = End::decode(end).ok_or_else(|| self.damaged(at, "it is no end", None))?;
        let digest = *self.digest.finalize().as_bytes();
        if (end.frames, end.items, end.digest) != (self.frame, self.items, digest) {
            return Err(self.damaged(at, "it does not count the frames before it", None));
        }
        let mut more = [0; 1];
        if self.read(&mut more).await? > 0 {
            return Err(self.damaged(self.offset - 1, "more follows behind the end", None));
        }
        self.end = Some(end);
        Ok(())
    }

    async fn exactly(&mut self, to: &mut [u8]) -> Result<(), BackupError> {
        if self.read(to).await? < to.len() {
            return Err(BackupError::CutOff { frame: self.frame, offset: self.offset });
        }
        Ok(())
    }

    async fn read(&mut self, to: &mut [u8]) -> Result<usize, BackupError> {
        let mut reader = Reader { from: &mut self.from, offset: self.offset };
        let read = reader.fill(to).await;
        self.offset = reader.offset;
        read
    }

    fn damaged(&self, offset: u64, problem: &'static str, source: Option<UnwrapError>) -> BackupError {
        BackupError::Damaged { frame: self.frame, offset, problem, source }
    }
}

struct Reader<R> {
    from: R,
    offset: u64,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads until all is full or the file ends; answers how much there was.
    async fn fill(&mut self, to: &mut [u8]) -> Result<usize, BackupError> {
        let mut filled = 0;
        while let Some(rest) = to.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let read = self.from.read(rest).await;
            let failed = |source| BackupError::File { action: "read", offset: self.offset, source };
            match read.map_err(failed)? {
                0 => break,
                read => {
                    filled += read;
                    self.offset += read as u64;
                }
            }
        }
        Ok(filled)
    }
}
