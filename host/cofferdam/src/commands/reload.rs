//! `cofferdam reload`: a run that goes on obeys what its document grants now, as far as that is less.

use serde_json::json;

use crate::arguments::Reload;
use crate::control::Holder;
use crate::data::Directory;
use crate::document::Document;
use crate::hold::{Effect, Outcome};
use crate::output::Output;
use crate::places;
use crate::problem::{Own, Problems};
use crate::units::counted;

pub(super) async fn run(command: &Reload, output: &Output) -> Result<(), Problems> {
    // Its faults are told before anybody is asked.
    Document::read(&command.sync)?;
    let path = places::data(command.data.data.as_deref(), &command.sync);
    let directory = Directory::existing(&path, &command.data.keys)?;
    let unread = |source| Own::Read { what: "the sync's document", path: command.sync.clone(), source };
    let document = command.sync.canonicalize().map_err(unread)?;
    if directory.holder().is_none() {
        return Err(Own::NotRunning { document }.into());
    }
    let effects = Holder::of(&directory).reload(&document).await?;
    if output.json {
        return output.document(&json!({ "connections": effects }));
    }
    output.text(&effects.iter().map(text).collect::<String>())
}

fn text(effect: &Effect) -> String {
    let Effect { connection, outcome, cut, is_wider, problem } = effect;
    let requests = counted(*cut as u64, "request was", "requests were");
    let mut text = match (outcome, problem) {
        (Outcome::Unchanged, _) => format!("`{connection}` may do what it could do before\n"),
        (Outcome::Narrowed, _) => format!("`{connection}` may do less from now on: {requests} cut\n"),
        (Outcome::Revoked, Some(problem)) => format!("{}: {requests} cut\n", problem.message),
        (Outcome::Revoked, None) => format!("`{connection}` is cut off: {requests} cut\n"),
    };
    if *is_wider {
        text.push_str(&format!("what else `{connection}` is granted now counts from the next run on\n"));
    }
    text
}
