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

/// After so many times; up to a quarter longer, the same for the same time of the same run.
pub(super) fn after(waits: &Waits, times: u32, run: &str) -> u64 {
    let doubled = 1_u64.checked_shl(times.saturating_sub(1)).unwrap_or(u64::MAX);
    let wait_ms = waits.first_ms.saturating_mul(doubled).min(waits.longest_ms);
    let digest: [u8; 32] = Sha256::digest(format!("{run} {times}").as_bytes()).into();
    let [first, ..] = digest;
    wait_ms + wait_ms / 4 * u64::from(first) / 255
}

#[cfg(test)]
mod tests {
    use super::{FAILED, after};

    #[test]
    fn the_time_doubles_up_to_an_hour_and_differs_between_runs() {
        for (attempt, least_ms) in [(1, 30_000), (2, 60_000), (3, 120_000), (8, 3_600_000), (400, 3_600_000)]
        {
            let waits = ["run_a", "run_b", "run_c"].map(|run| after(&FAILED, attempt, run));
            assert!(waits.iter().all(|wait| (least_ms..=least_ms / 4 * 5).contains(wait)), "{waits:?}");
            assert_ne!(waits[0], waits[1]);
            assert_eq!(waits[0], after(&FAILED, attempt, "run_a"));
        }
    }
}
