//! The time by which records expire. It never goes back, and a clock that leaps is not believed at once.
//!
//! A clock set back would serve what had expired, so the latest time that was seen is kept, also on disk. A clock that
//! leaps ahead by mistake would have everything destroyed: so what a leap ends is not *served* from its first moment, but
//! keys are *destroyed* only when a later pass, at least five minutes on by that clock, still sees it. Then the clock has
//! gone on from there, and whoever watches it had time to put it right. The doubt is kept on disk, so that commands that
//! run once a week come to destroy what a week ago was seen to have ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// A longer step is a leap. A command that runs once a day, a little later each day, makes none.
const STEP_MS_MAX: u64 = 25 * HOUR_MS;
/// How long a leap is doubted.
const DOUBT_MS: u64 = 5 * MINUTE_MS;

/// What is kept of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The latest time that is believed.
    pub(crate) believed_ms: u64,
    /// The time of a leap, as it was first seen; 0: there is none.
    pub(crate) doubted_ms: u64,
}

impl Mark {
    pub(crate) fn encode(self) -> Vec<u8> {
        [self.believed_ms.to_be_bytes(), self.doubted_ms.to_be_bytes()].concat()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (believed, rest) = bytes.split_first_chunk()?;
        let doubted: &[u8; 8] = rest.try_into().ok()?;
        Some(Self { believed_ms: u64::from_be_bytes(*believed), doubted_ms: u64::from_be_bytes(*doubted) })
    }
}

/// The time of storage.
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    believed_ms: AtomicU64,
    doubted_ms: Mutex<u64>,
    /// The mark is due to be kept when the believed time reaches this.
    due_ms: AtomicU64,
}

impl Time {
    /// Goes on from what was kept; none: storage is new, and the clock is believed.
    pub(crate) fn new(clock: Arc<dyn Clock>, kept: Option<Mark>) -> Self {
        let mark = kept.unwrap_or_else(|| Mark { believed_ms: clock.now_ms(), doubted_ms: 0 });
        let due_ms = kept.map_or(0, |mark| next_hour(mark.believed_ms));
        Self {
            clock,
            believed_ms: mark.believed_ms.into(),
            doubted_ms: mark.doubted_ms.into(),
            due_ms: due_ms.into(),
        }
    }

    /// For reading and writing: what has ended by this time is not there.
    pub(crate) fn now_ms(&self) -> u64 {
        let (clock_ms, believed_ms) = (self.clock.now_ms(), self.believed_ms.load(Ordering::Acquire));
        if clock_ms.saturating_sub(believed_ms) <= STEP_MS_MAX {
            self.believed_ms.fetch_max(clock_ms, Ordering::AcqRel);
        }
        clock_ms.max(believed_ms)
    }

    /// For destroying: a time that is believed.
    pub(crate) fn believed_ms(&self) -> u64 {
        self.believed_ms.load(Ordering::Acquire)
    }

    /// Looks at the clock once in a pass, and comes to believe a leap that has lasted. Answers whether there is one that is
    /// doubted still.
    pub(crate) fn judge(&self) -> bool {
        let clock_ms = self.clock.now_ms();
        let mut doubted_ms = self.doubted();
        let is_leap = |from_ms: u64| clock_ms.saturating_sub(from_ms) > STEP_MS_MAX;
        if is_leap(self.believed_ms()) && *doubted_ms != 0 && clock_ms >= doubted_ms.saturating_add(DOUBT_MS)
        {
            // The clock has gone on from there. When it has leapt again since, that is a new doubt.
            let lasted_ms = if is_leap(*doubted_ms) { *doubted_ms } else { clock_ms };
            self.believed_ms.fetch_max(lasted_ms, Ordering::AcqRel);
            *doubted_ms = 0;
        }
        if !is_leap(self.believed_ms()) {
            self.believed_ms.fetch_max(clock_ms, Ordering::AcqRel);
            *doubted_ms = 0;
        } else if *doubted_ms == 0 || clock_ms < *doubted_ms {
            *doubted_ms = clock_ms;
        }
        *doubted_ms != 0
    }

    /// Believes the clock, wherever it was before.
    pub(crate) fn set_by_clock(&self) -> Mark {
        let mut doubted_ms = self.doubted();
        *doubted_ms = 0;
        let mark = Mark { believed_ms: self.clock.now_ms(), doubted_ms: 0 };
        self.believed_ms.store(mark.believed_ms, Ordering::Release);
        self.due_ms.store(next_hour(mark.believed_ms), Ordering::Release);
        mark
    }

    /// What is to be kept.
    pub(crate) fn mark(&self) -> Mark {
        Mark { believed_ms: self.believed_ms(), doubted_ms: *self.doubted() }
    }

    /// The mark, when an hour has begun since it was kept: records end at full hours, so a clock set back behind one must
    /// find the mark beyond it.
    pub(crate) fn due(&self) -> Option<Mark> {
        (self.believed_ms() >= self.due_ms.load(Ordering::Acquire)).then(|| self.mark())
    }

    /// It is kept now.
    pub(crate) fn set_kept(&self, mark: Mark) {
        self.due_ms.fetch_max(next_hour(mark.believed_ms), Ordering::AcqRel);
    }

    fn doubted(&self) -> MutexGuard<'_, u64> {
        self.doubted_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn next_hour(ms: u64) -> u64 {
    (ms / HOUR_MS + 1).saturating_mul(HOUR_MS)
}

#[cfg(test)]
mod tests;
