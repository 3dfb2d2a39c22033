//! The one thread that writes: it takes every batch that waits, judges them, writes and syncs them as one entry of the
//! journal, applies them to the database, and answers. Once a second it syncs the database too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::codec;
use super::compact;
use super::fence::Fence;
use super::frame::Kind;
use super::group::{Judged, Pending};
use super::journal::{AppendError, Journal};
use super::layout::Layout;
use super::shared::{CLOSED, Shared};
use super::survey::Known;
use crate::engine::EngineError;

/// What one entry of the journal has at most, and one batch of sled with it: readers wait as long as that is applied.
const GROUP_BYTES: usize = 2 << 20;
const GROUP_BATCHES: usize = 1024;
/// Writers that have just been answered come again at once. Waiting for them at most so long makes one group of them instead
/// of two that each wait for a sync.
const GATHER_MAX: Duration = Duration::from_micros(300);

/// So long the database may be behind the journal: what is replayed after a crash is what was committed in it.
const SYNC_DELAY: Duration = Duration::from_secs(1);

/// What the thread is asked to do.
pub(super) enum Message {
    Commit(Pending),
    /// Make the database durable, and drop what the journal need not keep.
    Sync(oneshot::Sender<Result<(), EngineError>>),
    /// Copy the database when it wastes space; the answer says whether it did.
    Compact(oneshot::Sender<Result<bool, EngineError>>),
    /// Commit what waits, make everything durable, and end.
    Close(oneshot::Sender<Result<(), EngineError>>),
}

pub(super) struct Committer {
    pub(super) layout: Layout,
    pub(super) journal: Journal,
    pub(super) shared: Arc<Shared>,
    pub(super) cache_bytes: u64,
    fence: Fence,
    /// When the database is synced at the latest; none: nothing was changed since the last sync.
    due: Option<Instant>,
}

impl Committer {
    pub(super) fn new(layout: Layout, journal: Journal, shared: Arc<Shared>, cache_bytes: u64) -> Self {
        Self { layout, journal, shared, cache_bytes, fence: Fence::default(), due: None }
    }

    pub(super) fn run(mut self, receiver: &Receiver<Message>) {
        let mut last_count = 1;
        // Not a commit: it ends the group before it, and comes next.
        let mut next: VecDeque<Message> = VecDeque::new();
        loop {
            let message = match next.pop_front().map_or_else(|| self.receive(receiver), Ok) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    // A failure has stopped the engine, and everyone is told by it.
                    let _ = self.sync();
                    continue;
                }
                // Everyone who could ask has gone without closing. A failure is found again at the next opening.
                Err(RecvTimeoutError::Disconnected) => return drop(self.close()),
            };
            match message {
                Message::Commit(first) => {
                    let group = gather(first, receiver, &mut next, last_count);
                    last_count = group.len();
                    self.commit(group);
                    let _ = self.sync_when_due();
                }
                Message::Sync(answer) => {
                    let _ = answer.send(self.sync());
                }
                Message::Compact(answer) => {
                    let _ = answer.send(self.compact());
                }
                Message::Close(answer) => {
                    let _ = answer.send(self.close());
                    return;
                }
            }
        }
    }

    fn receive(&self, receiver: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match self.due.filter(|_| !self.shared.is_stopped()) {
            Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn commit(&mut self, group: Vec<Pending>) {
        let result = self.shared.check().and_then(|()| self.commit_all(&group));
        // A receiver that was dropped wants no answer.
        match result {
            Ok((first, verdicts)) => {
                for (pending, verdict) in group.into_iter().zip(verdicts) {
                    let _ = pending.answer.send(verdict.map(|before| first + u64::from(before)));
                }
            }
            Err(error) => {
                for pending in group {
                    let _ = pending.answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// The sequence of the first batch, and what becomes of each.
    fn commit_all(&mut self, group: &[Pending]) -> Result<(u64, Vec<Result<u32, EngineError>>), EngineError> {
        let database = self.shared.database()?;
        let judged = Judged::of(group, &database);
        let first = self.journal.next();
        if judged.accepted == 0 {
            return Ok((first, judged.verdicts));
        }
        let segment = self.journal.number();
        let appended = self.journal.append(judged.accepted, |bytes| {
            judged.committed(group).for_each(|batch| codec::encode(batch, bytes));
        });
        appended.map_err(|error| self.refuse(error))?;
        if self.journal.number() != segment {
            self.shared.segment_begins(Known { number: self.journal.number(), first });
        }
        let newest = self.journal.next().saturating_sub(1);
        let counts = database
            .apply(&mut self.fence, newest, self.shared.counts(), judged.changes())
            .map_err(|fault| self.shared.stop(format!("the database refuses a commit: {}", fault.0)))?;
        self.shared.set_counts(counts);
        self.due.get_or_insert_with(|| Instant::now() + SYNC_DELAY);
        Ok((first, judged.verdicts))
    }

    /// Syncs the database when a second has passed since it was changed, or enough was written.
    fn sync_when_due(&mut self) -> Result<(), EngineError> {
        let is_late = self.due.is_some_and(|due| due <= Instant::now());
        if is_late || self.shared.database()?.is_sync_due(&self.fence) { self.sync() } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), EngineError> {
        let sequence = self.shared.counts().sequence;
        let synced = self.shared.database()?.sync(&mut self.fence);
        synced.map_err(|fault| self.shared.stop(format!("failed to sync the database: {}", fault.0)))?;
        self.due = None;
        self.shared.synced(sequence);
        Ok(())
    }

    fn refuse(&self, error: AppendError) -> EngineError {
        let place = self.shared.place.path(self.journal.number());
        match error {
            AppendError::Refused(source) => EngineError::Unavailable {
                action: "write",
                place: place.display().to_string(),
                reason: source.to_string(),
            },
            AppendError::Broken(source) => {
                self.shared.stop(format!("failed to write `{}`: {source}", place.display()))
            }
        }
    }

    fn compact(&mut self) -> Result<bool, EngineError> {
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
        self.due = None;
        // Snapshots may still read the old one: it is gone from the directory, and from the disk when they end.
        std::fs::remove_dir_all(database.path()).map_err(|error| EngineError::Unavailable {
            action: "remove",
            place: database.path().display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(true)
    }

    fn close(&mut self) -> Result<(), EngineError> {
        self.shared.check()?;
        self.sync()?;
        self.journal.note(Kind::Closed).map_err(|error| self.refuse(error))?;
        self.shared.stop(CLOSED.to_owned());
        Ok(())
    }
}

/// The batches that wait. Those who were answered together are given a moment to come again together.
fn gather(
    first: Pending,
    receiver: &Receiver<Message>,
    next: &mut VecDeque<Message>,
    last_count: usize,
) -> Vec<Pending> {
    let mut bytes = first.batch.byte_count();
    let mut group = vec![first];
    let mut until: Option<Instant> = None;
    while group.len() < GROUP_BATCHES && bytes < GROUP_BYTES {
        let message = if group.len() >= last_count {
            receiver.try_recv().map_err(|_| RecvTimeoutError::Timeout)
        } else {
            let until = *until.get_or_insert_with(|| Instant::now() + GATHER_MAX);
            receiver.recv_timeout(until.saturating_duration_since(Instant::now()))
        };
        match message {
            Ok(Message::Commit(pending)) => {
                bytes += pending.batch.byte_count();
                group.push(pending);
            }
            Ok(other) => {
                next.push_back(other);
                break;
            }
            Err(_) => break,
        }
    }
    group
}
