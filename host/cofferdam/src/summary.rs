//! What a run did, for people and for machines, and whether it ended well.

mod connectors;
mod requests;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;

use pipeline::connector::Budget;
use pipeline::failure::{Cause, GuestError};
use pipeline::report::{ErrorReport, Outcome, RunReport};
use serde::Serialize;
use serde_json::{Value, json};

use crate::opened::Opened;
use crate::part::Part;
use crate::problem::{Own, Problem, Problems};
use crate::traffic::{Amounts, End, Group, Traffic};

/// One connector of the run.
#[derive(Debug, Serialize)]
struct Connector {
    name: String,
    connector: String,
    version: String,
    digest: String,
    budget: Budget,
}

/// A run that has ended.
pub(crate) struct Summary {
    report: RunReport,
    connectors: Vec<Connector>,
    requests: BTreeMap<Group, Amounts>,
    records: PathBuf,
    problems: Vec<Problem>,
}

impl Summary {
    pub(crate) fn new(opened: &Opened, traffic: &Traffic, report: RunReport, records: PathBuf) -> Self {
        let requests = traffic.groups();
        let problems = problems(opened, &report, &requests);
        Self { report, connectors: opened.parts().map(connector).collect(), requests, records, problems }
    }

    /// For machines.
    pub(crate) fn document(&self) -> Value {
        let request = |(group, amounts)| json!({ "group": group, "amounts": amounts });
        json!({
            "report": self.report,
            "connectors": self.connectors,
            "requests": self.requests.iter().map(request).collect::<Vec<_>>(),
            "records": self.records,
            "errors": self.problems,
        })
    }

    /// How the run ended, for the exit code.
    pub(crate) fn ended(&self) -> Result<(), Problems> {
        Problems::of(self.problems.clone())
    }
}

fn connector(part: &Part) -> Connector {
    let inspection = part.component.inspection();
    Connector {
        name: part.name.clone(),
        connector: inspection.manifest.name.clone(),
        version: inspection.manifest.version.to_string(),
        digest: inspection.digest.clone(),
        budget: part.connection.budget(),
    }
}

/// The run's own error and those of its groups, each once.
pub(crate) fn problems(
    opened: &Opened,
    report: &RunReport,
    requests: &BTreeMap<Group, Amounts>,
) -> Vec<Problem> {
    if report.outcome == Outcome::Cancelled {
        return vec![Own::Stopped.into()];
    }
    let mut problems: Vec<Problem> = Vec::new();
    let groups = report.groups.iter().filter_map(|group| group.error.as_ref());
    for error in report.error.iter().chain(groups) {
        let mut problem = problem(opened, error);
        for lines in denied_lines(requests) {
            problem = problem.allowed_by(lines);
        }
        if !problems.iter().any(|known| known.code == problem.code && known.message == problem.message) {
            problems.push(problem);
        }
    }
    problems
}

fn problem(opened: &Opened, error: &ErrorReport) -> Problem {
    if let pipeline::Error::Failure(failure) = &error.error {
        return called(opened, failure);
    }
    error.error.clone().into()
}

/// A failed call; faults that the connector finds in its configuration are shown where they stand.
pub(crate) fn called(opened: &Opened, failure: &pipeline::failure::Failure) -> Problem {
    let mut problem = Problem::from(failure);
    let Some(part) = opened.part_of_call(&failure.connector, &failure.call) else { return problem };
    if let Cause::Guest(GuestError::Config(faults)) = &failure.cause {
        let fault = |fault: &pipeline::failure::FieldFault| manifest::ConfigFault {
            path: fault.path.clone(),
            message: fault.message.clone(),
        };
        let faults = faults.iter().map(fault).collect();
        if let Some(located) = opened.document.config_faults(&[(part.place, faults)]) {
            problem.details = located.details;
            problem.faults = located.faults;
        }
    }
    problem
}

fn denied_lines(requests: &BTreeMap<Group, Amounts>) -> impl Iterator<Item = &str> {
    requests.keys().filter_map(|group| match &group.end {
        End::Denied { line_to_add, .. } => line_to_add.as_deref(),
        _ => None,
    })
}
