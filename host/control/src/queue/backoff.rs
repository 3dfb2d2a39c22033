//! How long a run waits before it is tried again: twice as long each time, and not all of them at the same moment.

use sha2::{Digest as _, Sha256};

/// From the first to the longest.
pub(super) struct Waits {
    first_ms: u64,
    longest_ms: u64,
}

/// After attempts that failed. What is down for longer is looked at by people.
pub(super) const FAILED: Waits = Waits { first_ms: 30_000, longest_ms: 60 * 60 * 1_000 };
/// Before takeovers that are not at once: what the others have to come to a commit. Most of those that wait have done nothing.
pub(super) const TAKEN_OVER: Waits = Waits { first_ms: 2_000, longest_ms: 60_000 };

/// Before another run comes for messages that the runs before it have left where they wait. Whoever has mended what was in the way
/// waits no longer than this for it, and a message lives for a day.
pub(super) const LEFT: Waits = Waits { first_ms: 60_000, longest_ms: 15 * 60_000 };

/// After so many times; up to a quarter longer, the same for the same time of the same run or sync.
pub(super) fn after(waits: &Waits, times: u32, of: &str) -> u64 {
    let doubled = 1_u64.checked_shl(times.saturating_sub(1)).unwrap_or(u64::MAX);
    let wait_ms = waits.first_ms.saturating_mul(doubled).min(waits.longest_ms);
    let digest: [u8; 32] = Sha256::digest(format!("{of} {times}").as_bytes()).into();
    let [first, ..] = digest;
    wait_ms + wait_ms / 4 * u64::from(first) / 255
}

#[cfg(test)]
mod tests {
    use super::{FAILED, LEFT, Waits, after};

    /// That these waits come one after the other: at least so long, and at most a quarter longer.
    fn check(waits: &Waits, expected: &[(u32, u64)]) {
        for (times, least_ms) in expected {
            let waits_ms = ["run_a", "run_b", "run_c"].map(|run| after(waits, *times, run));
            assert!(
                waits_ms.iter().all(|wait| (*least_ms..=least_ms / 4 * 5).contains(wait)),
                "{waits_ms:?}"
            );
            assert_ne!(waits_ms[0], waits_ms[1]);
            assert_eq!(waits_ms[0], after(waits, *times, "run_a"));
        }
    }

    #[test]
    fn the_time_doubles_up_to_an_hour_and_differs_between_runs() {
        check(&FAILED, &[(1, 30_000), (2, 60_000), (3, 120_000), (8, 3_600_000), (400, 3_600_000)]);
    }

    #[test]
    fn messages_that_were_left_are_come_for_after_a_minute_and_within_a_quarter_of_an_hour() {
        check(&LEFT, &[(1, 60_000), (2, 120_000), (4, 480_000), (5, 900_000), (u32::MAX, 900_000)]);
    }
}
