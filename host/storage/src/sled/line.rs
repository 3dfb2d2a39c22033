//! Batches that wait for their commit, and who leads: commits for all of them at once.
//!
//! Who comes while nobody leads, and no other is on his way, does so himself, and commits where he stands, with no other thread
//! in between. Everyone else waits. What waits when that leader has done his part is led by the committer's thread, which goes
//! on until nobody waits any more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::shared::CLOSED;
use crate::engine::{Batch, EngineError, Sequence};

/// What one entry of the journal has at most: as much is in memory twice while it is written.
const GROUP_BYTES: usize = 2 << 20;
const GROUP_BATCHES: usize = 1024;
/// Writers that have just been answered come again at once. Waiting for them at most so long makes one group of them instead
/// of two that each wait for a sync.
const GATHER_MAX: Duration = Duration::from_micros(300);

/// A batch that waits for its commit.
pub(super) struct Pending {
    pub(super) batch: Batch,
    pub(super) answer: oneshot::Sender<Result<Sequence, EngineError>>,
}

/// What becomes of a batch that comes.
pub(super) enum Entered {
    /// Whoever brings it leads, and [`Line::pass_on`] must follow.
    Leads(Batch),
    /// It waits; the answer comes here.
    Waits(oneshot::Receiver<Result<Sequence, EngineError>>),
}

#[derive(Default)]
pub(super) struct Line {
    state: Mutex<State>,
    /// For the committer's thread: it is to lead, or enough wait, or the line has ended.
    call: Condvar,
    /// For who closes the line: nobody leads any more.
    quiet: Condvar,
    /// Commits that were asked for and have no answer yet, whether they have come into the line or not.
    asked: AtomicUsize,
}

/// A commit that was asked for, from the call on: of those that one task asks for together none leads before the others came.
pub(super) struct Asked<'a>(&'a Line);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.asked.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Pending>,
    leader: Leader,
    /// So many may come together: those who were answered last, and those who waited then.
    expected: usize,
    is_closed: bool,
    has_ended: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Leader {
    #[default]
    Nobody,
    /// Who has brought a batch.
    Writer,
    /// The committer's thread, which waits for more to come.
    Gathering,
    /// The committer's thread.
    Committer,
}

impl Line {
    pub(super) fn ask(&self) -> Asked<'_> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Asked(self)
    }

    /// A batch comes. Who brings it leads only if he may: his thread is blocked meanwhile.
    pub(super) fn enter(&self, batch: Batch, may_lead: bool) -> Result<Entered, EngineError> {
        let may_lead = may_lead && self.asked.load(Ordering::Relaxed) <= 1;
        let mut state = self.state();
        if state.is_closed {
            return Err(EngineError::Stopped { reason: CLOSED.to_owned() });
        }
        if may_lead && state.leader == Leader::Nobody {
            state.leader = Leader::Writer;
            return Ok(Entered::Leads(batch));
        }
        let (answer, answered) = oneshot::channel();
        state.waiting.push_back(Pending { batch, answer });
        let is_called = match state.leader {
            Leader::Nobody => true,
            Leader::Gathering => state.waiting.len() >= state.expected,
            Leader::Writer | Leader::Committer => false,
        };
        if state.leader == Leader::Nobody {
            (state.leader, state.expected) = (Leader::Gathering, 1);
        }
        drop(state);
        if is_called {
            self.call.notify_one();
        }
        Ok(Entered::Waits(answered))
    }

    /// The writer who leads has done his part: he leaves those who wait to the committer's thread.
    pub(super) fn pass_on(&self) {
        let mut state = self.state();
        if state.waiting.is_empty() {
            state.leader = Leader::Nobody;
            self.quiet.notify_all();
        } else {
            (state.leader, state.expected) = (Leader::Gathering, state.waiting.len() + 1);
            self.call.notify_one();
        }
    }

    /// For the committer's thread, which has led so many just now: those to lead next. None: the line has ended.
    pub(super) fn next(&self, led: usize) -> Option<Vec<Pending>> {
        let mut state = self.state();
        if led > 0 {
            (state.leader, state.expected) =
                (Leader::Gathering, (state.waiting.len() + led).min(GROUP_BATCHES));
        }
        let mut until = None;
        while !state.has_ended {
            if state.leader != Leader::Gathering {
                until = None;
                state = self.call.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let now = Instant::now();
            let until = *until.get_or_insert(now + GATHER_MAX);
            let is_short = state.expected > 1 && state.waiting.len() < state.expected;
            if is_short && now < until && !state.is_closed {
                let waited = self.call.wait_timeout(state, until - now);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            if state.waiting.is_empty() {
                state.leader = Leader::Nobody;
                self.quiet.notify_all();
                continue;
            }
            state.leader = Leader::Committer;
            return Some(state.group());
        }
        None
    }

    /// Takes no more batches, and waits until those that came before have their answers.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.call.notify_one();
        while state.leader != Leader::Nobody {
            state = self.quiet.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nobody comes and nobody leads any more. What waits all the same, because a thread has died, gets no answer.
    pub(super) fn end(&self) {
        let mut state = self.state();
        (state.is_closed, state.has_ended, state.leader) = (true, true, Leader::Nobody);
        state.waiting.clear();
        self.call.notify_one();
        self.quiet.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first of those who wait, as many as fit.
    fn group(&mut self) -> Vec<Pending> {
        let mut bytes = 0;
        let mut count = 0;
        for pending in self.waiting.iter().take(GROUP_BATCHES) {
            count += 1;
            bytes += pending.batch.byte_count();
            if bytes >= GROUP_BYTES {
                break;
            }
        }
        self.waiting.drain(..count).collect()
    }
}
