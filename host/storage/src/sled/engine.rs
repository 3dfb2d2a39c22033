//! The engine itself: brings batches into the line, reads the overlay and the database.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::task::block_in_place;

use super::applier::{Applier, Message};
use super::commits::Commits;
use super::compact;
use super::error::OpenError;
use super::line::Entered;
use super::lock::Lock;
use super::opening::{self, Opened};
use super::options::Options;
use super::room::Room;
use super::shared::Shared;
use super::snapshot::SledSnapshot;
use crate::engine::{Batch, Engine, EngineError, Entry, Scan, Sequence, Snapshot};

/// A scan of so few entries is read at once; a longer one on a thread that may block.
const SHORT_SCAN: usize = 16;

/// The durable engine. Dropping it closes it, and waits for that. A commit of a runtime of many threads may be written and
/// synced on the thread of its task, which tokio does not allow within a `LocalSet`.
pub struct SledEngine {
    shared: Arc<Shared>,
    commits: Arc<Commits>,
    applier: Sender<Message>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    lock: Mutex<Option<Lock>>,
}

/// What an engine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The newest commit.
    pub sequence: Sequence,
    /// Keys with a value in the database, which is up to a second behind the newest commit.
    pub entries: u64,
    /// Their keys and values in bytes.
    pub live_bytes: u64,
    /// What the database takes on disk, without the journal.
    pub disk_bytes: u64,
    /// Segments of the journal that are kept.
    pub journal_segments: usize,
}

