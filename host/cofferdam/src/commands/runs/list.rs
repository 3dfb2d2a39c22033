//! `cofferdam runs list`.

use pipeline::records::Counters;
use pipeline::report::Outcome;
use records::RunEntry;
use serde_json::{Value, json};

use crate::arguments::RunsList;
use crate::deployment::Deployment;
use crate::output::Output;
use crate::problem::Problems;
use crate::subject::Subject;
use crate::table::Table;
use crate::units;

pub(super) async fn run(command: &RunsList, output: &Output) -> Result<(), Problems> {
    let subject = Subject::new(command.sync.as_deref(), &command.data)?;
    let deployment = Deployment::existing(&subject.data, &command.data).await?;
    let mut runs = Vec::new();
    for sync in subject.syncs(&deployment.records).await? {
        let entries = deployment.records.runs(&sync, None, command.limit).await?;
        runs.extend(entries.into_iter().map(|entry| (sync.clone(), entry)));
    }
    deployment.close().await?;
    if output.json {
        let runs = runs.iter().map(|(sync, entry)| json!({ "sync": sync, "entry": entry }));
        return output.document(&json!({ "runs": runs.collect::<Vec<Value>>() }));
    }
    output.text(&text(&runs))
}

fn text(runs: &[(String, RunEntry)]) -> String {
    let mut table = Table::new(&[
        "RUN",
        "BEGAN",
        ">TOOK",
        "ENDED",
        ">READ",
        ">ACCEPTED",
        ">REJECTED",
        ">FILTERED",
        "NOTE",
    ]);
    for (sync, entry) in runs {
        let took = entry.end.as_ref().map_or_else(String::new, |end| units::duration(end.duration_ms));
        let Counters { read, accepted, rejected, filtered } = total(entry);
        let mut cells = vec![format!("{sync}/{}", entry.run), units::moment(entry.started_ms), took];
        cells.push(ended(entry).to_owned());
        cells.extend([read, accepted, rejected, filtered].map(units::count));
        cells.push(note(entry));
        table.row(cells);
    }
    if table.is_empty() { "there are no runs\n".to_owned() } else { table.render(0) }
}

/// In a word.
pub(super) fn ended(entry: &RunEntry) -> &'static str {
    match entry.end.as_ref().map(|end| end.outcome) {
        Some(Outcome::Completed) => "completed",
        Some(_) if revoked(entry).is_some() => "revoked",
        Some(Outcome::Cancelled) => "stopped",
        Some(Outcome::Failed) => "failed",
        None => "cut off",
    }
}

/// Why it did not come to its end. What connectors make of what was taken from them is its consequence.
pub(super) fn code(entry: &RunEntry) -> Option<&String> {
    let end = entry.end.as_ref().filter(|end| end.outcome != Outcome::Completed)?;
    revoked(entry).or(end.error.as_ref())
}

fn revoked(entry: &RunEntry) -> Option<&String> {
    entry.taken_back.iter().find_map(|taken| taken.code.as_ref())
}

fn total(entry: &RunEntry) -> Counters {
    let mut total = Counters::default();
    for stream in entry.end.iter().flat_map(|end| end.streams.values()) {
        total.add(stream.counters);
    }
    total
}

fn note(entry: &RunEntry) -> String {
    let of = entry.reprocesses.map(|run| format!("reprocess of run {run}"));
    of.into_iter().chain(code(entry).cloned()).collect::<Vec<_>>().join(", ")
}
