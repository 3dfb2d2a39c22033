//! `cofferdam runs show`: what is kept of one run, in codes and counts. Texts that may quote rows are not shown here.

use std::fmt::Write as _;

use pipeline::report::Delivery;
use records::{GroupEnd, RunEnd, RunEntry, TakenBack};
use serde_json::json;

use super::list::{code, ended};
use crate::arguments::OneRun;
use crate::output::Output;
use crate::problem::Problems;
use crate::summary::{counts, requests_text};
use crate::table::Table;
use crate::text::plain_line;
use crate::traffic::Requests;
use crate::units;

pub(super) async fn run(command: &OneRun, output: &Output) -> Result<(), Problems> {
    let (deployment, sync) = super::opened(command).await?;
    let entry = deployment.records.run(&sync, Some(command.run.run)).await?;
    let ledger: Option<Vec<Requests>> = deployment.records.ledger(&sync, entry.run).await?;
    deployment.close().await?;
    let requests = ledger.unwrap_or_default();
    if output.json {
        return output.document(&json!({ "sync": sync, "entry": entry, "requests": requests }));
    }
    output.text(&text(&sync, &entry, &requests))
}

fn text(sync: &str, entry: &RunEntry, requests: &[Requests]) -> String {
    let mut text = headline(sync, entry);
    text.push_str(&taken_back(entry));
    let Some(end) = &entry.end else {
        text.push_str("its process ended before it could report; what it had committed is there\n");
        return text;
    };
    for part in [streams(end), groups(end), budgets(end)] {
        text.push_str(&part);
    }
    text.push_str(&requests_text(requests));
    for note in &entry.notes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", plain_line(note));
    }
    text
}

fn headline(sync: &str, entry: &RunEntry) -> String {
    let mut text = format!("sync `{}`, run {}", plain_line(sync), entry.run);
    if let Some(run) = entry.reprocesses {
        text.push_str(&format!(", reprocess of run {run}"));
    }
    text.push_str(&format!(": {}", ended(entry)));
    if let Some(code) = code(entry) {
        text.push_str(&format!(" ({code})"));
    }
    text.push_str(&format!(", began {}", units::moment(entry.started_ms)));
    if let Some(end) = &entry.end {
        text.push_str(&format!(", {}", units::duration(end.duration_ms)));
    }
    text.push('\n');
    text
}

/// Who took what from it, and when.
fn taken_back(entry: &RunEntry) -> String {
    let mut lines = String::new();
    for TakenBack { at_ms, by, text, code, .. } in &entry.taken_back {
        let code = code.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
        // Writing to a string cannot fail.
        let _ =
            writeln!(lines, "{} by {}: {}{code}", units::second(*at_ms), plain_line(by), plain_line(text));
    }
    lines
}

fn streams(end: &RunEnd) -> String {
    let mut table =
        Table::new(&["STREAM", ">READ", ">ACCEPTED", ">REJECTED", ">FILTERED", ">WRITTEN", "CODES"]);
    for (name, stream) in &end.streams {
        let written = units::count(end.written.get(name).copied().unwrap_or(0));
        let codes = stream.reject_codes.iter().map(|(code, rows)| format!("{} {code}", units::count(*rows)));
        let codes = codes.collect::<Vec<_>>().join(", ");
        table.row(std::iter::once(name.clone()).chain(counts(stream)).chain([written, codes]));
    }
    headed(table)
}

fn groups(end: &RunEnd) -> String {
    let mut table = Table::new(&["GROUP", "ENDED", ">ATTEMPTS", ">COMMITS", "DELIVERY"]);
    for group in &end.groups {
        let error = group.error.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
        table.row([
            group.group.clone(),
            format!("{:?}{error}", group.outcome).to_lowercase(),
            units::count(group.attempts.into()),
            units::count(group.commits),
            delivery(group).to_owned(),
        ]);
    }
    headed(table)
}

fn delivery(group: &GroupEnd) -> &'static str {
    match group.delivery {
        Some(Delivery::ExactlyOnce) => "exactly once",
        Some(Delivery::AtLeastOnce) => "at least once",
        None => "",
    }
}

fn budgets(end: &RunEnd) -> String {
    let mut table = Table::new(&["BUDGET", "CONNECTOR", ">USED", ">OF"]);
    for (connector, budget) in &end.budgets {
        for usage in budget.iter().filter(|usage| usage.used > 0) {
            let (limit, amount) = (usage.limit.as_str(), |number| units::amount(&usage.limit, number));
            table.row([limit.to_owned(), connector.clone(), amount(usage.used), amount(usage.allowed)]);
        }
    }
    headed(table)
}

fn headed(table: Table) -> String {
    if table.is_empty() { String::new() } else { format!("\n{}", table.render(0)) }
}
