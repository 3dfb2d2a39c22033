//! Storage for tests: real keyrings in a directory of their own, a clock that the test sets, and an engine in memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cofferdam_storage::{Change, Clock, Engine, Life, MemoryEngine, Range, Storage, Table};
use proptest::test_runner::Config as ProptestConfig;
use tempfile::TempDir;
use vault::{Class, DeploymentId, KeyFile, Keyring, Location, OsFiles};

pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;
/// A quarter past some hour, in the middle of a day.
pub(crate) const START_MS: u64 = 20_000 * DAY_MS + 12 * HOUR_MS + 15 * MINUTE_MS;

pub(crate) const ROWS: Table = Table { name: "row_errors", class: Class::Rows, schema_version: 3 };
pub(crate) const POSITIONS: Table =
    Table { name: "checkpoints", class: Class::Checkpoints, schema_version: 1 };
pub(crate) const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([7; 16]);

/// A clock that stands still until a test sets it.
pub(crate) struct Hands(AtomicU64);

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Hands {
    pub(crate) fn set(&self, ms: u64) {
        self.0.store(ms, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> u64 {
        self.now_ms()
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

/// The directories and the clock that outlive a process.
pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) hands: Arc<Hands>,
    pub(crate) engine: Arc<dyn Engine>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(MemoryEngine::new()))
    }

    pub(crate) fn with(engine: Arc<dyn Engine>) -> Self {
        let directory = directory();
        for name in ["data", "keys"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        Self { directory, hands: Arc::new(Hands(START_MS.into())), engine }
    }

    pub(crate) fn keyring_path(&self) -> PathBuf {
        self.directory.path().join("data/keyring")
    }

    pub(crate) fn key_file_path(&self) -> PathBuf {
        self.directory.path().join("keys/deployment.key")
    }

    pub(crate) fn location(&self) -> Location {
        let files = Arc::new(OsFiles);
        let key_file = KeyFile::new(files.clone(), self.key_file_path());
        let slot = Some(key_file.shred_slot());
        Location { files, path: self.keyring_path(), kek: Arc::new(key_file), slot }
    }

    pub(crate) fn keyring(&self) -> Keyring {
        if self.keyring_path().exists() {
            return Keyring::open(self.location(), Some(&DEPLOYMENT)).unwrap();
        }
        KeyFile::create(Arc::new(OsFiles), self.key_file_path(), &DEPLOYMENT).unwrap();
        Keyring::create(self.location(), DEPLOYMENT).unwrap()
    }

    /// A process opens storage; the former one must be gone.
    pub(crate) async fn open(&self) -> Storage {
        self.open_on(self.engine.clone()).await
    }

    pub(crate) async fn open_on(&self, engine: Arc<dyn Engine>) -> Storage {
        Storage::open(engine, self.keyring(), self.hands.clone()).await.unwrap()
    }

    /// The first process, in which `acme` and `other` are made.
    pub(crate) async fn open_with_organizations(&self) -> Storage {
        let storage = self.open().await;
        storage.create_organization("acme").await.unwrap();
        storage.create_organization("other").await.unwrap();
        storage
    }
}

pub(crate) async fn put(storage: &Storage, organization: &str, key: &str, life: Life, value: &[u8]) {
    let change = Change::new(organization).put(ROWS, key, life, value.to_vec());
    storage.commit(change).await.unwrap();
}

pub(crate) async fn get(storage: &Storage, organization: &str, key: &str) -> Option<Vec<u8>> {
    let found = storage.get(organization, ROWS, key.as_bytes()).await.unwrap();
    found.map(|found| found.value.expose().to_vec())
}

/// The keys of a table, in order.
pub(crate) async fn keys(storage: &Storage, organization: &str) -> Vec<String> {
    let range = Range { limit: 1_000, ..Range::default() };
    let found = storage.scan(organization, ROWS, range).await.unwrap();
    found.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

/// So many cases of a property; twenty times as many in long rounds.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let times = if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 20 } else { 1 };
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(count * times) }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// In memory where the machine has such a file system: the keyring syncs each of its writes, and thousands of keyrings
/// are made here whose durability is another suite's matter.
fn directory() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
