//! What a check has tried, one thing after the other, and how that is shown.

use serde::Serialize;
use serde_json::json;

use crate::output::Output;
use crate::problem::{Problem, Problems};
use crate::text::plain_line;

/// Something that was tried.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) what: String,
    pub(crate) ok: bool,
    /// What stops a run, or, where `ok` is true, what is worth knowing.
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<String>,
}

impl Step {
    /// It went well when there is no problem.
    pub(crate) fn of(what: impl Into<String>, problems: Vec<Problem>) -> Self {
        Self { what: what.into(), ok: problems.is_empty(), problems, notes: Vec::new() }
    }
}

pub(crate) fn show(steps: &[Step], output: &Output) -> Result<(), Problems> {
    let failed = steps.iter().filter(|step| !step.ok).flat_map(|step| step.problems.clone());
    let ended = Problems::of(failed.collect());
    if output.json {
        output.document(&json!({ "ok": ended.is_ok(), "steps": steps }))?;
        return ended.map_err(Problems::told_in_document);
    }
    for step in steps {
        let word = if step.ok { "ok    " } else { "FAILED" };
        let mut text = format!("{word} {}\n", plain_line(&step.what));
        for note in &step.notes {
            text.push_str(&format!("       {}\n", plain_line(note)));
        }
        output.text(&text)?;
        if step.ok {
            step.problems.iter().for_each(|problem| output.warning(problem));
        }
    }
    ended
}
