//! `cofferdam keys status`: what an operator should know of the keys. Works beside a running process.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vault::{Deletion, Status};

use crate::arguments;
use crate::control::{Progress, progress_of_holder};
use crate::data::{Directory, ExportNote};
use crate::output::Output;
use crate::places;
use crate::problem::Problems;
use crate::text::plain_line;
use crate::units::{self, counted, moment};

/// How far each organization has come that is being sealed anew, as far as somebody is at it and says so.
type Resealing = BTreeMap<String, Progress>;

pub(super) async fn run(command: &arguments::Status, output: &Output) -> Result<(), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let directory = Directory::existing(&path, &command.data.keys)?;
    let status = directory.keyring_beside()?.status()?;
    let resealing = resealing(&directory, &status).await;
    if output.json {
        return output.document(&document(&directory, &status, &resealing));
    }
    output.text(&text(&directory, &status, &resealing))
}

async fn resealing(directory: &Directory, status: &Status) -> Resealing {
    match status.rotating.as_slice() {
        [] => Resealing::new(),
        // Nobody may have the directory, and whoever has it may be about to end: the rest of the status is true all the same.
        _ => progress_of_holder(&directory.path).await.unwrap_or_default(),
    }
}

fn document(directory: &Directory, status: &Status, resealing: &Resealing) -> Value {
    let export = directory.settings.export.as_ref();
    json!({
        "data": directory.path,
        "deployment": status.deployment.to_string(),
        "provider": directory.settings.provider,
        "kek": status.kek.to_string(),
        "written": status.sequence,
        "shreds": status.shreds,
        "deletion": deletion_word(&status.deletion),
        "organizations": status.organizations,
        "rotating": status.rotating.iter().map(|(organization, _)| organization).collect::<Vec<_>>(),
        "resealing": resealing,
        "buckets": status.buckets.len(),
        "export": export.map(|export| json!({
            "path": export.path,
            "made_ms": export.made_ms,
            "destroyed_since": status.shreds.saturating_sub(export.shreds),
        })),
        "in_use_by": directory.holder(),
    })
}

/// For machines.
fn deletion_word(deletion: &Deletion) -> &'static str {
    match deletion {
        Deletion::Erasing { .. } => "erasing",
        Deletion::Unfinished { .. } => "unfinished",
        Deletion::LogicalOnly => "logical-only",
    }
}

fn text(directory: &Directory, status: &Status, resealing: &Resealing) -> String {
    let rotating = status.rotating.iter().map(|(organization, _)| match resealing.get(organization) {
        Some(progress) => format!("{organization} ({})", so_far(progress)),
        None => organization.clone(),
    });
    let organizations = match rotating.collect::<Vec<String>>().as_slice() {
        [] => status.organizations.to_string(),
        rotating => format!("{}; being sealed anew: {}", status.organizations, rotating.join(", ")),
    };
    let written = counted(status.sequence, "time", "times");
    let lines = [
        ("data directory", format!("`{}`", directory.path.display())),
        ("deployment", status.deployment.to_string()),
        ("keys", directory.settings.words()),
        ("current key", status.kek.to_string()),
        (
            "keyring",
            format!("written {written}; keys were destroyed {}", counted(status.shreds, "time", "times")),
        ),
        ("organizations", organizations),
        ("expiry keys", status.buckets.len().to_string()),
        ("deletion", deletion(&status.deletion)),
        ("newest export", export(directory.settings.export.as_ref(), status.shreds)),
        ("in use by", directory.holder().unwrap_or_else(|| "nobody".to_owned())),
    ];
    lines.iter().map(|(name, value)| format!("{name:<16}{}\n", plain_line(value))).collect()
}

fn so_far(progress: &Progress) -> String {
    let Progress { records, bytes, unreadable, started_ms } = *progress;
    let done = format!("{} so far, {}", counted(records, "record", "records"), units::bytes(bytes));
    let unreadable = match unreadable {
        0 => String::new(),
        some => format!("; {} not open", counted(some, "record does", "records do")),
    };
    format!("{done}{unreadable}; since {}", moment(started_ms))
}

fn deletion(deletion: &Deletion) -> String {
    match deletion {
        Deletion::Erasing { slot } => {
            format!("erases: the key of what is deleted is overwritten in `{}`", slot.display())
        }
        Deletion::Unfinished { slot } => format!(
            "an interrupted one is not finished in `{}`; the next command that opens the directory finishes it",
            slot.display()
        ),
        Deletion::LogicalOnly => {
            "logical only: without a shred key, earlier copies of the keyring still open what was \
                                  deleted (`--shred-key PATH` at first use)"
                .to_owned()
        }
    }
}

fn export(note: Option<&ExportNote>, shreds: u64) -> String {
    let Some(note) = note else {
        return "none: `cofferdam keys export` makes one, for the day on which this machine is lost"
            .to_owned();
    };
    let made = format!("`{}`, made {}", note.path.display(), moment(note.made_ms));
    match shreds.saturating_sub(note.shreds) {
        0 => format!("{made}; nothing was destroyed since"),
        times => format!(
            "{made}; keys were destroyed {} since, and it still opens what they sealed: make it anew",
            counted(times, "time", "times")
        ),
    }
}

#[cfg(test)]
mod tests;