impl SledEngine {
    /// Opens a data directory, or makes it. Blocks: not for a task that others wait for.
    ///
    /// # Errors
    /// When it is not ours, in use, damaged, or cannot be written. A refusal changes nothing.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        let opened = opening::open(options)?;
        let opened = reclaim(options, opened)?;
        let Opened { layout, place, lock, journal, segments, database, counts } = opened;
        let shared = Arc::new(Shared::new(place, database, counts, segments));
        let (applier, receiver) = channel();
        let room = Room::new(options.waiting_bytes);
        let commits = Arc::new(Commits::new(Arc::clone(&shared), journal, room, applier.clone()));
        let engine = Self {
            shared: Arc::clone(&shared),
            commits: Arc::clone(&commits),
            applier,
            threads: Mutex::default(),
            lock: Mutex::new(Some(lock)),
        };
        let its_commits = Arc::clone(&commits);
        let cache_bytes = options.cache_bytes;
        let apply = move || Applier::new(layout, shared, commits, cache_bytes).run(&receiver);
        engine.start("storage-apply", apply, &options.directory)?;
        engine.start("storage-commit", move || its_commits.run(), &options.directory)?;
        Ok(engine)
    }

    fn start(
        &self,
        name: &str,
        run: impl FnOnce() + Send + 'static,
        directory: &Path,
    ) -> Result<(), OpenError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.map_err(OpenError::file("start a thread for", directory))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Commits what waits, makes everything durable in the database, notes that, and gives the directory free. Later calls
    /// answer [`EngineError::Stopped`].
    ///
    /// # Errors
    /// When it could not: nothing is lost, and the next opening looks at the database first.
    pub async fn close(&self) -> Result<(), EngineError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Close(answer))?;
        let result = self.wait(answered).await;
        self.finish();
        result
    }

    /// Makes everything durable in the database too, which otherwise happens within a second, and drops the segments of the
    /// journal that need not be kept any longer.
    ///
    /// # Errors
    /// When the engine has stopped, or stops because the sync fails.
    pub async fn sync(&self) -> Result<(), EngineError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Sync(answer))?;
        self.wait(answered).await
    }

    /// A backup holds everything up to this commit: the journal need not keep it any longer.
    pub fn backed_up(&self, sequence: Sequence) {
        self.shared.backed_up(sequence);
    }

    /// Copies the database when it takes more than three times what is live in it. Reads go on meanwhile, and so do commits
    /// until as many wait to be applied as may.
    ///
    /// # Errors
    /// When there is no room for the copy: nothing was changed.
    pub async fn compact_if_needed(&self) -> Result<bool, EngineError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Compact(answer))?;
        self.wait(answered).await
    }

    /// What the engine has now.
    #[must_use]
    pub fn status(&self) -> Status {
        let counts = self.shared.counts();
        Status {
            sequence: self.shared.newest(),
            entries: counts.entries,
            live_bytes: counts.live_bytes,
            disk_bytes: self.shared.database().map_or(0, |database| database.disk_bytes()),
            journal_segments: self.shared.segment_count(),
        }
    }

    /// What the segments of the commit journal take on disk. Reads a directory.
    #[must_use]
    pub fn journal_bytes(&self) -> u64 {
        self.shared.place.bytes()
    }

    /// Whether it goes on: nothing was lost, and nobody has closed it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.shared.is_stopped()
    }

    fn send(&self, message: Message) -> Result<(), EngineError> {
        self.shared.check()?;
        self.applier.send(message).map_err(|_| self.ended())
    }

    async fn wait<T>(&self, answered: oneshot::Receiver<Result<T, EngineError>>) -> Result<T, EngineError> {
        answered.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// The threads end only when the engine is closed, or by a panic.
    fn ended(&self) -> EngineError {
        self.shared.stop("a thread of storage has ended".to_owned())
    }

    /// Waits for the threads, and lets others have the directory.
    fn finish(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A panic there was told to everyone who waited.
            let _ = thread.join();
        }
        self.shared.close_database();
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for SledEngine {
    fn drop(&mut self) {
        let (answer, _) = oneshot::channel();
        // It may have been closed already.
        let _ = self.applier.send(Message::Close(answer));
        self.finish();
    }
}

/// Whether this task's thread may be blocked for a sync: a runtime of many threads lets another one do its work meanwhile.
fn may_block() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

/// Before anyone waits for commits.
fn reclaim(options: &Options, opened: Opened) -> Result<Opened, OpenError> {
    if !compact::is_worthwhile(&opened.database, opened.counts) {
        return Ok(opened);
    }
    let Opened { layout, place, lock, journal, segments, database: old, counts } = opened;
    let database = compact::copy(&layout, &*options.disk, &old, options.cache_bytes)?;
    let path = old.path().to_owned();
    old.close().map_err(|fault| OpenError::file("close", &path)(io::Error::other(fault.0)))?;
    std::fs::remove_dir_all(&path).map_err(OpenError::file("remove", &path))?;
    Ok(Opened { layout, place, lock, journal, segments, database, counts })
}

#[async_trait]
impl Engine for SledEngine {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.shared.get(key)
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        if scan.limit <= SHORT_SCAN {
            return self.shared.scan(&scan);
        }
        let shared = Arc::clone(&self.shared);
        let read = tokio::task::spawn_blocking(move || shared.scan(&scan));
        read.await.map_err(|error| EngineError::Stopped { reason: error.to_string() })?
    }

    /// Written out, because what counts is when it is called, not when its future is looked at first.
    fn commit<'life0, 'async_trait>(
        &'life0 self,
        batch: Batch,
    ) -> Pin<Box<dyn Future<Output = Result<Sequence, EngineError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let asked = self.commits.line.ask();
        Box::pin(async move {
            let _asked = asked;
            batch.check()?;
            self.shared.check()?;
            match self.commits.line.enter(batch, may_block())? {
                Entered::Leads(batch) => {
                    let lead = self.commits.lead();
                    block_in_place(|| lead.commit(batch))
                }
                Entered::Waits(answered) => self.wait(answered).await,
            }
        })
    }

    /// From a database that is up to date: what has been replaced or erased since is not to be in a backup.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::CatchUp(answer))?;
        self.wait(answered).await?;
        Ok(Box::new(SledSnapshot::new(&self.shared)?))
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}
