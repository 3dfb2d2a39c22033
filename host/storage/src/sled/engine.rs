//! The engine itself: hands batches to the committer's thread, reads the database.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::committer::{Committer, Message};
use super::compact;
use super::error::OpenError;
use super::group::Pending;
use super::lock::Lock;
use super::opening::{self, Opened};
use super::options::Options;
use super::shared::{Shared, unreadable};
use super::snapshot::SledSnapshot;
use crate::engine::{Batch, Engine, EngineError, Entry, Scan, Sequence, Snapshot};

/// A scan of so few entries is read at once; a longer one on a thread that may block.
const SHORT_SCAN: usize = 16;

/// The durable engine. Dropping it closes it, and waits for that.
pub struct SledEngine {
    shared: Arc<Shared>,
    sender: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<Lock>>,
}

/// What an engine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The newest commit.
    pub sequence: Sequence,
    /// Keys with a value.
    pub entries: u64,
    /// Keys and values in bytes.
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
        let failed = || OpenError::file("start a thread for", &options.directory);
        let shared = Arc::new(Shared::new(place, database, counts, segments));
        let (its_shared, cache_bytes) = (Arc::clone(&shared), options.cache_bytes);
        let (sender, receiver) = channel();
        let name = "storage-commit".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || {
            Committer::new(layout, journal, its_shared, cache_bytes).run(&receiver);
        });
        let thread = Mutex::new(Some(thread.map_err(failed())?));
        Ok(Self { shared, sender, thread, lock: Mutex::new(Some(lock)) })
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

    /// Copies the database when it takes more than three times what is live in it. Commits wait meanwhile; reads do not.
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
            sequence: counts.sequence,
            entries: counts.entries,
            live_bytes: counts.live_bytes,
            disk_bytes: self.shared.database().map_or(0, |database| database.disk_bytes()),
            journal_segments: self.shared.segment_count(),
        }
    }

    fn send(&self, message: Message) -> Result<(), EngineError> {
        self.shared.check()?;
        self.sender.send(message).map_err(|_| self.ended())
    }

    async fn wait<T>(&self, answered: oneshot::Receiver<Result<T, EngineError>>) -> Result<T, EngineError> {
        answered.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// The thread ends only when it closes, or by a panic.
    fn ended(&self) -> EngineError {
        self.shared.stop("the thread that commits has ended".to_owned())
    }

    /// Waits for the thread, and lets others have the directory.
    fn finish(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
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
        let _ = self.sender.send(Message::Close(answer));
        self.finish();
    }
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
        let database = self.shared.database()?;
        database.get(key).map_err(|fault| unreadable(&database, fault))
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        let database = self.shared.database()?;
        let is_short = scan.limit <= SHORT_SCAN;
        let read = move || database.scan(&scan).map_err(|fault| unreadable(&database, fault));
        if is_short {
            return read();
        }
        let read = tokio::task::spawn_blocking(read);
        read.await.map_err(|error| EngineError::Stopped { reason: error.to_string() })?
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        batch.check()?;
        let (answer, answered) = oneshot::channel();
        self.send(Message::Commit(Pending { batch, answer }))?;
        self.wait(answered).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        Ok(Box::new(SledSnapshot::new(&self.shared)?))
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}
