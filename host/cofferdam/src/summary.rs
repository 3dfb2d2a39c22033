//! What a run did, for people and for machines, and whether it ended well.

mod connectors;
mod requests;
mod text;

use std::path::PathBuf;

use manifest::RejectPolicy;
use pipeline::connector::Budget;
use pipeline::report::RunReport;
use serde::Serialize;
use serde_json::{Value, json};

use crate::blame;
use crate::host::Host;
use crate::opened::Opened;
use crate::part::Part;
use crate::problem::{Problem, Problems};
use crate::traffic::Requests;

pub(crate) use requests::text as requests_text;
pub(crate) use text::counts;

/// One connector of the run.
#[derive(Debug, Serialize)]
struct Connector {
    name: String,
    connector: String,
    version: String,
    digest: String,
    /// Credentials whose secrets it was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holds: Vec<String>,
    budget: Budget,
}

/// A run that has ended.
pub(crate) struct Summary {
    report: RunReport,
    connectors: Vec<Connector>,
    requests: Vec<Requests>,
    /// The data directory; none where nothing is kept.
    data: Option<PathBuf>,
    /// Whether rejected rows were kept.
    keeps_rejects: bool,
    problems: Vec<Problem>,
}

impl Summary {
    pub(crate) fn new(host: &Host, opened: &Opened, report: RunReport, data: Option<PathBuf>) -> Self {
        let requests = host.traffic.entries();
        let problems = blame::of_run(host, opened, &report);
        let connectors = opened.parts().map(connector).collect();
        let keeps_rejects = data.is_some() && opened.document.sync.rejects.policy == RejectPolicy::Quarantine;
        Self { report, connectors, requests, data, keeps_rejects, problems }
    }

    /// For machines.
    pub(crate) fn document(&self) -> Value {
        json!({
            "report": self.report,
            "connectors": self.connectors,
            "requests": self.requests,
            "data": self.data,
            "errors": self.problems,
        })
    }

    /// How the run ended, for the exit code.
    pub(crate) fn ended(&self) -> Result<(), Problems> {
        Problems::of(self.problems.clone())
    }
}

fn connector(part: &Part) -> Connector {
    let Part { name, inspection, .. } = part;
    Connector {
        name: name.clone(),
        connector: inspection.manifest.name.clone(),
        version: inspection.manifest.version.to_string(),
        digest: inspection.digest.clone(),
        holds: part.revealed.clone(),
        budget: part.connection.budget(),
    }
}
