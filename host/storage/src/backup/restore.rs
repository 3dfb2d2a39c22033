//! Verifies backups, and restores them into an engine that has nothing.

use std::collections::BTreeMap;

use futures::future::join_all;
use tokio::io::AsyncRead;
use vault::{Keyring, Place};

use super::error::BackupError;
use super::{BackupReader, BackupSummary};
use crate::engine::{BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX, Batch, Engine, Scan, SnapshotItem};
use crate::key::{self, RecordKey, Space};
use crate::notes;
use crate::value::Stored;

/// What a restore has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Of the backup.
    pub backup: BackupSummary,
    /// Records that are there now.
    pub records: u64,
    /// Records, and chunks of large ones, that the keyring has no keys for: they were erased since the backup was made.
    pub erased: u64,
    /// Records whose keys are there and that do not open all the same. They were damaged when the backup was made.
    pub damaged: u64,
}

/// Reads a backup to its end. Every byte of it was found right when this answers.
///
/// # Errors
/// When it is damaged, cut off, of another deployment or of a newer version.
pub async fn verify_backup(
    from: impl AsyncRead + Unpin + Send,
    keyring: &Keyring,
) -> Result<BackupSummary, BackupError> {
    let mut reader = BackupReader::open(from, keyring).await?;
    while reader.next().await?.is_some() {}
    reader.summary().ok_or(BackupError::NotABackup)
}

/// Restores a backup into an engine that has nothing. Every record is opened on the way: what was erased since the backup
/// was made stays away, and nobody stumbles over it later. An engine in which a restore was not finished is no storage:
/// [`Storage::open`](crate::Storage::open) refuses it.
///
/// # Errors
/// As [`verify_backup`], and when the engine is not empty or refuses.
pub async fn restore_backup(
    from: impl AsyncRead + Unpin + Send,
    engine: &dyn Engine,
    keyring: &Keyring,
) -> Result<Restored, BackupError> {
    let mut reader = BackupReader::open(from, keyring).await?;
    if !engine.scan(Scan { limit: 1, ..Scan::default() }).await?.is_empty() {
        return Err(BackupError::NotEmpty);
    }
    let mark = vec![(notes::key(notes::RESTORING), Vec::new())];
    engine.commit(Batch { put: mark, ..Batch::default() }).await?;
    let mut counts = Counts::default();
    while let Some(items) = reader.next().await? {
        let batches = batches(latest(items), keyring, &mut counts);
        for committed in join_all(batches.into_iter().map(|batch| engine.commit(batch))).await {
            committed?;
        }
    }
    let delete = vec![notes::key(notes::RESTORING)];
    engine.commit(Batch { delete, ..Batch::default() }).await?;
    let backup = reader.summary().ok_or(BackupError::NotABackup)?;
    let Counts { records, erased, damaged } = counts;
    Ok(Restored { backup, records, erased, damaged })
}

#[derive(Default)]
struct Counts {
    records: u64,
    erased: u64,
    damaged: u64,
}

/// What each key comes to within one frame, so that its batches may be committed in any order.
fn latest(items: Vec<SnapshotItem>) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    let entry = |item| match item {
        SnapshotItem::Put((key, value)) => (key, Some(value)),
        SnapshotItem::Delete(key) => (key, None),
    };
    items.into_iter().map(entry).collect()
}

fn batches(latest: BTreeMap<Vec<u8>, Option<Vec<u8>>>, keyring: &Keyring, counts: &mut Counts) -> Vec<Batch> {
    let mut batches = vec![Batch::default()];
    let (mut operations, mut bytes) = (0, 0);
    for (key, value) in latest {
        let value = value.filter(|value| is_worth_keeping(&key, value, keyring, counts));
        operations += 1;
        bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        if operations > BATCH_OPERATIONS_MAX || bytes > BATCH_BYTES_MAX {
            batches.push(Batch::default());
            (operations, bytes) = (1, key.len() + value.as_ref().map_or(0, Vec::len));
        }
        let Some(batch) = batches.last_mut() else { continue };
        match value {
            Some(value) => batch.put.push((key, value)),
            // Also what is not kept: an earlier frame may have brought it.
            None => batch.delete.push(key),
        }
    }
    batches
}

fn is_worth_keeping(key: &[u8], value: &[u8], keyring: &Keyring, counts: &mut Counts) -> bool {
    if key.first() == Some(&(Space::Chunks as u8)) {
        let organization = key::organization_of(key).unwrap_or_default();
        let has_keys = keyring.has_keys(organization, value).unwrap_or(true);
        counts.erased += u64::from(!has_keys);
        return has_keys;
    }
    let Some(RecordKey { organization, table, key }) = RecordKey::parse(key) else { return true };
    let opens = Stored::decode(value).and_then(|stored| {
        let header = stored.header()?;
        let Stored { schema_version, .. } = stored;
        let (class, bucket) = (header.class, header.bucket);
        let place = Place { organization, table, key, schema_version, class, bucket };
        if !keyring.has_keys(organization, stored.sealed)? {
            return Ok(false);
        }
        // No time has come at 0: what has ended is told by its key, and not by a clock that may be wrong.
        keyring.open_record(&place, stored.sealed, 0)?;
        Ok(true)
    });
    match opens {
        Ok(true) => counts.records += 1,
        Ok(false) => counts.erased += 1,
        // Kept, so that it can be looked into.
        Err(_) => counts.damaged += 1,
    }
    !matches!(opens, Ok(false))
}
