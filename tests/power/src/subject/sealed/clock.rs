//! The time is what the scenario says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use storage::Clock;

use super::Host;
use crate::facts;

pub(super) const HOUR_MS: u64 = 60 * 60 * 1_000;
const START_MS: u64 = 1_000 * HOUR_MS;

pub(super) struct SetClock(AtomicU64);

impl SetClock {
    pub(super) fn at_start() -> Arc<Self> {
        Arc::new(Self(START_MS.into()))
    }

    /// Where it was when the power went. Nothing that has ended may come back, so it must not be earlier.
    pub(super) fn as_said(marks: &[String]) -> Result<Arc<Self>> {
        let last = facts::all(marks, "clock").pop();
        Ok(Arc::new(Self(last.map_or(Ok(START_MS), |last| last.parse())?.into())))
    }
}

impl Clock for SetClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Host {
    /// Said first: from then on readers may go by it.
    pub(super) fn set_clock(&self, now_ms: u64) -> Result<()> {
        self.marks.say(&format!("clock {now_ms}"))?;
        self.clock.0.store(now_ms, Ordering::Release);
        Ok(())
    }
}
