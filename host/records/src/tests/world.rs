//! Storage as the tests want it: a keyring in a temporary directory, an engine in memory, a clock that they set.

use crate::{SealedRecords, Settings};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::{Clock, Engine, MemoryEngine, Storage};
use tempfile::TempDir;
use vault::{DeploymentId, KeyFile, Keyring, Location, OsFiles};

pub(super) const HOUR_MS: u64 = 60 * 60 * 1_000;
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;
/// The start of a day.
pub(super) const START_MS: u64 = 20_000 * DAY_MS;
const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([7; 16]);

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(super) struct FakeClock(AtomicU64);

impl FakeClock {
    pub(super) fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What outlives a process: keys and an engine.
pub(super) struct World {
    folder: Arc<TempDir>,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) clock: Arc<FakeClock>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::over(Arc::new(MemoryEngine::new()))
    }

    pub(super) fn over(engine: Arc<dyn Engine>) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let location = location(folder.path());
        KeyFile::create(Arc::new(OsFiles), folder.path().join("key"), &DEPLOYMENT).unwrap();
        Keyring::create(location, DEPLOYMENT).unwrap().create_organization("local").unwrap();
        let folder = Arc::new(folder);
        Self { folder, engine, clock: Arc::new(FakeClock(AtomicU64::new(START_MS))) }
    }

    /// The same keys with what another disk holds.
    pub(super) fn with_engine(&self, engine: Arc<dyn Engine>) -> Self {
        Self { folder: Arc::clone(&self.folder), engine, clock: Arc::clone(&self.clock) }
    }

    /// As a process opens it; the one before must be gone.
    pub(super) async fn open(&self) -> Arc<SealedRecords> {
        self.open_with(Settings::default()).await
    }

    /// Ends a process: what gives leases back is over, too.
    pub(super) async fn close(records: Arc<SealedRecords>) {
        let storage = Arc::downgrade(&records.storage);
        drop(records);
        while storage.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn open_with(&self, settings: Settings) -> Arc<SealedRecords> {
        self.try_open(settings).await.unwrap()
    }

    pub(super) async fn try_open(&self, settings: Settings) -> Result<Arc<SealedRecords>, storage::Error> {
        let keyring = Keyring::open(location(self.folder.path()), Some(&DEPLOYMENT)).unwrap();
        let engine = Arc::clone(&self.engine);
        let storage = Storage::open(engine, keyring, Arc::clone(&self.clock) as Arc<dyn Clock>).await?;
        Ok(Arc::new(SealedRecords::new(Arc::new(storage), "local", settings)))
    }
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
