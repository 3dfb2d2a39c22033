//! How much may wait in memory to be applied. Whoever commits when that is full waits for the applier.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::applier::Message;
use super::shared::Shared;
use crate::engine::EngineError;

pub(super) struct Room {
    state: Mutex<State>,
    freed: Condvar,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    /// What has come since the applier has last taken everything.
    bytes: usize,
    is_announced: bool,
    is_called: bool,
    is_lifted: bool,
}

impl Room {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { state: Mutex::default(), freed: Condvar::new(), bytes_max }
    }

    /// Waits while it is full, and answers with an error when the engine has stopped meanwhile.
    pub(super) fn wait(&self, shared: &Shared) -> Result<(), EngineError> {
        let mut state = self.state();
        while state.bytes >= self.bytes_max && !state.is_lifted {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        shared.check()
    }

    /// Something has come. Answers with what the applier is to be told: that there is something, and when a quarter is full
    /// that it is time to begin.
    pub(super) fn take(&self, bytes: usize) -> Option<Message> {
        let mut state = self.state();
        state.bytes += bytes;
        if state.bytes >= self.bytes_max / 4 && !state.is_called {
            (state.is_announced, state.is_called) = (true, true);
            return Some(Message::Apply);
        }
        (!std::mem::replace(&mut state.is_announced, true)).then_some(Message::Changed)
    }

    /// The applier takes everything: there is room again.
    pub(super) fn empty(&self) {
        let mut state = self.state();
        *state = State { is_lifted: state.is_lifted, ..State::default() };
        self.freed.notify_all();
    }

    /// Nobody waits from now on: the applier does not come back to make room.
    pub(super) fn lift(&self) {
        self.state().is_lifted = true;
        self.freed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
