//! Spreads what comes too fast over time. Nothing is refused: each turn is later than the one before it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Gives turns, so many a second, after as many at once as come in one second.
pub(crate) struct Pace {
    between: Duration,
    ahead: Duration,
    given: Mutex<Given>,
}

#[derive(Default)]
struct Given {
    /// When the turn after all that were given would be, if they had come evenly.
    next: Option<Instant>,
    /// The second in which turns are counted now, and how many there are in it.
    second: Option<(Instant, u64)>,
    peak: u64,
}

impl Pace {
    pub(crate) fn new(per_second: u64) -> Self {
        let per_second = u32::try_from(per_second.max(1)).unwrap_or(u32::MAX);
        let between = Duration::from_secs(1) / per_second;
        Self { between, ahead: between.saturating_mul(per_second - 1), given: Mutex::default() }
    }

    /// When whoever comes now may go on.
    pub(crate) fn turn(&self, now: Instant) -> Instant {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let even = given.next.map_or(now, |next| next.max(now));
        given.next = Some(even + self.between);
        let turn = even.checked_sub(self.ahead).map_or(now, |turn| turn.max(now));
        given.count(turn);
        turn
    }

    /// The most turns that were given in one second.
    pub(crate) fn peak(&self) -> u64 {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).peak
    }

    /// Waits for it.
    pub(crate) async fn wait(&self) {
        let now = Instant::now();
        let turn = self.turn(now);
        if turn > now {
            tokio::time::sleep_until(turn).await;
        }
    }
}

impl Given {
    fn count(&mut self, turn: Instant) {
        let (second, count) = match self.second {
            Some((second, count)) if turn.duration_since(second) < Duration::from_secs(1) => {
                (second, count + 1)
            }
            _ => (turn, 1),
        };
        self.second = Some((second, count));
        self.peak = self.peak.max(count);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Pace;

    #[test]
    fn as_many_as_come_in_one_second_come_at_once_and_the_rest_evenly() {
        let (pace, start) = (Pace::new(4), Instant::now() + Duration::from_secs(10));
        let turns: Vec<u128> = (0..8).map(|_| (pace.turn(start) - start).as_millis()).collect();
        assert_eq!(turns, [0, 0, 0, 0, 250, 500, 750, 1000]);
        let later = start + Duration::from_secs(5);
        assert_eq!(pace.turn(later), later, "who comes late waits for nobody");
        assert_eq!(pace.peak(), 7, "four at once and three within the second after them");
    }

    #[test]
    fn a_rate_of_nothing_is_one_a_second_and_a_huge_one_never_waits() {
        let start = Instant::now() + Duration::from_secs(10);
        let slow = Pace::new(0);
        assert_eq!((slow.turn(start), slow.turn(start)), (start, start + Duration::from_secs(1)));
        let fast = Pace::new(u64::MAX);
        assert!((0..100_000).all(|_| fast.turn(start) == start));
    }
}
