//! An engine in memory, for tests and for what is lost with its process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::engine::{Batch, Engine, EngineError, Entry, Scan, Sequence, Snapshot, SnapshotItem};

/// What an answer of a scan or a page of a snapshot has before it ends early.
const ANSWER_BYTES: usize = 4 << 20;

/// An engine in memory.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    sequence: Sequence,
}

struct MemorySnapshot {
    entries: std::collections::btree_map::IntoIter<Vec<u8>, Vec<u8>>,
    sequence: Sequence,
}

impl MemoryEngine {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.state().entries.get(key).cloned())
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        let Scan { prefix, after, limit } = scan;
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix.clone()),
        };
        let state = self.state();
        let mut bytes = 0;
        let mut entries = Vec::new();
        for (key, value) in state.entries.range((start, Bound::Unbounded)) {
            if !key.starts_with(&prefix) || entries.len() >= limit || bytes >= ANSWER_BYTES {
                break;
            }
            bytes += key.len() + value.len();
            entries.push((key.clone(), value.clone()));
        }
        Ok(entries)
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        batch.check()?;
        let mut state = self.state();
        let broken = batch.expect.iter().find(|one| state.entries.get(&one.key) != one.value.as_ref());
        if let Some(broken) = broken {
            return Err(EngineError::Conflict { key: broken.key.clone() });
        }
        batch.delete.iter().for_each(|key| drop(state.entries.remove(key)));
        state.entries.extend(batch.put);
        state.sequence += 1;
        Ok(state.sequence)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        let state = self.state();
        let (entries, sequence) = (state.entries.clone().into_iter(), state.sequence);
        Ok(Box::new(MemorySnapshot { entries, sequence }))
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

#[async_trait]
impl Snapshot for MemorySnapshot {
    async fn next(&mut self) -> Result<Vec<SnapshotItem>, EngineError> {
        Ok(self.entries.by_ref().take(256).map(SnapshotItem::Put).collect())
    }

    fn sequence(&self) -> Sequence {
        self.sequence
    }
}
