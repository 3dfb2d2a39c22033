//! How the suite makes the engines that it tests. A further implementation is one more factory here, and one more line in
//! `engines!`.

use std::sync::Arc;

use async_trait::async_trait;
use cofferdam_storage::sled::{Options, SledEngine};
use cofferdam_storage::{Batch, Engine, EngineError, Entry, Expect, MemoryEngine, Scan};
use tempfile::TempDir;

/// Makes one engine, and makes it again where what it keeps outlives it.
#[async_trait]
pub(crate) trait Factory: Sized + Send + Sync + 'static {
    /// A place for one engine, empty.
    fn new() -> Self;

    /// Opens the engine of this place. The one before it was closed.
    async fn open(&self) -> Arc<dyn Engine>;

    /// Closes an engine and opens it again; false: what it keeps ends with it, and nothing was done.
    async fn reopen(&self, engine: &mut Arc<dyn Engine>) -> bool;
}

pub(crate) struct Memory;

#[async_trait]
impl Factory for Memory {
    fn new() -> Self {
        Self
    }

    async fn open(&self) -> Arc<dyn Engine> {
        Arc::new(MemoryEngine::new())
    }

    async fn reopen(&self, _engine: &mut Arc<dyn Engine>) -> bool {
        false
    }
}

pub(crate) struct Sled {
    pub(crate) directory: TempDir,
}

pub(crate) const DEPLOYMENT: [u8; 16] = [7; 16];
pub(crate) const JOURNAL_KEY: [u8; 32] = [9; 32];

impl Sled {
    pub(crate) fn options(&self) -> Options {
        Options::new(self.directory.path().join("data"), DEPLOYMENT, JOURNAL_KEY).holder("the test suite")
    }

    pub(crate) fn open_engine(&self) -> SledEngine {
        SledEngine::open(&self.options()).unwrap()
    }
}

#[async_trait]
impl Factory for Sled {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    async fn open(&self) -> Arc<dyn Engine> {
        Arc::new(self.open_engine())
    }

    async fn reopen(&self, engine: &mut Arc<dyn Engine>) -> bool {
        // The last handle: dropping it closes the engine.
        *engine = Arc::new(MemoryEngine::new());
        *engine = self.open().await;
        true
    }
}

/// The same with so little room for what is not applied yet that each commit is applied while the next ones come: readers find
/// every key now in one place, now in another.
pub(crate) struct Hasty(Sled);

#[async_trait]
impl Factory for Hasty {
    fn new() -> Self {
        Self(Sled::new())
    }

    async fn open(&self) -> Arc<dyn Engine> {
        Arc::new(SledEngine::open(&self.0.options().waiting_bytes(HASTY_BYTES)).unwrap())
    }

    async fn reopen(&self, engine: &mut Arc<dyn Engine>) -> bool {
        *engine = Arc::new(MemoryEngine::new());
        *engine = self.open().await;
        true
    }
}

pub(crate) const HASTY_BYTES: usize = 1_000;

/// Runs each rule over each engine.
macro_rules! engines {
    ($($rule:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(<crate::factory::Memory as crate::factory::Factory>::new()).await;
            })+
        }
        mod sled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(<crate::factory::Sled as crate::factory::Factory>::new()).await;
            })+
        }
        mod hasty {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(<crate::factory::Hasty as crate::factory::Factory>::new()).await;
            })+
        }
    };
}
pub(crate) use engines;

pub(crate) fn put(key: &[u8], value: &[u8]) -> Batch {
    Batch { put: vec![(key.to_vec(), value.to_vec())], ..Batch::default() }
}

pub(crate) fn delete(key: &[u8]) -> Batch {
    Batch { delete: vec![key.to_vec()], ..Batch::default() }
}

pub(crate) fn expecting(mut batch: Batch, key: &[u8], value: Option<&[u8]>) -> Batch {
    batch.expect.push(Expect { key: key.to_vec(), value: value.map(<[u8]>::to_vec) });
    batch
}

/// Everything that is in an engine, page by page.
pub(crate) async fn everything(engine: &dyn Engine) -> Result<Vec<Entry>, EngineError> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map(|(key, _)| key.clone());
        let page = engine.scan(Scan { prefix: Vec::new(), after, limit: 1000 }).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
