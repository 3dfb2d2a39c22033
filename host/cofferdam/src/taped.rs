//! Runs that are recorded and replayed: what a cassette has of the sync, and what such a run does otherwise than others.

mod clock;
mod records;

use std::path::Path;

use cassette::{Cassette, Connection, Head};
use pipeline::report::{Outcome, RunReport};
use pipeline::run::Options;
use runtime::Inspection;
use serde_json::Value;

pub(crate) use clock::ReplayClock;
pub(crate) use records::TapedRecords;

use crate::document::Document;
use crate::host::Host;
use crate::output::Output;
use crate::problem::{Problem, Problems};
use crate::units::{counted, now_ms};

/// What is known of a recording when it begins.
pub(crate) fn head(sync: &Path) -> Result<Head, Problems> {
    Ok(Head {
        cofferdam: env!("CARGO_PKG_VERSION").to_owned(),
        sync: Document::read(sync)?.sync.name,
        started_ms: now_ms(),
        ..Head::default()
    })
}

/// When it is time for a commit depends on the machine, and with it what a destination is told. So commits are made when they
/// are full.
pub(crate) fn options(options: Options) -> Options {
    Options { commit_every_ms: u64::MAX, ..options }
}

/// Puts a connection on the cassette that is recorded; or says in what it differs from the one that is replayed.
pub(crate) fn connection(
    host: &Host,
    name: &str,
    inspection: &Inspection,
    config: &Value,
    revealed: &[String],
) -> Result<Vec<Problem>, Problems> {
    let is = described(inspection, config);
    match &host.cassette {
        None => Ok(Vec::new()),
        Some(Cassette::Record(recorder)) => {
            if let Some(credential) = revealed.first() {
                return Err(holds_a_secret(name, credential).into());
            }
            recorder.describe(name, is);
            Ok(Vec::new())
        }
        Some(Cassette::Replay(_)) => Ok(differences(name, host.recorded(name), &is)),
    }
}

fn described(inspection: &Inspection, config: &Value) -> Connection {
    Connection {
        connector: inspection.manifest.name.clone(),
        version: inspection.manifest.version.to_string(),
        component: inspection.digest.clone(),
        config: cassette::digest(config),
        credentials: inspection.manifest.told_credentials(config),
    }
}

/// It could send it wherever it may go, and the host does not look for it there.
fn holds_a_secret(name: &str, credential: &str) -> Problem {
    let message =
        format!("`{name}` holds the secret of the credential `{credential}` itself, so it is not recorded");
    Problem::new("CD0857", message)
        .hint("grant it without `reveal` for the recording, or record without this connector")
}

/// They are what a replay is for, mostly; who did not mean them is told.
fn differences(name: &str, was: Option<&Connection>, is: &Connection) -> Vec<Problem> {
    let Some(was) = was else {
        return vec![Problem::new("CD0856", format!("there was no `{name}` in the recording"))];
    };
    let mut differences = Vec::new();
    let mut differs = |what: String| differences.push(Problem::new("CD0856", what));
    if was.component != is.component {
        let (before, now) =
            (format!("{} {}", was.connector, was.version), format!("{} {}", is.connector, is.version));
        differs(format!(
            "the component of `{name}` is not the recorded one: {before} was recorded, {now} is replayed"
        ));
    }
    if was.config != is.config {
        differs(format!("the configuration of `{name}` is not the recorded one"));
    }
    differences
}

/// Ends the recording, if there is one.
pub(crate) async fn finish(host: &Host, report: &RunReport, output: &Output) -> Result<(), Problems> {
    let Some(Cassette::Record(recorder)) = host.cassette.clone() else { return Ok(()) };
    let (run, whole) = (report.run, report.run > 0 && report.outcome != Outcome::Cancelled);
    let finished = tokio::task::spawn_blocking(move || recorder.finish(run, whole)).await;
    let exchanges = finished.map_err(|error| Problem::bug(format!("a recording broke off: {error}")))??;
    if whole {
        output.aside(&format!("recorded {}\n", counted(exchanges, "exchange", "exchanges")));
    }
    Ok(())
}
