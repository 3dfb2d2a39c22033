//! How often it was tried in vain, and when the next attempt may be made. Kept before an attempt begins: who starts a server
//! over and over does not use up what the other side allows.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const MINUTE_MS: u64 = 60 * 1_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Let's Encrypt bears five failed proofs of a name in an hour. These are three within the first hour, and two a day later on.
const WAITS_MS: [u64; 7] =
    [2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, 12 * HOUR_MS];
/// Nothing is used up by who is not heard.
const UNHEARD_MS_MAX: u64 = HOUR_MS;
/// Longer than anybody asks to be left alone: further off it was written by a clock that was wrong.
const WAIT_MS_MAX: u64 = 8 * 24 * HOUR_MS;

/// What was tried in vain since the last certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempts {
    /// With which settings.
    of: [u8; 32],
    failures: u32,
    not_before_ms: u64,
}

impl Attempts {
    /// What counts for these settings.
    pub(crate) fn of(kept: Option<Self>, of: [u8; 32]) -> Self {
        kept.filter(|kept| kept.of == of).unwrap_or(Self { of, ..Self::default() })
    }

    /// When there may be another one.
    pub(crate) fn next_ms(&self, now_ms: u64) -> u64 {
        self.not_before_ms.min(now_ms.saturating_add(WAIT_MS_MAX))
    }

    /// One begins. It counts as one in vain until it has come to something, whatever becomes of this process.
    pub(crate) fn begun(&self, now_ms: u64) -> Self {
        let failures = self.failures.saturating_add(1);
        let wait = wait_ms(failures);
        // Many servers that were started together are not to ask together for ever.
        let wait = wait + fastrand::u64(0..=wait / 10);
        Self { of: self.of, failures, not_before_ms: now_ms.saturating_add(wait) }
    }

    /// It came to nothing.
    pub(crate) fn failed(&self, error: &Error, now_ms: u64) -> Self {
        let not_before_ms = match error {
            Error::Limited { retry_after: Some(wait), .. } => {
                self.not_before_ms.max(now_ms.saturating_add(millis(*wait)))
            }
            Error::Unreachable { .. } | Error::Clock { .. } => {
                self.not_before_ms.min(now_ms.saturating_add(UNHEARD_MS_MAX))
            }
            _ => self.not_before_ms,
        };
        Self { not_before_ms, ..self.clone() }
    }
}

fn wait_ms(failures: u32) -> u64 {
    let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let [.., longest] = WAITS_MS;
    WAITS_MS.get(place).copied().unwrap_or(longest)
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Attempts, HOUR_MS, MINUTE_MS, WAIT_MS_MAX};
    use crate::error::Error;
    use std::time::Duration;

    const NOW: u64 = 1_000 * HOUR_MS;

    fn unproven() -> Error {
        Error::Unproven { name: "a.example".to_owned(), said: String::new() }
    }

    /// The moments of all attempts of a server that is started anew in every minute and never gets what it asks for.
    fn moments(error: &Error, until_ms: u64) -> Vec<u64> {
        let (mut kept, mut moments) = (None, Vec::new());
        for now in (NOW..NOW + until_ms).step_by(usize::try_from(MINUTE_MS).unwrap()) {
            let attempts = Attempts::of(kept.clone(), [1; 32]);
            if now >= attempts.next_ms(now) {
                moments.push(now);
                kept = Some(attempts.begun(now).failed(error, now));
            }
        }
        moments
    }

    #[test]
    fn whoever_starts_a_server_over_and_over_uses_up_no_limits() {
        let moments = moments(&unproven(), 7 * 24 * HOUR_MS);
        let within =
            |from: u64, span: u64| moments.iter().filter(|at| (from..from + span).contains(*at)).count();
        for from in &moments {
            assert!(within(*from, HOUR_MS) <= 4, "{moments:?}");
        }
        assert!(within(NOW, HOUR_MS) >= 3, "somebody mends something, and waits for it: {moments:?}");
        assert!(within(NOW + 3 * 24 * HOUR_MS, 24 * HOUR_MS) <= 2, "{moments:?}");
    }

    #[test]
    fn an_attempt_of_which_nobody_knows_how_it_ended_counts() {
        let begun = Attempts::of(None, [1; 32]).begun(NOW);
        assert!(begun.next_ms(NOW) >= NOW + 2 * MINUTE_MS);
    }

    #[test]
    fn who_changes_something_does_not_wait() {
        let kept = Attempts::of(None, [1; 32]).begun(NOW).failed(&unproven(), NOW);
        assert!(Attempts::of(Some(kept.clone()), [1; 32]).next_ms(NOW) > NOW);
        assert_eq!(Attempts::of(Some(kept), [2; 32]).next_ms(NOW), 0);
    }

    #[test]
    fn the_other_side_says_how_long_it_is_left_alone() {
        let limited = |retry_after| Error::Limited { doing: "order", retry_after, said: String::new() };
        let begun = Attempts::of(None, [1; 32]).begun(NOW);
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(begun.failed(&limited(Some(day)), NOW).next_ms(NOW), NOW + 24 * HOUR_MS);
        // A short time is no leave to hurry.
        assert_eq!(begun.failed(&limited(Some(Duration::ZERO)), NOW), begun);
        assert_eq!(begun.failed(&limited(None), NOW), begun);
    }

    #[test]
    fn a_network_that_comes_back_is_seen_within_the_hour() {
        let apart = Error::Clock { apart: Duration::ZERO };
        let moments = moments(&apart, 24 * HOUR_MS);
        assert!(moments.len() > 20 && moments.len() < 30, "{moments:?}");
    }

    #[test]
    fn a_clock_that_was_wrong_when_it_was_written_keeps_nobody_waiting_for_years() {
        let written = Attempts::of(None, [1; 32]).begun(NOW * 1_000);
        assert_eq!(written.next_ms(NOW), NOW + WAIT_MS_MAX);
    }
}
