//! Makes a group of batches true: judges them, writes and syncs them as one entry of the journal, shows them, and answers. One
//! group at a time, on the thread of whoever leads.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::applier::Message;
use super::codec;
use super::expected::Expected;
use super::frame::Kind;
use super::group::Judged;
use super::journal::{AppendError, Journal};
use super::line::{Line, Pending};
use super::room::Room;
use super::shared::Shared;
use super::survey::Known;
use crate::engine::{Batch, EngineError, Sequence};

pub(super) struct Commits {
    pub(super) line: Line,
    pub(super) room: Room,
    shared: Arc<Shared>,
    writer: Mutex<Writer>,
    applier: Sender<Message>,
}

/// Of whoever leads.
struct Writer {
    journal: Journal,
    expected: Expected,
}

/// The lead of a writer: passes it on when it is dropped.
pub(super) struct Lead<'a>(&'a Commits);

/// The committer's thread: when it ends, nobody is left who would lead those who wait.
struct Ending<'a>(&'a Commits);

impl Lead<'_> {
    /// Commits the one batch that it is about, on this thread.
    pub(super) fn commit(self, batch: Batch) -> Result<Sequence, EngineError> {
        let mut verdicts = self.0.commit(vec![batch]);
        verdicts.pop().unwrap_or_else(|| Err(self.0.shared.stop("a batch has no verdict".to_owned())))
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.shared.stop("a thread that commits has ended".to_owned());
        }
        self.0.line.pass_on();
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.shared.stop("the thread that commits has ended".to_owned());
        self.0.line.end();
    }
}

impl Commits {
    pub(super) fn new(shared: Arc<Shared>, journal: Journal, room: Room, applier: Sender<Message>) -> Self {
        let writer = Mutex::new(Writer { journal, expected: Expected::default() });
        Self { line: Line::default(), room, shared, writer, applier }
    }

    /// What the thread does that leads those who wait.
    pub(super) fn run(&self) {
        let _ending = Ending(self);
        let mut led = 0;
        while let Some(group) = self.line.next(led) {
            led = group.len();
            let (batches, answers): (_, Vec<_>) =
                group.into_iter().map(|Pending { batch, answer }| (batch, answer)).unzip();
            let verdicts = self.commit(batches);
            // A receiver that was dropped wants no answer.
            for (answer, verdict) in answers.into_iter().zip(verdicts) {
                let _ = answer.send(verdict);
            }
        }
    }

    /// The lead, of which the line has said that it is the caller's.
    pub(super) fn lead(&self) -> Lead<'_> {
        Lead(self)
    }

    /// Notes that everything is in the database, durably. Nobody commits any more.
    pub(super) fn note_closed(&self) -> Result<(), EngineError> {
        let Writer { journal, .. } = &mut *self.writer();
        let noted = journal.note(Kind::Closed);
        noted.map_err(|error| self.refuse(journal, error))
    }

    fn commit(&self, group: Vec<Batch>) -> Vec<Result<Sequence, EngineError>> {
        let count = group.len();
        match self.shared.check().and_then(|()| self.commit_all(group)) {
            Ok((first, verdicts)) => {
                verdicts.into_iter().map(|verdict| verdict.map(|before| first + u64::from(before))).collect()
            }
            Err(error) => vec![Err(error); count],
        }
    }

    /// The sequence of the first batch, and what becomes of each.
    fn commit_all(&self, group: Vec<Batch>) -> Result<(u64, Vec<Result<u32, EngineError>>), EngineError> {
        let Writer { journal, expected } = &mut *self.writer();
        let judged = Judged::of(&group, &self.shared, expected);
        let first = journal.next();
        if judged.accepted == 0 {
            return Ok((first, judged.verdicts));
        }
        self.room.wait(&self.shared)?;
        let segment = journal.number();
        let appended = journal.append(judged.accepted, |bytes| {
            judged.committed(&group).for_each(|batch| codec::encode(batch, bytes));
        });
        appended.map_err(|error| self.refuse(journal, error))?;
        judged.committed(&group).for_each(|batch| expected.forget(batch));
        if journal.number() != segment {
            self.shared.segment_begins(Known { number: journal.number(), first });
        }
        let newest = journal.next().saturating_sub(1);
        let Judged { verdicts, .. } = judged;
        let accepted =
            group.into_iter().zip(&verdicts).filter_map(|(batch, verdict)| verdict.is_ok().then_some(batch));
        let bytes = self.shared.show(newest, accepted);
        if let Some(message) = self.room.take(bytes) {
            // When the applier has ended the engine has stopped, which the next commit is told.
            let _ = self.applier.send(message);
        }
        Ok((first, verdicts))
    }

    fn refuse(&self, journal: &Journal, error: AppendError) -> EngineError {
        let place = self.shared.place.path(journal.number());
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

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
