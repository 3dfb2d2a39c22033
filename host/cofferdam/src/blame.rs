//! Why a run or a call failed, with all that is known of it: the document, the ledger, the connector's last words.

use std::collections::BTreeMap;

use manifest::ConfigFault;
use pipeline::failure::{Cause, Failure, FieldFault, GuestError};
use pipeline::report::{Outcome, RunReport};
use runtime::Directory;

use crate::host::Host;
use crate::opened::Opened;
use crate::problem::{Own, Problem};
use crate::traffic::{Amounts, End, Group};

/// More causes than this explain nothing.
const CAUSES_MAX: usize = 5;
/// A disk with less room than this takes no page of rows.
const FULL_BYTES: u64 = 64 << 10;
/// What TLS says of a certificate whose authority is not among the trusted ones, or only another one of its name.
const UNTRUSTED: [&str; 2] = ["UnknownIssuer", "BadSignature"];

/// The codes of calls whose connector was not let through, or was broken off.
const CONSEQUENCES: [&str; 2] = ["CD0603", "CD0621"];
/// What helps where an authority is not trusted.
pub(crate) const OWN_AUTHORITY: &str = "if the server's authority is one of your own, name the file of its certificate (PEM) as \
     `tls.ca` in the grants; `cofferdam explain CD0306` says more";

/// The run's own error and those of its groups, each once.
pub(crate) fn of_run(host: &Host, opened: &Opened, report: &RunReport) -> Vec<Problem> {
    let taken = host.taken.problems();
    match report.outcome {
        Outcome::Failed => {}
        // What was taken back came too late to matter, or nothing more was asked with it.
        Outcome::Completed => return Vec::new(),
        Outcome::Cancelled if taken.is_empty() => return vec![Own::Stopped.into()],
        Outcome::Cancelled => return taken,
    }
    // What connectors make of it is its consequence.
    if let Some(fault) = host.cassette_fault() {
        return vec![fault.into()];
    }
    let failed = failures(host, opened, report);
    let Some((first, others)) = taken.split_first() else { return failed };
    // That calls are denied or end when the ground is taken from under them explains nothing.
    let other =
        failed.iter().filter(|problem| !CONSEQUENCES.contains(&problem.code.as_str())).take(CAUSES_MAX);
    let told = |problem: Problem, failed: &Problem| {
        problem.caused_by(format!("{} ({})", failed.message, failed.code))
    };
    std::iter::once(other.fold(first.clone(), told)).chain(others.iter().cloned()).collect()
}

fn failures(host: &Host, opened: &Opened, report: &RunReport) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let groups = report.groups.iter().filter_map(|group| group.error.as_ref());
    for error in report.error.iter().chain(groups) {
        let problem = match &error.error {
            pipeline::Error::Failure(failure) => of_call(host, opened, failure),
            other => other.clone().into(),
        };
        if !problems.iter().any(|known| known.code == problem.code && known.message == problem.message) {
            problems.push(problem);
        }
    }
    problems
}

/// A failed call; faults that the connector finds in its configuration are shown where they stand.
pub(crate) fn of_call(host: &Host, opened: &Opened, failure: &Failure) -> Problem {
    let mut problem = explained(failure.into(), &host.traffic.sums());
    let part = opened.part_of_call(&failure.connector, &failure.call);
    for directory in part.into_iter().flat_map(|part| full_disks(&part.writable)) {
        problem = problem
            .caused_by(format!("the disk of the granted directory `{}` is full", directory.path.display()))
            .hint("make room there and run again: what was committed stays, and the run goes on from it");
    }
    let (Some(part), Cause::Guest(GuestError::Config(faults))) = (part, &failure.cause) else {
        return problem;
    };
    let located = |fault: &FieldFault| ConfigFault::new(fault.path.clone(), fault.message.clone());
    let faults = faults.iter().map(located).collect();
    if let Some(located) = opened.document.config_faults(&[(part.place, faults)]) {
        problem.details = located.details;
        problem.faults = located.faults;
    }
    problem
}

/// A guest that writes to a full disk is told of an input or output error, and not of which.
pub(crate) fn full_disks(writable: &[Directory]) -> impl Iterator<Item = &Directory> {
    writable.iter().filter(|directory| {
        let found = rustix::fs::statvfs(&directory.path);
        found.is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < FULL_BYTES)
    })
}

/// What became of requests is mostly why a connector failed, and it knows less of that than we do.
fn explained(mut problem: Problem, requests: &BTreeMap<Group, Amounts>) -> Problem {
    for (group, amounts) in requests {
        match (&group.end, &amounts.message) {
            (End::Denied { line_to_add: Some(lines), .. }, _) => problem = problem.allowed_by(lines),
            (End::Failed { code }, Some(message)) if problem.causes.len() < CAUSES_MAX => {
                problem = problem.caused_by(format!("{} {}: {message} ({code})", group.method, group.host));
                problem = egress::credential::hint_of(code).into_iter().fold(problem, Problem::hint);
            }
            _ => {}
        }
    }
    let mut messages = requests.values().filter_map(|amounts| amounts.message.as_ref());
    if messages.any(|message| UNTRUSTED.iter().any(|words| message.contains(words))) {
        return problem.hint(OWN_AUTHORITY);
    }
    problem
}
