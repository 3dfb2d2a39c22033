//! `cofferdam errors show`: one rejected row with its values.

use std::fmt::Write as _;

use records::KeptError;
use serde_json::Value;

use super::{export, state};
use crate::arguments::ErrorsShow;
use crate::deployment::Deployment;
use crate::output::Output;
use crate::places;
use crate::problem::{Own, Problems};
use crate::subject::only;
use crate::text::{plain_line, plain_lines};
use crate::units::moment;

pub(super) async fn run(command: &ErrorsShow, output: &Output) -> Result<(), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let deployment = Deployment::existing(&path, &command.data).await?;
    let sync = only(&deployment.records, command.id.sync.as_deref()).await?;
    let error = deployment.records.error(&sync, command.id.id).await?;
    deployment.close().await?;
    let id = || format!("{sync}/{}", command.id.id);
    let error = error.ok_or_else(|| Own::NoSuchError { id: id() })?;
    if output.json {
        return output.document(&export::whole(&sync, &error));
    }
    output.text(&text(&sync, &error))
}

fn text(sync: &str, error: &KeptError) -> String {
    let mut lines = vec![
        ("id", format!("{sync}/{}", error.id)),
        ("stream", error.schema.stream.clone()),
        ("row", format!("{} of the run, from 0", error.error.index)),
        (
            "operation",
            error.error.operation.map_or("none: it never became a row", |one| one.name()).to_owned(),
        ),
        ("code", error.error.code.clone()),
        (
            "try again",
            if error.error.retryable { "could help" } else { "does not help by itself" }.to_owned(),
        ),
        ("state", state(error)),
        ("tries", tries(error)),
        ("rejected", moment(error.created_ms)),
        ("expires", error.expires_ms.map_or_else(|| "never".to_owned(), moment)),
    ];
    lines.extend(plain_lines(&error.error.message).into_iter().map(|line| ("message", line)));
    let mut text: String =
        lines.iter().map(|(name, value)| format!("{name:<10} {}\n", plain_line(value))).collect();
    text.push('\n');
    text.push_str(&values(error));
    text
}

fn tries(error: &KeptError) -> String {
    match error.tried_by {
        Some(run) => format!("{}, the last by run {run}", error.tries),
        None => error.tries.to_string(),
    }
}

fn values(error: &KeptError) -> String {
    let mut text = String::new();
    match export::row(error) {
        (Some(Value::Object(row)), _) => {
            for (field, value) in row {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  {}: {}", plain_line(&field), plain_line(&value.to_string()));
            }
        }
        (_, Some(reason)) => text = format!("  {reason}\n"),
        (row, None) => text = format!("  {}\n", plain_line(&row.unwrap_or_default().to_string())),
    }
    text
}
