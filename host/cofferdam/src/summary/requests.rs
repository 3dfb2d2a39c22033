//! The ledger of a run: which hosts were asked for what, and what would allow what was denied.

use std::fmt::Write as _;

use crate::table::Table;
use crate::text::{plain_line, plain_lines};
use crate::traffic::{End, Group, Requests, sums};
use crate::units;

/// Empty where nothing was asked for.
pub(crate) fn text(requests: &[Requests]) -> String {
    if requests.is_empty() {
        return String::new();
    }
    let sums = sums(requests.iter().map(|Requests { group, amounts }| (group.clone(), amounts.clone())));
    // Most syncs need none.
    let has_credentials = sums.keys().any(|group| group.particulars.credential.is_some());
    let mut headings = vec!["HOST", "CONNECTION", "METHOD", "ANSWER", ">REQUESTS", ">OUT", ">IN"];
    headings.extend(has_credentials.then_some("CREDENTIAL"));
    let mut table = Table::new(&headings);
    for (group, amounts) in &sums {
        let cells = [
            group.host.clone(),
            group.connection.clone(),
            group.method.clone(),
            answer(group),
            units::count(amounts.requests),
            units::bytes(amounts.bytes_out),
            units::bytes(amounts.bytes_in),
        ];
        let credential = has_credentials.then(|| group.particulars.credential.clone().unwrap_or_default());
        table.row(cells.into_iter().chain(credential));
    }
    let mut text = format!("\n{}", table.render(0));
    for (group, amounts) in &sums {
        text.push_str(&remark(group, amounts.message.as_deref()));
    }
    text
}

fn answer(group: &Group) -> String {
    let status = group.status.map_or_else(String::new, |status| status.to_string());
    let word = match &group.end {
        End::Completed => return status,
        End::Abandoned => "abandoned".to_owned(),
        End::Failed { code } => format!("failed {code}"),
        End::Denied { code, .. } => format!("denied {code}"),
    };
    format!("{status} {word}").trim_start().to_owned()
}

fn remark(group: &Group, message: Option<&str>) -> String {
    let mut text = String::new();
    let what = plain_line(&format!("{} {}", group.method, group.host));
    // Writing to a string cannot fail.
    match &group.end {
        End::Denied { code, reason, line_to_add } => {
            let _ = writeln!(text, "denied: {what}: {} ({code})", plain_line(reason));
            if let Some(lines) = line_to_add {
                let _ = writeln!(text, "  to allow it, add");
                for line in plain_lines(lines) {
                    let _ = writeln!(text, "    {line}");
                }
            }
        }
        End::Failed { code } => {
            let _ = writeln!(text, "failed: {what}: {} ({code})", plain_line(message.unwrap_or_default()));
        }
        End::Completed | End::Abandoned => {}
    }
    text
}
