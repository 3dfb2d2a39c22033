//! How a run ended, as the queue has to know it: whether trying again could help, and when.

use control::{RunOutcome, Wish};
use pipeline::failure::{Cause, Failure, GuestError};
use pipeline::records::Error as RecordsError;
use pipeline::report::{Outcome, RunReport};

use crate::problem::{Problem, Whose};

/// Of a run that came to its report. `taken`: what was taken back from it while it went on.
pub(super) fn of_report(report: &RunReport, taken: &[Problem], wish: Option<Wish>) -> RunOutcome {
    match (report.outcome, taken.first()) {
        (Outcome::Completed, _) => RunOutcome::Done,
        // Without what it was granted the next attempt would do no better.
        (_, Some(problem)) => failed(problem.code.clone(), (false, None)),
        (Outcome::Cancelled, None) if wish.is_some() => RunOutcome::Cancelled,
        // Nobody wished it: this process goes away.
        (Outcome::Cancelled, None) => RunOutcome::HandedBack,
        (Outcome::Failed, None) => of_failure(report),
    }
}

/// Of a run that could not begin.
pub(super) fn of_problem(problem: &Problem) -> RunOutcome {
    failed(problem.code.clone(), (problem.whose == Whose::Ours, None))
}

fn of_failure(report: &RunReport) -> RunOutcome {
    let groups = report.groups.iter().filter_map(|group| group.error.as_ref());
    let errors: Vec<_> = report.error.iter().chain(groups).map(|error| &error.error).collect();
    let can_retry = errors.iter().all(|error| passes(error));
    let waits = errors.iter().filter_map(|error| asked_ms(error)).max();
    let code = errors.first().map_or("CD0743", |error| error.code());
    failed(code.to_owned(), (can_retry, waits))
}

fn failed(error: String, (can_retry, retry_after_ms): (bool, Option<u64>)) -> RunOutcome {
    RunOutcome::Failed { error, can_retry, retry_after_ms }
}

/// Whether it may be over by itself: it is neither the connector nor what it was told.
fn passes(error: &pipeline::Error) -> bool {
    use pipeline::Error;
    match error {
        Error::Failure(failure) => is_passing(failure),
        Error::RateLimitedTooLong { .. } | Error::Internal { .. } => true,
        Error::Records(error) => {
            !matches!(error, RecordsError::Corrupt { .. } | RecordsError::Disorder { .. })
        }
        _ => false,
    }
}

fn is_passing(failure: &Failure) -> bool {
    match &failure.cause {
        Cause::Guest(error) => {
            matches!(error, GuestError::RateLimited { .. } | GuestError::Transient { .. })
        }
        Cause::NoRoom(_) | Cause::OutOfMemory(_) | Cause::WorkerLost(_) | Cause::Host(_) | Cause::Stopped => {
            true
        }
        Cause::Trap { .. }
        | Cause::Limit { .. }
        | Cause::Contract(_)
        | Cause::Load { .. }
        | Cause::Cassette { .. }
        | Cause::Quarantined(_) => false,
    }
}

/// What the other side asked for.
fn asked_ms(error: &pipeline::Error) -> Option<u64> {
    let (pipeline::Error::Failure(failure) | pipeline::Error::RateLimitedTooLong { failure, .. }) = error
    else {
        return None;
    };
    match &failure.cause {
        Cause::Guest(
            GuestError::RateLimited { retry_after_ms, .. } | GuestError::Transient { retry_after_ms, .. },
        ) => *retry_after_ms,
        _ => None,
    }
}

#[cfg(test)]
mod tests;
