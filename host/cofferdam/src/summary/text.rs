//! The summary as a person reads it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pipeline::records::Counters;
use pipeline::report::{Delivery, GroupReport, Outcome, StreamReport};
use pipeline::secrets::SecretFound;

use super::{Summary, requests};
use crate::deployment::option_for;
use crate::table::Table;
use crate::text::{cut, plain_line};
use crate::units::{self, counted};

/// A secret that was found where it must not be.
fn came_back(found: &SecretFound) -> String {
    let SecretFound { connector, credential, place, encoding, count } = found;
    let times = counted(*count, "time", "times");
    format!(
        "the secret of the credential `{credential}` of the {connector} came back {times} in a {place} ({encoding}); it went no \
         further"
    )
}

impl Summary {
    pub(crate) fn text(&self) -> String {
        let mut text = self.headline();
        if self.report.run == 0 {
            return text;
        }
        for part in [self.streams(), self.remarks()] {
            text.push_str(&part);
        }
        let _ = write!(text, "\n{}", self.budgets());
        text.push_str(&requests::text(&self.requests));
        text
    }

    fn headline(&self) -> String {
        let report = &self.report;
        let ended = match report.outcome {
            Outcome::Completed if report.total().read == 0 => "completed, there was nothing new",
            Outcome::Completed => "completed",
            Outcome::Cancelled => "stopped",
            Outcome::Failed => "failed",
        };
        let name = plain_line(&report.sync);
        match report.run {
            0 => format!("sync `{name}`: could not begin\n"),
            run => format!("sync `{name}`, run {run}: {ended}, {}\n", units::duration(report.duration_ms)),
        }
    }

    fn streams(&self) -> String {
        let headings =
            ["STREAM", ">READ", ">ACCEPTED", ">REJECTED", ">FILTERED", ">WRITTEN", ">BYTES", ">ROWS/S"];
        let mut table = Table::new(&headings);
        let report = &self.report;
        let names: BTreeSet<&String> = report.streams.keys().chain(report.written.keys()).collect();
        for name in names {
            let mut cells = vec![name.clone()];
            match report.streams.get(name) {
                Some(stream) => cells.extend(counts(stream)),
                // A stream that a transform makes.
                None => cells.extend(std::iter::repeat_n(String::new(), 4)),
            }
            cells.push(units::count(report.written.get(name).copied().unwrap_or(0)));
            if let Some(stream) = report.streams.get(name) {
                cells.push(units::bytes(stream.bytes));
                cells.push(units::rate(stream.counters.read, report.duration_ms));
            }
            table.row(cells);
        }
        if table.is_empty() { String::new() } else { format!("\n{}", table.render(0)) }
    }

    /// What is worth saying beyond figures.
    fn remarks(&self) -> String {
        let mut lines = Vec::new();
        let report = &self.report;
        for (stream, counters) in &report.recovered {
            let rows = counted(counters.read, "row", "rows");
            lines.push(format!(
                "`{stream}`: {rows} of an earlier run had arrived before it broke off, and are counted now"
            ));
        }
        for (name, stream) in &report.streams {
            lines.extend(self.rejected(name, stream));
        }
        lines.extend(self.look());
        lines.extend(report.secrets.iter().map(came_back));
        for group in &report.groups {
            lines.extend(group.notes.iter().cloned());
            lines.extend(retried(group));
            lines.extend(resumes(report.outcome, group).filter(|_| self.data.is_some()));
        }
        lines.extend(self.delivery());
        let mut text = String::new();
        for line in &lines {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", plain_line(line));
        }
        if lines.is_empty() { text } else { format!("\n{text}") }
    }

    fn rejected(&self, name: &str, stream: &StreamReport) -> Option<String> {
        let codes: Vec<String> = stream
            .reject_codes
            .iter()
            .map(|(code, rows)| format!("{} {code}", units::count(*rows)))
            .collect();
        (!codes.is_empty()).then(|| format!("`{name}` rejected: {}", codes.join(", ")))
    }

    /// What shows the rejected rows.
    fn look(&self) -> Option<String> {
        let has_rejects = self.report.streams.values().any(|stream| !stream.reject_codes.is_empty());
        let data = option_for(self.data.as_ref()?);
        let (sync, run) = (&self.report.sync, self.report.run);
        (has_rejects && self.keeps_rejects)
            .then(|| format!("rejected rows are kept: cofferdam errors list --run {sync}/{run}{data}"))
    }

    fn delivery(&self) -> Option<String> {
        let deliveries: Vec<Delivery> =
            self.report.groups.iter().filter_map(|group| group.delivery).collect();
        if deliveries.contains(&Delivery::AtLeastOnce) {
            return Some(
                "delivery: at least once: after a crash, rows of the last commit can come twice".into(),
            );
        }
        (!deliveries.is_empty()).then(|| "delivery: exactly once".into())
    }
}

pub(crate) fn counts(stream: &StreamReport) -> [String; 4] {
    let Counters { read, accepted, rejected, filtered } = stream.counters;
    [read, accepted, rejected, filtered].map(units::count)
}

fn retried(group: &GroupReport) -> Option<String> {
    let last = group.retried.last()?;
    let first_line = last.message.lines().next().unwrap_or_default();
    let (name, attempts, code) = (&group.group, group.attempts, &last.code);
    Some(format!("`{name}` took {attempts} attempts; the last failure ({code}): {}", cut(first_line, 300)))
}

/// Where the next run goes on, where this one did not come to the end.
fn resumes(outcome: Outcome, group: &GroupReport) -> Option<String> {
    if outcome == Outcome::Completed || group.outcome == Outcome::Completed {
        return None;
    }
    let name = &group.group;
    let position = group.position.as_ref()?;
    Some(match &position.checkpoint {
        Some(checkpoint) => format!("`{name}` resumes at {}", cut(checkpoint, 300)),
        None => format!("`{name}` resumes at its beginning"),
    })
}
