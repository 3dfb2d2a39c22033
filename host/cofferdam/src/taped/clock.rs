//! Time as a replayed run sees it: it stands still but for sleeps, which are over at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::clock::Clock;

/// A longer sleep waits for something that does not come in a replay.
const LONG_MS: u64 = 7 * 24 * 3_600_000;

/// The clock of a replay.
pub(crate) struct ReplayClock {
    began_ms: u64,
    slept_ms: AtomicU64,
    /// Sleeps of this length are waits of the host for its own threads, and as long as they are.
    grace_ms: u64,
}

impl ReplayClock {
    pub(crate) fn new(began_ms: u64, grace_ms: u64) -> Self {
        Self { began_ms, slept_ms: AtomicU64::new(0), grace_ms }
    }
}

#[async_trait]
impl Clock for ReplayClock {
    fn now_ms(&self) -> u64 {
        self.began_ms.saturating_add(self.monotonic_ms())
    }

    fn monotonic_ms(&self) -> u64 {
        self.slept_ms.load(Ordering::Relaxed)
    }

    async fn sleep(&self, ms: u64) {
        match ms {
            LONG_MS.. => std::future::pending().await,
            ms if ms == self.grace_ms => tokio::time::sleep(Duration::from_millis(ms)).await,
            ms => {
                // Others are to have their turn: what a source waits for may be a commit.
                tokio::task::yield_now().await;
                self.slept_ms.fetch_add(ms, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use futures::FutureExt;
    use pipeline::clock::Clock;

    use super::ReplayClock;

    #[tokio::test]
    async fn a_sleep_moves_the_clock_on_and_takes_no_time() {
        let clock = ReplayClock::new(1_000, 5_000);
        let began = Instant::now();
        clock.sleep(3_600_000).await;
        assert!(began.elapsed() < Duration::from_secs(60));
        assert_eq!((clock.now_ms(), clock.monotonic_ms()), (3_601_000, 3_600_000));
    }

    #[tokio::test]
    async fn the_grace_of_the_host_is_real_and_what_never_comes_never_ends() {
        let clock = ReplayClock::new(0, 30);
        let began = Instant::now();
        clock.sleep(30).await;
        assert!(began.elapsed() >= Duration::from_millis(30));
        assert_eq!(clock.monotonic_ms(), 0);
        assert!(clock.sleep(u64::MAX).now_or_never().is_none());
    }
}
