//! How long a run waits before it is tried again: twice as long each time, and not all of them at the same moment.

use sha2::{Digest as _, Sha256};

/// After the first attempt that failed.
pub(super) const FAILED_MS: u64 = 30_000;
/// After the first takeover that is not at once: what the others have to come to a commit.
pub(super) const TAKEN_OVER_MS: u64 = 2_000;
/// What is down for longer is looked at by people.
const LONGEST_MS: u64 = 60 * 60 * 1_000;

/// After so many times, of which the first is followed by `first_ms`; up to a quarter longer, the same for the same time of the
/// same run.
pub(super) fn after(first_ms: u64, times: u32, run: &str) -> u64 {
    let doubled = 1_u64.checked_shl(times.saturating_sub(1)).unwrap_or(u64::MAX);
    let wait_ms = first_ms.saturating_mul(doubled).min(LONGEST_MS);
    let digest: [u8; 32] = Sha256::digest(format!("{run} {times}").as_bytes()).into();
    let [first, ..] = digest;
    wait_ms + wait_ms / 4 * u64::from(first) / 255
}

#[cfg(test)]
mod tests {
    use super::{FAILED_MS, after};

    #[test]
    fn the_time_doubles_up_to_an_hour_and_differs_between_runs() {
        for (attempt, least_ms) in [(1, 30_000), (2, 60_000), (3, 120_000), (8, 3_600_000), (400, 3_600_000)]
        {
            let waits = ["run_a", "run_b", "run_c"].map(|run| after(FAILED_MS, attempt, run));
            assert!(waits.iter().all(|wait| (least_ms..=least_ms / 4 * 5).contains(wait)), "{waits:?}");
            assert_ne!(waits[0], waits[1]);
            assert_eq!(waits[0], after(FAILED_MS, attempt, "run_a"));
        }
    }
}
