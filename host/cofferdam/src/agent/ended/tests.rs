//! What the queue is told of an end.

use control::{RunOutcome, Wish};
use pipeline::failure::{Cause, Failure, GuestError};
use pipeline::records::{Error as RecordsError, RunTicket};
use pipeline::report::{GroupReport, Outcome, RunReport};

use super::{of_problem, of_report};
use crate::problem::Problem;

fn report(error: pipeline::Error) -> RunReport {
    RunReport::not_begun(&RunTicket { sync: "s".into(), run: 1 }, 0, error)
}

fn ended(outcome: Outcome) -> RunReport {
    RunReport {
        outcome,
        error: None,
        ..report(pipeline::Error::NotReady { code: String::new(), message: String::new() })
    }
}

fn failure(cause: Cause) -> pipeline::Error {
    let (connector, call) = ("c".to_owned(), "reader.next".to_owned());
    let failure = Failure { cause, connector, call, log_tail: Vec::new(), denials: Vec::new() };
    pipeline::Error::Failure(Box::new(failure))
}

fn failed(code: &str, can_retry: bool, retry_after_ms: Option<u64>) -> RunOutcome {
    RunOutcome::Failed { error: code.into(), can_retry, retry_after_ms }
}

#[test]
fn only_what_may_pass_by_itself_is_tried_again() {
    let text = String::new;
    let limited = GuestError::RateLimited { message: text(), retry_after_ms: Some(9) };
    let transient = GuestError::Transient { message: text(), retry_after_ms: None };
    for (error, code, can_retry, after) in [
        (failure(Cause::Guest(limited)), "CD0604", true, Some(9)),
        (failure(Cause::Guest(transient)), "CD0605", true, None),
        (failure(Cause::WorkerLost(text())), "CD1401", true, None),
        (failure(Cause::NoRoom(text())), "CD0622", true, None),
        (failure(Cause::Quarantined(text())), "CD1402", false, None),
        (failure(Cause::Guest(GuestError::Unauthorized(text()))), "CD0602", false, None),
        (failure(Cause::Guest(GuestError::Data(text()))), "CD0606", false, None),
        (failure(Cause::Contract(text())), "CD0611", false, None),
        (RecordsError::Locked { sync: text() }.into(), "CD0730", true, None),
        (RecordsError::Disorder { unit: text(), message: text() }.into(), "CD0734", false, None),
        (pipeline::Error::NotReady { code: "CD0843".into(), message: text() }, "CD0843", false, None),
    ] {
        assert_eq!(of_report(&report(error), &[], None), failed(code, can_retry, after), "{code}");
    }
}

#[test]
fn who_ended_a_run_decides_what_becomes_of_it() {
    let (completed, cancelled) = (ended(Outcome::Completed), ended(Outcome::Cancelled));
    let taken = [Problem::new("CD0845", "the credential was revoked")];
    for (report, taken, wish, expected) in [
        (&completed, &[][..], None, RunOutcome::Done),
        (&completed, &taken[..], Some(Wish::Cancel), RunOutcome::Done),
        (&cancelled, &[][..], Some(Wish::Pause), RunOutcome::Cancelled),
        (&cancelled, &[][..], Some(Wish::Cancel), RunOutcome::Cancelled),
        // The process goes away.
        (&cancelled, &[][..], None, RunOutcome::HandedBack),
        (&cancelled, &taken[..], None, failed("CD0845", false, None)),
    ] {
        assert_eq!(of_report(report, taken, wish), expected);
    }
}

#[test]
fn one_lasting_failure_among_others_is_not_tried_again() {
    let group = |error: pipeline::Error| GroupReport {
        group: "g".into(),
        unit: "u".into(),
        streams: Vec::new(),
        outcome: Outcome::Failed,
        error: report(error).error,
        retried: Vec::new(),
        attempts: 1,
        commits: 0,
        position: None,
        delivery: None,
        notes: Vec::new(),
    };
    let (passes, lasts) =
        (|| failure(Cause::NoRoom(String::new())), || failure(Cause::Contract(String::new())));
    for (errors, can_retry) in [([passes(), passes()], true), ([passes(), lasts()], false)] {
        let report = RunReport { groups: errors.map(group).into(), ..ended(Outcome::Failed) };
        assert_eq!(of_report(&report, &[], None), failed("CD0622", can_retry, None));
    }
}

#[test]
fn a_bug_is_tried_again_and_a_wrong_configuration_is_not() {
    assert_eq!(of_problem(&Problem::bug("x")), failed("CD0899", true, None));
    assert_eq!(of_problem(&Problem::new("CD0110", "x")), failed("CD0110", false, None));
}
