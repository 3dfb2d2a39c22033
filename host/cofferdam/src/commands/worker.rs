//! `cofferdam worker`: this program as the process in which connectors run, for the process that started it.

use std::fmt::Write as _;

use serde_json::json;

use crate::arguments;
use crate::output::Output;
use crate::problem::{Problem, Problems};

/// Before any thread is started: walls are put up around the one that there is.
pub(super) fn run(command: &arguments::Worker, output: &Output) -> Result<(), Problems> {
    if command.self_check {
        return check(output);
    }
    Ok(worker::run()?)
}

/// Puts the walls up, tries to get past them, and says what came of it.
fn check(output: &Output) -> Result<(), Problems> {
    let (walls, attempts) = worker::check();
    let passed: Vec<&str> = attempts.iter().filter(|one| !one.is_denied).map(|one| one.what).collect();
    if output.json {
        output.document(&json!({ "walls": walls, "attempts": attempts }))?;
    } else {
        let mut text = String::new();
        for (name, wall) in walls.named() {
            let _ = writeln!(text, "{name} {wall}");
        }
        for one in &attempts {
            let denied = if one.is_denied { "denied" } else { "NOT denied" };
            let _ = writeln!(text, "{denied}: {} ({})", one.what, one.said);
        }
        output.text(&text)?;
    }
    if passed.is_empty() {
        return Ok(());
    }
    let missing = Problem::new("CD1405", format!("the walls around workers let pass: {}", passed.join(", ")));
    Err(Problems::from(missing).told_in_document())
}
