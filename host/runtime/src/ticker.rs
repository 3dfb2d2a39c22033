//! The clock by which processor time is charged: one thread that raises the engine's epoch while guests are called.

use crate::engine::TICK;
use crate::error::Error;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Ticks until it is dropped.
pub(crate) struct Ticker {
    calls: Calls,
    thread: Option<JoinHandle<()>>,
}

/// Calls that are under way. Without one nothing ticks, so that a process that waits is left alone.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    under_way: usize,
    /// Whether the thread waits for a call.
    waits: bool,
    ended: bool,
}

/// One call; it is over when this is dropped.
pub(crate) struct UnderWay(Calls);

impl Calls {
    /// Another call begins, and the clock goes.
    pub(crate) fn begin(&self) -> UnderWay {
        let mut state = self.state();
        state.under_way += 1;
        self.wake(state);
        UnderWay(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, state: MutexGuard<'_, State>) {
        let waits = state.waits;
        drop(state);
        if waits {
            self.0.changed.notify_one();
        }
    }

    /// There will be no call any more.
    fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        self.wake(state);
    }

    /// Once there is a call; false: there will be none any more.
    fn wait(&self) -> bool {
        let mut state = self.state();
        while state.under_way == 0 && !state.ended {
            state.waits = true;
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waits = false;
        !state.ended
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
    }
}

impl Ticker {
    pub(crate) fn start(engine: &wasmtime::Engine) -> Result<Self, Error> {
        let calls = Calls::default();
        let (engine, under_way) = (engine.weak(), calls.clone());
        let run = move || {
            while under_way.wait() {
                std::thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("epoch".into())
            .spawn(run)
            .map_err(|error| Error::Engine { message: format!("no thread for the epoch: {error}") })?;
        Ok(Self { calls, thread: Some(thread) })
    }

    /// For whoever calls guests.
    pub(crate) fn calls(&self) -> Calls {
        self.calls.clone()
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.calls.end();
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; there is nothing to learn from its result.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Calls;
    use std::thread;

    /// What `wait` answers after this, on a thread that waits by then.
    fn answer(calls: &Calls, then: impl FnOnce()) -> bool {
        let waiting = calls.clone();
        let thread = thread::spawn(move || waiting.wait());
        while !calls.state().waits {
            thread::yield_now();
        }
        then();
        thread.join().unwrap()
    }

    #[test]
    fn the_clock_stands_while_no_call_is_under_way_and_goes_with_the_next_one() {
        let calls = Calls::default();
        let mut under_way = Vec::new();
        assert!(answer(&calls, || under_way.push(calls.begin())));
        under_way.push(calls.begin());
        for _ in 0..2 {
            assert!(calls.wait(), "one is under way");
            under_way.pop();
        }
        assert!(answer(&calls, || under_way.push(calls.begin())), "none was");
        under_way.clear();
        assert!(!answer(&calls, || calls.end()), "there is no engine any more");
    }
}
