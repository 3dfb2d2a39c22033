//! Whether, and after how long, a failed attempt is followed by another.

use super::spec::Options;
use crate::error::Error;
use crate::failure::{Cause, Failure, GuestError};

/// Counts what failed since the last progress.
#[derive(Debug)]
pub(super) struct Retry {
    failed: u32,
    rate_limited_ms: u64,
    random: fastrand::Rng,
}

/// What to do after a failure.
#[derive(Debug)]
pub(super) enum Decision {
    /// Try again after so many milliseconds.
    Wait(u64),
    /// Do not try again, for this reason.
    GiveUp(Error),
}

impl Retry {
    pub(super) fn new() -> Self {
        Self { failed: 0, rate_limited_ms: 0, random: fastrand::Rng::new() }
    }

    /// Something was committed: what failed before is forgotten.
    pub(super) fn progress(&mut self) {
        self.failed = 0;
        self.rate_limited_ms = 0;
    }

    /// A connector's call failed.
    pub(super) fn after(&mut self, failure: Failure, options: &Options) -> Decision {
        match &failure.cause {
            Cause::Guest(GuestError::RateLimited { retry_after_ms, .. }) => {
                let asked = retry_after_ms.unwrap_or_else(|| self.backoff(1, options));
                self.rate_limited(failure, asked, options)
            }
            Cause::Guest(GuestError::Transient { retry_after_ms, .. }) => {
                let asked = retry_after_ms.unwrap_or(0);
                self.again(failure, asked, options)
            }
            // Other runs of this host will end.
            Cause::NoRoom(_) => self.again(failure, 0, options),
            // Another worker takes its place.
            Cause::WorkerLost(_) => self.again(failure, 0, options),
            _ => Decision::GiveUp(Error::Failure(Box::new(failure))),
        }
    }

    /// Costs no attempt, but the waiting has an end.
    fn rate_limited(&mut self, failure: Failure, asked_ms: u64, options: &Options) -> Decision {
        let waited_ms = self.rate_limited_ms.saturating_add(asked_ms.max(1));
        if waited_ms > options.rate_limit_max_ms {
            return Decision::GiveUp(Error::RateLimitedTooLong {
                waited_ms: self.rate_limited_ms,
                failure: Box::new(failure),
            });
        }
        self.rate_limited_ms = waited_ms;
        Decision::Wait(asked_ms.max(1))
    }

    /// Costs an attempt.
    pub(super) fn again(&mut self, failure: Failure, asked_ms: u64, options: &Options) -> Decision {
        self.failed += 1;
        if self.failed >= options.attempts || asked_ms > options.rate_limit_max_ms {
            return Decision::GiveUp(Error::Failure(Box::new(failure)));
        }
        Decision::Wait(self.backoff(self.failed, options).max(asked_ms))
    }

    /// Twice as long each time, and anything between half of that and all of it: two runs that failed together do not come
    /// back together.
    fn backoff(&mut self, failed: u32, options: &Options) -> u64 {
        let doubled = 1_u64.checked_shl(failed.saturating_sub(1)).unwrap_or(u64::MAX);
        let full = options.backoff_first_ms.saturating_mul(doubled).min(options.backoff_max_ms);
        self.random.u64(full / 2..=full)
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Retry};
    use crate::failure::{Cause, Failure, GuestError};
    use crate::run::spec::Options;

    fn failure(cause: Cause) -> Failure {
        Failure {
            cause,
            connector: "c".into(),
            call: "reader.next".into(),
            log_tail: Vec::new(),
            denials: Vec::new(),
        }
    }

    fn transient(retry_after_ms: Option<u64>) -> Failure {
        failure(Cause::Guest(GuestError::Transient { message: "m".into(), retry_after_ms }))
    }

    fn wait(decision: Decision) -> u64 {
        match decision {
            Decision::Wait(ms) => ms,
            Decision::GiveUp(error) => panic!("{error}"),
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_vary_by_half() {
        let options =
            Options { attempts: 100, backoff_first_ms: 1_000, backoff_max_ms: 8_000, ..Options::default() };
        let mut retry = Retry::new();
        for full in [1_000, 2_000, 4_000, 8_000, 8_000, 8_000] {
            let ms = wait(retry.after(transient(None), &options));
            assert!((full / 2..=full).contains(&ms), "{ms} of {full}");
        }
        for _ in 0..80 {
            assert!(wait(retry.after(transient(None), &options)) <= 8_000);
        }
    }

    #[test]
    fn attempts_run_out_and_progress_gives_them_back() {
        let options = Options { attempts: 2, ..Options::default() };
        let mut retry = Retry::new();
        wait(retry.after(transient(None), &options));
        retry.progress();
        wait(retry.after(transient(None), &options));
        assert!(matches!(retry.after(transient(None), &options), Decision::GiveUp(_)));
    }

    #[test]
    fn a_rate_limit_costs_no_attempt_but_time() {
        let options = Options { attempts: 1, rate_limit_max_ms: 10_000, ..Options::default() };
        let limited = || {
            failure(Cause::Guest(GuestError::RateLimited {
                message: "m".into(),
                retry_after_ms: Some(4_000),
            }))
        };
        let mut retry = Retry::new();
        assert_eq!(wait(retry.after(limited(), &options)), 4_000);
        assert_eq!(wait(retry.after(limited(), &options)), 4_000);
        let Decision::GiveUp(error) = retry.after(limited(), &options) else { panic!("waits on") };
        assert_eq!(error.code(), "CD0742");
    }

    #[test]
    fn as_long_as_the_other_system_asks_is_waited() {
        let options = Options { attempts: 3, ..Options::default() };
        let mut retry = Retry::new();
        assert_eq!(wait(retry.after(transient(Some(100_000)), &options)), 100_000);
    }

    #[test]
    fn room_for_an_instance_is_waited_for() {
        let options = Options { attempts: 2, ..Options::default() };
        let mut retry = Retry::new();
        wait(retry.after(failure(Cause::NoRoom("m".into())), &options));
        let last = retry.after(failure(Cause::NoRoom("m".into())), &options);
        assert!(matches!(last, Decision::GiveUp(error) if error.code() == "CD0622"));
    }

    #[test]
    fn another_worker_is_tried() {
        let options = Options { attempts: 2, ..Options::default() };
        let mut retry = Retry::new();
        wait(retry.after(failure(Cause::WorkerLost("m".into())), &options));
        let last = retry.after(failure(Cause::WorkerLost("m".into())), &options);
        assert!(matches!(last, Decision::GiveUp(error) if error.code() == "CD1401"));
    }

    #[test]
    fn what_time_cannot_heal_is_not_tried_again() {
        let causes = [
            Cause::Guest(GuestError::Config(Vec::new())),
            Cause::Guest(GuestError::Unauthorized("m".into())),
            Cause::Guest(GuestError::Denied("m".into())),
            Cause::Guest(GuestError::Data("m".into())),
            Cause::Guest(GuestError::Bug("m".into())),
            Cause::Trap { message: "m".into(), frames: Vec::new() },
            Cause::Limit { name: "cpu_ms".into(), allowed: "1".into(), message: "m".into() },
            Cause::Contract("m".into()),
            Cause::Load { code: "CD0401".into(), message: "m".into() },
            Cause::Cassette { code: "CD0850".into(), message: "m".into() },
            Cause::OutOfMemory("m".into()),
            Cause::Quarantined("m".into()),
            Cause::Host("m".into()),
        ];
        for cause in causes {
            let decision = Retry::new().after(failure(cause.clone()), &Options::default());
            assert!(matches!(decision, Decision::GiveUp(_)), "{cause:?}");
        }
    }
}
