//! Spreads what comes too fast over time. Nothing is refused: what is too much for one second waits for the next.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Gives turns, so many in each second. A second begins with the first turn in it.
pub(crate) struct Pace {
    per_second: u64,
    given: Mutex<Given>,
}

#[derive(Default)]
struct Given {
    /// The second in which turns are given now, which may be one to come, and how many it has.
    second: Option<(Instant, u64)>,
    peak: u64,
}

impl Pace {
    pub(crate) fn new(per_second: u64) -> Self {
        Self { per_second: per_second.max(1), given: Mutex::default() }
    }

    /// When whoever comes now may go on.
    pub(crate) fn turn(&self, now: Instant) -> Instant {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let (second, count) = match given.second {
            Some((second, _)) if now >= second + SECOND => (now, 1),
            Some((second, count)) if count >= self.per_second => (second + SECOND, 1),
            Some((second, count)) => (second, count + 1),
            None => (now, 1),
        };
        given.second = Some((second, count));
        given.peak = given.peak.max(count);
        second.max(now)
    }

    /// Waits for it.
    pub(crate) async fn wait(&self) {
        let now = Instant::now();
        let turn = self.turn(now);
        if turn > now {
            tokio::time::sleep_until(turn).await;
        }
    }

    /// The most turns that were given in one second.
    pub(crate) fn peak(&self) -> u64 {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).peak
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Pace;

    fn start() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn what_is_too_much_for_one_second_waits_for_the_next() {
        let (pace, start) = (Pace::new(4), start());
        let turns: Vec<u128> = (0..10).map(|_| (pace.turn(start) - start).as_millis()).collect();
        assert_eq!(turns, [0, 0, 0, 0, 1000, 1000, 1000, 1000, 2000, 2000]);
        let within = start + Duration::from_millis(2500);
        assert_eq!([pace.turn(within), pace.turn(within)], [within; 2], "there is room in this second");
        assert_eq!(pace.turn(within), start + Duration::from_secs(3));
        let later = start + Duration::from_secs(9);
        assert_eq!(pace.turn(later), later, "who comes late waits for nobody");
        assert_eq!(pace.peak(), 4);
    }

    #[test]
    fn a_rate_of_nothing_is_one_a_second_and_a_huge_one_never_waits() {
        let start = start();
        let slow = Pace::new(0);
        assert_eq!((slow.turn(start), slow.turn(start)), (start, start + Duration::from_secs(1)));
        let fast = Pace::new(u64::MAX);
        assert!((0..100_000).all(|_| fast.turn(start) == start));
    }
}
