//! Sealed storage in a directory of its own, made as the program makes it: keys in files, the durable engine on a real disk.
//! Only the clock is one that is set.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use storage::sled::Options;
use storage::{Change, Clock, Life, SledEngine, Storage, Table};
use tempfile::TempDir;
use tokio::task::JoinSet;
use vault::{Class, DeploymentId, KeyFile, Keyring, Location, OsFiles};

pub(crate) const ORGANIZATION: &str = "local";
pub(crate) const HOUR_MS: u64 = 60 * 60 * 1_000;
/// The start of a day.
const START_MS: u64 = 20_000 * 24 * HOUR_MS;
const ROWS: Table = Table { name: "bench_rows", class: Class::Rows, schema_version: 1 };
/// Of a fill; enough that the committer is never without work.
const FILLERS: usize = 16;

/// A clock that stands still until it is set.
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A data directory with its keys beside it; removed when it is dropped.
pub(crate) struct Home {
    folder: TempDir,
    deployment: DeploymentId,
    clock: Arc<HandClock>,
}

/// Storage of a data directory, in use.
pub(crate) struct Open {
    pub(crate) storage: Arc<Storage>,
    engine: Arc<SledEngine>,
}

/// Records of one size and life.
#[derive(Clone, Copy)]
pub(crate) struct Fill {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
    pub(crate) life: Life,
}

impl Home {
    /// A fresh one on the disk that this directory is on.
    pub(crate) fn new_in(directory: &Path) -> Result<Self> {
        let folder = tempfile::tempdir_in(directory)?;
        let deployment = DeploymentId::random()?;
        for name in ["data", "keys"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        let home = Self { folder, deployment, clock: Arc::new(HandClock(AtomicU64::new(START_MS))) };
        KeyFile::create(Arc::new(OsFiles), home.key_file(), &deployment)?;
        Keyring::create(home.location(), deployment)?.create_organization(ORGANIZATION)?;
        Ok(home)
    }

    /// As a process opens it.
    pub(crate) async fn open(&self) -> Result<Open> {
        let keyring = Keyring::open(self.location(), Some(&self.deployment))?;
        let directory = self.path().join("data/storage");
        let options = Options::new(directory, *self.deployment.as_bytes(), *keyring.journal_key().expose());
        let engine = Arc::new(tokio::task::spawn_blocking(move || SledEngine::open(&options)).await??);
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let storage = Storage::open(Arc::clone(&engine) as Arc<_>, keyring, clock).await?;
        Ok(Open { storage: Arc::new(storage), engine })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// From now on it is so much later.
    pub(crate) fn pass_ms(&self, ms: u64) {
        self.clock.0.fetch_add(ms, Ordering::AcqRel);
    }

    fn key_file(&self) -> PathBuf {
        self.path().join("keys/key")
    }

    fn location(&self) -> Location {
        let file = KeyFile::new(Arc::new(OsFiles), self.key_file());
        Location {
            files: Arc::new(OsFiles),
            path: self.path().join("data/keyring"),
            slot: Some(file.shred_slot()),
            kek: Arc::new(file),
        }
    }
}

impl Open {
    /// Everything is durable, and the directory free, when this returns.
    pub(crate) async fn close(self) -> Result<()> {
        drop(self.storage);
        Ok(self.engine.close().await?)
    }

    /// Each writer makes so many changes of one record, one after the other; the round makes their keys new ones.
    pub(crate) async fn write(
        &self,
        round: usize,
        writers: usize,
        changes: usize,
        value: &[u8],
    ) -> Result<()> {
        let life = Life::Until(self.storage.now_ms() + 3 * HOUR_MS);
        let mut tasks = JoinSet::new();
        for writer in 0..writers {
            let (storage, value) = (Arc::clone(&self.storage), value.to_owned());
            tasks.spawn(async move {
                for number in 0..changes {
                    let key = format!("{round:03}-{writer:03}-{number:08}");
                    storage.commit(Change::new(ORGANIZATION).put(ROWS, key, life, value.clone())).await?;
                }
                anyhow::Ok(())
            });
        }
        all(tasks).await
    }

    /// Writes many records, as many in one change as fit.
    pub(crate) async fn fill(&self, fill: Fill) -> Result<()> {
        let in_one = storage::CHANGE_STEPS_MAX.min(storage::CHANGE_BYTES_MAX / fill.bytes).max(1);
        let mut tasks = JoinSet::new();
        for filler in 0..FILLERS {
            let storage = Arc::clone(&self.storage);
            tasks.spawn(async move {
                for first in (filler * in_one..fill.records).step_by(FILLERS * in_one) {
                    let mut change = Change::new(ORGANIZATION);
                    for number in first..fill.records.min(first + in_one) {
                        change = change.put(ROWS, format!("{number:012}"), fill.life, vec![7; fill.bytes]);
                    }
                    storage.commit(change).await?;
                }
                anyhow::Ok(())
            });
        }
        all(tasks).await
    }
}

async fn all(mut tasks: JoinSet<Result<()>>) -> Result<()> {
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}
