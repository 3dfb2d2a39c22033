//! Changes row errors that are stored: in place where only their state changes, else by writing their chunk anew.

use crate::chunk::{self, ChunkIndex, StoredError};
use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::seat::Seat;
use crate::settlement::{Fate, Rejection};
use crate::stage::{chunk_key, index_key, keys_key};
use crate::superseded::{ErrorRef, KeyPrefix};
use crate::tables::{ERROR_CHUNKS, ERROR_INDEX, ERROR_KEYS, Key};
use std::collections::BTreeMap;
use storage::{Change, Life, Table};

impl SealedRecords {
    /// Gives row errors of one chunk their fate, in one change; once, however often it is called. A chunk that is gone has
    /// expired. With a seat only while its run is the newest; without one somebody wished it, and what is gone is erased.
    pub(crate) async fn edit_chunk(
        &self,
        sync: &str,
        seat: Option<&Seat>,
        at: ErrorRef,
        edits: &BTreeMap<u32, Fate>,
        run: u64,
    ) -> Result<(), Error> {
        let mut attempts = Attempts::at(ERROR_INDEX);
        loop {
            let Some(found) = self.get(ERROR_INDEX, &index_key(sync, at)).await? else { return Ok(()) };
            let index: ChunkIndex = codec::from_compact(ERROR_INDEX, found.value.expose())?;
            let life = found.ends_ms.map_or(Life::Standing, Life::Until);
            let change = self.change().expect(ERROR_INDEX, index_key(sync, at), Some(&found.revision));
            let edit = Edit { sync, at, edits, run, life, erases: seat.is_none() };
            let change = if edits.values().all(|fate| *fate == Fate::Superseded) {
                self.mark(change, edit, index).await?
            } else {
                self.rewrite(change, edit, index).await?
            };
            let Some(mut change) = change else { return Ok(()) };
            if let Some(seat) = seat {
                change = self.fenced(seat, change).await?;
            }
            if self.try_commit(change).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }

    /// Notes in the index which of them are superseded. None: nothing changes.
    async fn mark(
        &self,
        change: Change,
        edit: Edit<'_>,
        mut index: ChunkIndex,
    ) -> Result<Option<Change>, Error> {
        let Edit { sync, at, edits, run, life, .. } = edit;
        // Only what has a key can be superseded, and keys of what is gone are gone.
        let Some(mut keys) = self.read_keys(sync, &index.stream, at).await? else { return Ok(None) };
        let marked: Vec<u32> =
            keys.iter().map(|(offset, _)| *offset).filter(|offset| edits.contains_key(offset)).collect();
        if marked.is_empty() {
            return Ok(None);
        }
        keys.retain(|(offset, _)| !edits.contains_key(offset));
        let change = put_keys(change, edit, &index.stream, &keys)?;
        index.superseded.extend(marked.into_iter().map(|offset| (offset, run)));
        let value = codec::to_compact(ERROR_INDEX, &index)?;
        Ok(Some(change.put(ERROR_INDEX, index_key(sync, at), life, value)))
    }

    /// Writes the chunk anew, under another key: what is deleted can be erased, and what is overwritten cannot.
    async fn rewrite(
        &self,
        change: Change,
        edit: Edit<'_>,
        mut index: ChunkIndex,
    ) -> Result<Option<Change>, Error> {
        let Edit { sync, at, edits, run, life, .. } = edit;
        let old_key = chunk_key(sync, at, index.revision);
        let Some(found) = self.get(ERROR_CHUNKS, &old_key).await? else { return Ok(None) };
        let before = chunk::decode(&found)?;
        let mut after = Vec::with_capacity(before.len());
        for error in before.iter().cloned() {
            match edits.get(&error.offset) {
                None => after.push(error),
                Some(Fate::Dealt) => {}
                Some(Fate::Superseded) => {
                    index.superseded.insert(error.offset, run);
                    after.push(error);
                }
                Some(Fate::Rejected(why)) => after.push(rejected_again(error, why, run)),
            }
        }
        if after == before {
            return Ok(None);
        }
        if after.is_empty() {
            let change = edit.remove(change, ERROR_CHUNKS, old_key);
            let change = edit.remove(change, ERROR_INDEX, index_key(sync, at));
            return Ok(Some(edit.remove(change, ERROR_KEYS, keys_key(sync, &index.stream, at))));
        }
        let (index, packed) = chunk::encode_again(&after, &index)?;
        let change = edit.remove(change, ERROR_CHUNKS, old_key);
        let change = change.put(ERROR_CHUNKS, chunk_key(sync, at, index.revision), life, packed);
        let value = codec::to_compact(ERROR_INDEX, &index)?;
        let change = change.put(ERROR_INDEX, index_key(sync, at), life, value);
        let Some(mut keys) = self.read_keys(sync, &index.stream, at).await? else { return Ok(Some(change)) };
        let is_closed = |offset: &u32| matches!(edits.get(offset), Some(Fate::Dealt | Fate::Superseded));
        keys.retain(|(offset, _)| !is_closed(offset));
        Ok(Some(put_keys(change, edit, &index.stream, &keys)?))
    }

    async fn read_keys(
        &self,
        sync: &str,
        stream: &str,
        at: ErrorRef,
    ) -> Result<Option<Vec<(u32, KeyPrefix)>>, Error> {
        let found = self.read_compact(ERROR_KEYS, &keys_key(sync, stream, at)).await?;
        Ok(found.map(|(keys, _)| keys))
    }
}

/// What is to be done to one chunk.
#[derive(Clone, Copy)]
struct Edit<'a> {
    sync: &'a str,
    at: ErrorRef,
    edits: &'a BTreeMap<u32, Fate>,
    run: u64,
    life: Life,
    erases: bool,
}

impl Edit<'_> {
    fn remove(self, change: Change, table: Table, key: Key) -> Change {
        if self.erases { change.delete(table, key) } else { change.discard(table, key) }
    }
}

fn put_keys(
    change: Change,
    edit: Edit<'_>,
    stream: &str,
    keys: &[(u32, KeyPrefix)],
) -> Result<Change, Error> {
    let value = codec::to_compact(ERROR_KEYS, &keys)?;
    Ok(change.put(ERROR_KEYS, keys_key(edit.sync, stream, edit.at), edit.life, value))
}

/// A run tries a row once, so that what says so already is not counted again.
pub(crate) fn rejected_again(error: StoredError, why: &Rejection, run: u64) -> StoredError {
    if error.tried_by == Some(run) {
        return error;
    }
    let Rejection { code, message, retryable, by, operation, attempt, fields } = why.clone();
    StoredError {
        tries: error.tries + 1,
        tried_by: Some(run),
        code,
        message,
        retryable,
        by,
        operation: operation.or(error.operation),
        attempt,
        fields: if fields.is_empty() { error.fields } else { fields },
        ..error
    }
}
