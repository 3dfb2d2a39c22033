//! A backup of what an engine has, as plain as can be: here it is the engine that is tested, and `backup` tests real ones.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use storage::sled::{BackupItems, NewestBackup};
use storage::{Engine, SledEngine, SnapshotItem};

/// The newest backup, in a directory of its own.
pub(crate) struct Items(PathBuf);

impl Items {
    pub(crate) fn within(backups: &Path) -> Self {
        Self(backups.join("items"))
    }

    /// Writes a backup, durable when this returns, and tells the engine.
    pub(crate) async fn back_up(&self, engine: &SledEngine) -> Result<()> {
        let mut snapshot = engine.snapshot().await?;
        let mut bytes = Vec::new();
        loop {
            let items = snapshot.next().await?;
            if items.is_empty() {
                break;
            }
            for item in items {
                let (key, value) = match item {
                    SnapshotItem::Put((key, value)) => (key, Some(value)),
                    SnapshotItem::Delete(key) => (key, None),
                };
                bytes.push(value.is_some().into());
                put(&mut bytes, &key);
                put(&mut bytes, &value.unwrap_or_default());
            }
        }
        let temporary = self.0.with_extension("new");
        let mut file = File::create(&temporary)?;
        file.write_all(&snapshot.sequence().to_be_bytes())?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.0)?;
        self.0.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())?;
        engine.backed_up(snapshot.sequence());
        Ok(())
    }
}

impl NewestBackup for Items {
    fn open(&self) -> Result<Option<BackupItems>, String> {
        let Ok(bytes) = fs::read(&self.0) else { return Ok(None) };
        let items = parse(&bytes).ok_or("the backup is cut off")?;
        let sequence = bytes.first_chunk().map(|sequence| u64::from_be_bytes(*sequence));
        let sequence = sequence.ok_or("the backup is empty")?;
        Ok(Some(BackupItems { sequence, items: Box::new(items.into_iter().map(Ok)) }))
    }
}

fn parse(bytes: &[u8]) -> Option<Vec<SnapshotItem>> {
    let mut rest = bytes.get(8..)?;
    let mut items = Vec::new();
    while let Some((is_put, after)) = rest.split_first() {
        rest = after;
        let (key, value) = (take(&mut rest)?, take(&mut rest)?);
        items.push(if *is_put == 1 { SnapshotItem::Put((key, value)) } else { SnapshotItem::Delete(key) });
    }
    Some(items)
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
    bytes.extend_from_slice(part);
}

fn take(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, after) = rest.split_first_chunk()?;
    let (part, after) = after.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
    *rest = after;
    Some(part.to_vec())
}
