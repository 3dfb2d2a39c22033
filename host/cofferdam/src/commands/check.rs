//! `cofferdam check`: everything that a run needs is tried, and nothing is moved.

use std::path::Path;
use std::sync::Arc;

use pipeline::clock::SystemClock;
use pipeline::failure::Failure;
use pipeline::model::{FieldFate, StreamPlan, StreamVerdict};
use pipeline::records::MemoryRecords;
use pipeline::run::{NoObserver, Run};
use tokio_util::sync::CancellationToken;

use crate::arguments::{Check, Data};
use crate::blame;
use crate::data::Directory;
use crate::dry::{DryDestination, EmptySource};
use crate::host::Host;
use crate::keeper::Keeper;
use crate::opened::{Opened, Ports};
use crate::output::Output;
use crate::part::Part;
use crate::places;
use crate::problem::{Problem, Problems};
use crate::remote;
use crate::spec::spec;
use crate::steps::{Step, show};

pub(super) async fn run(command: Check, output: &Output) -> Result<(), Problems> {
    if command.server.is_meant(&command.data)? {
        return remote::check(&command, output).await;
    }
    let host = Host::new(command.cache, &command.network, output)?;
    let path = places::data(command.data.data.as_deref(), &command.sync);
    let (opened, keeper) = Keeper::new(path.clone(), &command.data).opening(&host, &command.sync).await?;
    let mut steps: Vec<Step> = opened.parts().map(grants).collect();
    steps.push(data(&path, &command.data));
    let ports = opened.ports()?;
    steps.push(call("the source answers", &host, &opened, ports.source.check().await));
    for (part, transform) in opened.transforms.iter().zip(&ports.transforms) {
        steps.push(call(
            &format!("the transform `{}` answers", part.name),
            &host,
            &opened,
            transform.check().await,
        ));
    }
    steps.push(call("the destination answers", &host, &opened, ports.destination.check().await));
    if steps.iter().all(|step| step.ok) {
        steps.push(dry_run(&opened, &host, ports).await);
    }
    host.logs.finish();
    keeper.close().await?;
    show(&steps, output)
}

/// The connector is there and its configuration fits; grants that do not meet its asks are told.
fn grants(part: &Part) -> Step {
    let what = format!("{} `{}`: {}, configuration fits", part.role, part.name, part.title());
    // A connector that can do without a directory mostly has another role here than the one that it needs it for.
    let unmet = part.unmet.iter().filter(|unmet| unmet.code != grants::Code::DirectoryNotGranted);
    Step { what, ok: true, problems: unmet.map(Problem::from).collect(), notes: Vec::new() }
}

/// What a run keeps has a place, and its keys are there. Beside a run that goes on too.
fn data(path: &Path, data: &Data) -> Step {
    let mut step = Step { what: String::new(), ok: true, problems: Vec::new(), notes: Vec::new() };
    let found = Directory::found(path, &data.keys);
    match found.and_then(|found| found.map(|directory| directory.keyring_beside().map(drop)).transpose()) {
        Ok(Some(())) => step.what = format!("the keys of the data directory `{}` open", path.display()),
        Ok(None) => step.what = format!("the data directory `{}` is made by the first run", path.display()),
        Err(problems) => {
            step.what = format!("the data directory `{}`", path.display());
            step.ok = false;
            step.problems = problems.into_all();
        }
    }
    step
}

fn call(what: &str, host: &Host, opened: &Opened, result: Result<(), Failure>) -> Step {
    Step::of(what, result.err().iter().map(|failure| blame::of_call(host, opened, failure)).collect())
}

async fn dry_run(opened: &Opened, host: &Host, ports: Ports) -> Step {
    let (destination, verdicts) = DryDestination::new(ports.destination);
    let ports = Ports {
        source: Arc::new(EmptySource(ports.source)),
        destination: Arc::new(destination),
        transforms: ports.transforms,
        secrets: ports.secrets,
    };
    let mut spec = spec(&opened.document.sync, ports);
    spec.options.attempts = 1;
    let run =
        Run::new(spec, Arc::new(MemoryRecords::new()), Arc::new(SystemClock::new()), Arc::new(NoObserver));
    let report = run.run(CancellationToken::new()).await;
    let problems = blame::of_run(host, opened, &report);
    let secrets = opened.destination.connection.secrets();
    let blanked = |text: String| secrets.text(scrub::Place::Message, &text).into_owned();
    let notes = verdicts.all().iter().map(|verdict| blanked(note(verdict))).collect();
    Step { what: "the destination takes the streams".into(), ok: problems.is_empty(), problems, notes }
}

/// Fields by what becomes of them; those that are stored as they are need no word.
fn note((plan, verdict): &(StreamPlan, StreamVerdict)) -> String {
    let mut fates: Vec<(String, Vec<String>)> = Vec::new();
    for field in &verdict.fields {
        let fate = match &field.fate {
            FieldFate::Stored => continue,
            FieldFate::Converted(to) => format!("converted to {to}"),
            FieldFate::Narrowed(to) => format!("narrowed to {to}"),
            FieldFate::Dropped(why) => format!("dropped, {why}"),
            FieldFate::Refused(why) => format!("refused, {why}"),
        };
        let name = format!("`{}`", field.field);
        match fates.iter_mut().find(|(known, _)| *known == fate) {
            Some((_, names)) => names.push(name),
            None => fates.push((fate, vec![name])),
        }
    }
    let (stream, count) = (&plan.schema.stream, verdict.fields.len());
    if fates.is_empty() {
        return format!("`{stream}`: {count} fields, all stored as they are");
    }
    let fates = fates.iter().map(|(fate, names)| format!("{fate}: {}", names.join(", ")));
    format!("`{stream}`: {count} fields; {}", fates.collect::<Vec<_>>().join("; "))
}
