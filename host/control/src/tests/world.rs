//! Storage as the tests want it: a keyring in a temporary directory, an engine in memory, a clock that they set.

use crate::Audit;
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::{Batch, Clock, Engine, EngineError, Entry, MemoryEngine, Scan, Sequence, Snapshot, Storage};
use tempfile::TempDir;
use vault::{DeploymentId, KeyFile, Keyring, Location, OsFiles};

pub(crate) const HOUR_MS: u64 = 60 * 60 * 1_000;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;
/// The start of a day.
pub(crate) const START_MS: u64 = 20_000 * DAY_MS;
const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([7; 16]);

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct FakeClock(AtomicU64);

impl FakeClock {
    pub(crate) fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }

    pub(crate) fn pass(&self, span_ms: u64) {
        self.0.fetch_add(span_ms, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What outlives a process: keys and an engine.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: Arc<FakeClock>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(MemoryEngine::new()))
    }

    pub(crate) fn over(engine: Arc<dyn Engine>) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        KeyFile::create(Arc::new(OsFiles), folder.path().join("key"), &DEPLOYMENT).unwrap();
        drop(Keyring::create(location(folder.path()), DEPLOYMENT).unwrap());
        Self { folder, engine, clock: Arc::new(FakeClock(AtomicU64::new(START_MS))) }
    }

    pub(crate) fn clock_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// As a process opens it; the one before must be gone.
    pub(crate) async fn storage(&self) -> Arc<Storage> {
        let keyring = Keyring::open(location(self.folder.path()), Some(&DEPLOYMENT)).unwrap();
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Arc::new(Storage::open(Arc::clone(&self.engine), keyring, clock).await.unwrap())
    }

    pub(crate) async fn audit(&self) -> Audit {
        Audit::open(self.storage().await).await.unwrap()
    }

    /// Every key and value that an engine holds.
    pub(crate) async fn bytes(&self) -> Vec<u8> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.engine.scan(Scan { prefix: Vec::new(), after, limit: 1_000 }).await.unwrap();
            let Some((last, _)) = page.last() else { return all };
            after = Some(last.clone());
            page.into_iter().for_each(|(key, value)| all.extend([key, value].concat()));
        }
    }
}

pub(crate) fn contains(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

fn location(folder: &Path) -> Location {
    let file = KeyFile::new(Arc::new(OsFiles), folder.join("key"));
    Location {
        files: Arc::new(OsFiles),
        path: folder.join("data/keyring"),
        slot: Some(file.shred_slot()),
        kek: Arc::new(file),
    }
}

/// An engine that lets others go first before and after what it does, and that stops after so many commits, as a process that dies does. A
/// commit in which it stops is lost or kept.
pub(crate) struct Dying {
    inner: MemoryEngine,
    left: AtomicU64,
    keeps_the_last: bool,
}

impl Dying {
    pub(crate) fn new(keeps_the_last: bool) -> Arc<Self> {
        Arc::new(Self { inner: MemoryEngine::new(), left: AtomicU64::new(u64::MAX), keeps_the_last })
    }

    pub(crate) fn die_after(&self, commits: u64) {
        self.left.store(commits, Ordering::SeqCst);
    }

    /// It lives on for the next process.
    pub(crate) fn revive(&self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
    }
}

#[async_trait]
impl Engine for Dying {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        tokio::task::yield_now().await;
        self.inner.get(key).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        self.inner.scan(scan).await
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        tokio::task::yield_now().await;
        let spend = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend).is_ok() {
            let committed = self.inner.commit(batch).await;
            tokio::task::yield_now().await;
            return committed;
        }
        if self.keeps_the_last {
            self.inner.commit(batch).await?;
        }
        Err(EngineError::Stopped { reason: "the process is dead".into() })
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        self.inner.snapshot().await
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}
