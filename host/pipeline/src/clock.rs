//! The port `Clock`: the time of day, time that passes, and sleep.

use async_trait::async_trait;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Time as a run sees it. Tests put a clock of their own here.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z, for records that people read. May jump. Called a few times a run.
    fn now_ms(&self) -> u64;

    /// Milliseconds since some start; never falls. Called for each page. Must not block.
    fn monotonic_ms(&self) -> u64;

    /// Returns after so many milliseconds. Called on the tasks of a run; dropping the future ends the sleep.
    async fn sleep(&self, ms: u64);
}

/// The clock of the machine.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that counts from now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
    }

    fn monotonic_ms(&self) -> u64 {
        millis(self.start.elapsed())
    }

    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
