//! The one thread that writes to the database: it applies, behind their acknowledgement, the commits that the overlay has, and
//! once a second it syncs the database.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::commits::Commits;
use super::compact;
use super::fence::Fence;
use super::layout::Layout;
use super::shared::{CLOSED, Shared};
use crate::engine::EngineError;

/// So long the database may be behind the journal: what is replayed after a crash is what was committed in it.
const SYNC_DELAY: Duration = Duration::from_secs(1);

/// What the thread is asked to do.
pub(super) enum Message {
    /// There is something to apply, and time for it.
    Changed,
    /// There is much to apply.
    Apply,
    /// Bring the database up to the newest commit.
    CatchUp(oneshot::Sender<Result<(), EngineError>>),
    /// Make the database durable, and drop what the journal need not keep.
    Sync(oneshot::Sender<Result<(), EngineError>>),
    /// Copy the database when it wastes space; the answer says whether it did.
    Compact(oneshot::Sender<Result<bool, EngineError>>),
    /// Commit what waits, make everything durable, and end.
    Close(oneshot::Sender<Result<(), EngineError>>),
}

pub(super) struct Applier {
    layout: Layout,
    shared: Arc<Shared>,
    commits: Arc<Commits>,
    cache_bytes: u64,
    fence: Fence,
    /// When the database is synced at the latest; none: nothing was committed since the last sync.
    due: Option<Instant>,
}

/// However the thread ends, nobody waits for it.
struct Ending(Arc<Shared>, Arc<Commits>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.stop("the thread that writes to the database has ended".to_owned());
        self.1.room.lift();
        self.1.line.end();
    }
}

impl Applier {
    pub(super) fn new(layout: Layout, shared: Arc<Shared>, commits: Arc<Commits>, cache_bytes: u64) -> Self {
        Self { layout, shared, commits, cache_bytes, fence: Fence::default(), due: None }
    }

    pub(super) fn run(mut self, receiver: &Receiver<Message>) {
        let _ending = Ending(Arc::clone(&self.shared), Arc::clone(&self.commits));
        loop {
            // A failure has stopped the engine, and everyone is told by it.
            match self.receive(receiver) {
                Ok(Message::Changed) => drop(self.due.get_or_insert_with(|| Instant::now() + SYNC_DELAY)),
                Ok(Message::Apply) => drop(self.apply().and_then(|()| self.sync_when_due())),
                Ok(Message::CatchUp(answer)) => drop(answer.send(self.apply())),
                Ok(Message::Sync(answer)) => drop(answer.send(self.sync())),
                Ok(Message::Compact(answer)) => drop(answer.send(self.compact())),
                Err(RecvTimeoutError::Timeout) => drop(self.sync()),
                Ok(Message::Close(answer)) => return drop(answer.send(self.close())),
                // Everyone who could ask has gone without closing.
                Err(RecvTimeoutError::Disconnected) => return drop(self.close()),
            }
        }
    }

    fn receive(&self, receiver: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match self.due.filter(|_| !self.shared.is_stopped()) {
            Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Brings the database up to the newest commit.
    fn apply(&mut self) -> Result<(), EngineError> {
        let applied = self.apply_all();
        if applied.is_err() {
            // Who waits for room is told that the engine has stopped.
            self.commits.room.lift();
        }
        applied
    }

    fn apply_all(&mut self) -> Result<(), EngineError> {
        let database = self.shared.database()?;
        // In this order, or what came in between would be taken for nothing.
        self.commits.room.empty();
        let Some(layer) = self.shared.overlay.begin() else { return Ok(()) };
        self.due.get_or_insert_with(|| Instant::now() + SYNC_DELAY);
        let changes = layer.changes.iter().map(|(key, value)| (key.as_slice(), value.as_deref()));
        let counts = database
            .apply(&mut self.fence, layer.newest, self.shared.counts(), changes)
            .map_err(|fault| self.shared.stop(format!("the database refuses a commit: {}", fault.0)))?;
        self.shared.set_counts(counts);
        self.shared.overlay.finish();
        Ok(())
    }

    /// Syncs the database when it is late, or enough was written.
    fn sync_when_due(&mut self) -> Result<(), EngineError> {
        let is_late = self.due.is_some_and(|due| due <= Instant::now());
        if is_late || self.shared.database()?.is_sync_due(&self.fence) { self.sync() } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), EngineError> {
        self.apply()?;
        let sequence = self.shared.counts().sequence;
        let synced = self.shared.database()?.sync(&mut self.fence);
        synced.map_err(|fault| self.shared.stop(format!("failed to sync the database: {}", fault.0)))?;
        self.due = None;
        self.shared.synced(sequence);
        Ok(())
    }

    fn compact(&mut self) -> Result<bool, EngineError> {
        self.apply()?;
        let database = self.shared.database()?;
        if !compact::is_worthwhile(&database, self.shared.counts()) {
            return Ok(false);
        }
        let copied = compact::copy(&self.layout, &*self.shared.place.disk, &database, self.cache_bytes);
        let fresh = copied.map_err(|error| EngineError::Unavailable {
            action: "copy",
            place: database.path().display().to_string(),
            reason: error.to_string(),
        })?;
        self.shared.replace_database(fresh);
        self.fence.lower();
        // Snapshots may still read the old one: it is gone from the directory, and from the disk when they end.
        std::fs::remove_dir_all(database.path()).map_err(|error| EngineError::Unavailable {
            action: "remove",
            place: database.path().display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(true)
    }

    fn close(&mut self) -> Result<(), EngineError> {
        // Who leads may wait for room, which is made here no more until he has ended.
        self.commits.room.lift();
        self.commits.line.close();
        self.shared.check()?;
        self.sync()?;
        self.commits.note_closed()?;
        self.shared.stop(CLOSED.to_owned());
        Ok(())
    }
}
