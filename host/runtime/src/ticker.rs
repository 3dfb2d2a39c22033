//! The clock by which processor time is charged: one thread that raises the engine's epoch while guests are called.

use crate::error::Error;
use crate::long::LongThreads;
use crate::slice;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a guest's processor time is looked at, and others get their turn. Each tick costs the machine a waking thread and what
/// runs a look at it.
const TICK: Duration = Duration::from_millis(2);
/// The same beside long calls: whoever has to wait for the processor of one waits no longer.
const TICK_BESIDE_LONG: Duration = Duration::from_micros(500);
/// So many of those follow after a long call was seen to compute: it may be about to do so again.
const TICKS_AFTER_LONG: u32 = 100;

/// After a call that was under way beside another one a next one is expected for so long.
const MANY_FOR: Duration = Duration::from_millis(50);

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
    /// When more than one was, unless that never was so.
    were_many: Option<Instant>,
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

    /// Whether more than one is under way, or was just now: who has many calls to make has none in between.
    pub(crate) fn are_many(&self) -> bool {
        let state = self.state();
        state.under_way > 1 || state.were_many.is_some_and(|then| then.elapsed() < MANY_FOR)
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
        let mut state = self.0.state();
        if state.under_way > 1 {
            state.were_many = Some(Instant::now());
        }
        state.under_way -= 1;
    }
}

/// How fast the clock goes.
#[derive(Default)]
struct Pace {
    short_ticks: u32,
}

impl Pace {
    /// The next tick, after one beside which a long call has computed or none has.
    fn tick(&mut self, had_a_long_one: bool) -> Duration {
        self.short_ticks = if had_a_long_one { TICKS_AFTER_LONG } else { self.short_ticks.saturating_sub(1) };
        if self.short_ticks > 0 { TICK_BESIDE_LONG } else { TICK }
    }
}

impl Ticker {
    pub(crate) fn start(engine: &wasmtime::Engine, long: LongThreads) -> Result<Self, Error> {
        let calls = Calls::default();
        let (engine, under_way) = (engine.weak(), calls.clone());
        let run = move || {
            slice::go_before_others();
            let mut pace = Pace::default();
            while under_way.wait() {
                std::thread::sleep(pace.tick(long.have_computed()));
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
                long.tick();
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
    use super::{Calls, Pace, TICK, TICK_BESIDE_LONG, TICKS_AFTER_LONG};
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

    #[test]
    fn the_clock_goes_faster_beside_a_long_call_and_for_some_time_after_it() {
        let mut pace = Pace::default();
        assert_eq!(pace.tick(false), TICK);
        assert_eq!(pace.tick(true), TICK_BESIDE_LONG);
        for _ in 1..TICKS_AFTER_LONG {
            assert_eq!(pace.tick(false), TICK_BESIDE_LONG);
        }
        assert_eq!(pace.tick(false), TICK);
    }
}
