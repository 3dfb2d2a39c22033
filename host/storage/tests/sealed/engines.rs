//! Engines that do what disks and machines do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cofferdam_storage::{
    Batch, Engine, EngineError, Entry, MemoryEngine, Scan, Sequence, Snapshot, SnapshotItem,
};

/// When a crash comes, seen from the commit that it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The commit is not done.
    Before,
    /// The commit is done, and nobody was told.
    After,
}

/// Does so many commits and crashes; nothing is answered from then on.
pub(crate) struct Crashing {
    inner: Arc<dyn Engine>,
    left: AtomicUsize,
    is_off: AtomicBool,
    crash: Crash,
}

impl Crashing {
    pub(crate) fn after(inner: Arc<dyn Engine>, commits: usize, crash: Crash) -> Arc<Self> {
        Arc::new(Self { inner, left: commits.into(), is_off: false.into(), crash })
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.is_off.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), EngineError> {
        if self.has_crashed() { Err(off()) } else { Ok(()) }
    }
}

fn off() -> EngineError {
    EngineError::Stopped { reason: "the machine is off".to_owned() }
}

#[async_trait]
impl Engine for Crashing {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.check()?;
        self.inner.get(key).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        self.check()?;
        self.inner.scan(scan).await
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        self.check()?;
        let is_last =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err();
        if !is_last {
            return self.inner.commit(batch).await;
        }
        self.is_off.store(true, Ordering::SeqCst);
        if self.crash == Crash::After {
            self.inner.commit(batch).await?;
        }
        Err(off())
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        self.check()?;
        self.inner.snapshot().await
    }

    fn is_exclusive(&self) -> bool {
        self.inner.is_exclusive()
    }
}

/// Keeps whatever was ever put, as a disk may.
pub(crate) struct Recording {
    inner: MemoryEngine,
    written: Mutex<Vec<Entry>>,
}

impl Recording {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { inner: MemoryEngine::new(), written: Mutex::default() })
    }

    pub(crate) fn written(&self) -> Vec<Entry> {
        self.written.lock().unwrap().clone()
    }
}

#[async_trait]
impl Engine for Recording {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.inner.get(key).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        self.inner.scan(scan).await
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        self.written.lock().unwrap().extend(batch.put.iter().cloned());
        self.inner.commit(batch).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        self.inner.snapshot().await
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

/// Everything that an engine has.
pub(crate) async fn everything(engine: &dyn Engine) -> Vec<Entry> {
    let mut snapshot = engine.snapshot().await.unwrap();
    let mut entries = BTreeMap::new();
    loop {
        let items = snapshot.next().await.unwrap();
        if items.is_empty() {
            return entries.into_iter().collect();
        }
        for item in items {
            match item {
                SnapshotItem::Put((key, value)) => drop(entries.insert(key, value)),
                SnapshotItem::Delete(key) => drop(entries.remove(&key)),
            }
        }
    }
}

/// Puts entries where they are, past everything that storage holds them against.
pub(crate) async fn put_raw(engine: &dyn Engine, entries: &[Entry]) {
    for entries in entries.chunks(8) {
        engine.commit(Batch { put: entries.to_vec(), ..Batch::default() }).await.unwrap();
    }
}

/// The entries of a space; the number is the first byte of their keys.
pub(crate) async fn of_space(engine: &dyn Engine, space: u8) -> Vec<Entry> {
    let entries = everything(engine).await;
    entries.into_iter().filter(|(key, _)| key.first() == Some(&space)).collect()
}

pub(crate) const RECORDS: u8 = 1;
pub(crate) const CHUNKS: u8 = 2;
pub(crate) const VALUES: u8 = 3;
pub(crate) const EXPIRY: u8 = 4;

/// Lets others run before and after each commit.
pub(crate) struct Slow(Arc<dyn Engine>);

impl Slow {
    pub(crate) fn over(inner: Arc<dyn Engine>) -> Arc<Self> {
        Arc::new(Self(inner))
    }
}

#[async_trait]
impl Engine for Slow {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.0.get(key).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        self.0.scan(scan).await
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        tokio::task::yield_now().await;
        let sequence = self.0.commit(batch).await?;
        tokio::task::yield_now().await;
        Ok(sequence)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        self.0.snapshot().await
    }

    fn is_exclusive(&self) -> bool {
        self.0.is_exclusive()
    }
}
