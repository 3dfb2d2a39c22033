//! Open row errors by the keyed hash of their row's key, so that a run notices when such a row is accepted after all.

use crate::codec;
use crate::error::Error;
use crate::groups::StoredGroup;
use crate::records::SealedRecords;
use crate::seat::Seat;
use crate::tables::{ERROR_GROUPS, ERROR_KEYS, Key};
use pipeline::records::{KeyHash, OpenKeys};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use storage::KeyedHasher;

/// What hashes of keys are made for: the same key has other hashes under other labels.
const LABEL: &str = "keys of row errors";

/// Where a row error is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ErrorRef {
    pub(crate) run: u64,
    pub(crate) stage: u64,
    pub(crate) chunk: u32,
    pub(crate) offset: u32,
}

/// As much of a hash as is kept: enough that two keys of a million do not meet.
pub(crate) type KeyPrefix = [u8; 16];

pub(crate) fn short_hash(hash: &KeyHash) -> KeyPrefix {
    hash.first_chunk().copied().unwrap_or_default()
}

/// The open row errors of one stream. In one sorted list: a million take 48 MB.
pub(crate) struct OpenErrors {
    hasher: KeyedHasher,
    sorted: Vec<(KeyPrefix, ErrorRef)>,
    /// How many there were no room for: the oldest.
    pub(crate) left_out: u64,
}

impl std::fmt::Debug for OpenErrors {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpenErrors").field("count", &self.sorted.len()).finish_non_exhaustive()
    }
}

impl OpenErrors {
    /// The row errors of this key.
    pub(crate) fn of(&self, hash: &KeyHash) -> impl Iterator<Item = ErrorRef> {
        let wanted = short_hash(hash);
        let first = self.sorted.partition_point(|(prefix, _)| *prefix < wanted);
        self.sorted.iter().skip(first).take_while(move |(prefix, _)| *prefix == wanted).map(|(_, at)| *at)
    }
}

impl OpenKeys for OpenErrors {
    fn hash_if_open(&self, key: &[u8]) -> Option<KeyHash> {
        let hash = self.hasher.hash(key);
        self.sorted.binary_search_by_key(&short_hash(&hash), |(prefix, _)| *prefix).is_ok().then_some(hash)
    }
}

impl SealedRecords {
    pub(crate) async fn key_hasher(&self) -> Result<KeyedHasher, Error> {
        Ok(self.storage.keyed_hasher(&self.organization, LABEL).await?)
    }

    /// What the stream has of open row errors with a key; none where there are none. Stays with the run, which is told
    /// hashes only.
    pub(crate) async fn load_open(
        &self,
        seat: &Seat,
        stream: &str,
    ) -> Result<Option<Arc<OpenErrors>>, Error> {
        let prefix = Key::of(&seat.sync).name(stream);
        let mut page = self.scan_page(ERROR_KEYS, &prefix, None).await?;
        if page.is_empty() {
            return Ok(None);
        }
        let committed = self.committed_stages(&seat.sync).await?;
        let mut newest: VecDeque<(KeyPrefix, ErrorRef)> = VecDeque::new();
        let mut left_out = 0;
        while let Some((last, _)) = page.last() {
            let last = last.clone();
            for (key, found) in &page {
                let Some(at) = place_of(key).filter(|at| committed.contains(&(at.run, at.stage))) else {
                    continue;
                };
                let keys: Vec<(u32, KeyPrefix)> = codec::from_compact(ERROR_KEYS, found.value.expose())?;
                newest.extend(keys.into_iter().map(|(offset, hash)| (hash, ErrorRef { offset, ..at })));
                while newest.len() > self.settings.open_keys_max {
                    newest.pop_front();
                    left_out += 1;
                }
            }
            page = self.scan_page(ERROR_KEYS, &prefix, Some(&last)).await?;
        }
        if newest.is_empty() {
            return Ok(None);
        }
        let mut sorted = Vec::from(newest);
        sorted.sort_unstable();
        let open = Arc::new(OpenErrors { hasher: self.key_hasher().await?, sorted, left_out });
        seat.open_errors().insert(stream.to_owned(), Arc::clone(&open));
        Ok(Some(open))
    }

    /// What no commit has made true says nothing.
    async fn committed_stages(&self, sync: &str) -> Result<BTreeSet<(u64, u64)>, Error> {
        let mut stages = BTreeSet::new();
        for (_, found) in self.scan_all(ERROR_GROUPS, &Key::of(sync)).await? {
            let group: StoredGroup = codec::from_compact(ERROR_GROUPS, found.value.expose())?;
            stages.insert((group.run, group.stage));
        }
        Ok(stages)
    }
}

/// By the end of its key: run, stage, chunk.
fn place_of(key: &[u8]) -> Option<ErrorRef> {
    let (rest, chunk) = key.split_last_chunk()?;
    let (rest, stage) = rest.split_last_chunk()?;
    let (_, run) = rest.split_last_chunk()?;
    let (run, stage) = (u64::from_be_bytes(*run), u64::from_be_bytes(*stage));
    Some(ErrorRef { run, stage, chunk: u32::from_be_bytes(*chunk), offset: 0 })
}
