//! Whose doing it is that something did not work, and in which words that is told.

use api::{Blame, ConnectorFault};
use pipeline::failure::{Cause, Failure, GuestError};

use crate::problem::{Problem, Problems, Whose};

/// As the API tells it: one line of what happened, one of what would help.
pub(super) fn fault(blame: Blame, problem: Problem) -> ConnectorFault {
    let hint = problem.hints.iter().map(|hint| match &hint.lines {
        Some(lines) => format!("{}: {}", hint.text, lines.lines().collect::<Vec<_>>().join("; ")),
        None => hint.text.clone(),
    });
    let hint = hint.collect::<Vec<_>>().join("; ");
    let Problem { code, message, causes, details, .. } = problem;
    let message = std::iter::once(message).chain(details).chain(causes).collect::<Vec<_>>().join("; ");
    ConnectorFault { blame, code, message, hint, retry_after_ms: None }
}

/// What could not even be tried: something is missing that people give.
pub(super) fn unready(problems: Problems) -> ConnectorFault {
    let problem = problems.into_all().into_iter().next();
    let problem = problem.unwrap_or_else(|| Problem::bug("something failed without a reason"));
    let blame = if problem.whose == Whose::Ours { Blame::Host } else { Blame::Caller };
    fault(blame, problem)
}

/// A call of a connector.
pub(super) fn blamed(failure: &Failure) -> ConnectorFault {
    let retry_after_ms = match &failure.cause {
        Cause::Guest(
            GuestError::RateLimited { retry_after_ms, .. } | GuestError::Transient { retry_after_ms, .. },
        ) => *retry_after_ms,
        _ => None,
    };
    ConnectorFault { retry_after_ms, ..fault(whose(&failure.cause), failure.into()) }
}

/// Of a run that only looks.
pub(super) fn of_run(error: &pipeline::Error) -> ConnectorFault {
    match error {
        pipeline::Error::Failure(failure) | pipeline::Error::RateLimitedTooLong { failure, .. } => {
            blamed(failure)
        }
        pipeline::Error::Records(_) | pipeline::Error::Internal { .. } => {
            fault(Blame::Host, error.clone().into())
        }
        pipeline::Error::SecretGiven { .. } | pipeline::Error::NoProgress { .. } => {
            fault(Blame::Connector, error.clone().into())
        }
        _ => fault(Blame::Caller, error.clone().into()),
    }
}

fn whose(cause: &Cause) -> Blame {
    match cause {
        Cause::Guest(GuestError::Config(_) | GuestError::Unauthorized(_) | GuestError::Denied(_)) => {
            Blame::Caller
        }
        Cause::Guest(GuestError::RateLimited { .. } | GuestError::Transient { .. } | GuestError::Data(_)) => {
            Blame::System
        }
        Cause::Guest(GuestError::Bug(_))
        | Cause::Trap { .. }
        | Cause::Limit { .. }
        | Cause::Contract(_)
        | Cause::Load { .. }
        | Cause::WorkerLost(_)
        | Cause::Quarantined(_) => Blame::Connector,
        Cause::Cassette { .. }
        | Cause::NoRoom(_)
        | Cause::OutOfMemory(_)
        | Cause::Host(_)
        | Cause::Stopped => Blame::Host,
    }
}
