//! `cofferdam runs logs`: what the connectors of a run said.

use std::fmt::Write as _;

use records::{LogLevel, RunLines};
use serde_json::json;

use crate::arguments::OneRun;
use crate::output::Output;
use crate::problem::Problems;
use crate::text::plain_line;
use crate::units::{self, counted};

pub(super) async fn run(command: &OneRun, output: &Output) -> Result<(), Problems> {
    let (deployment, sync) = super::opened(command).await?;
    let lines = deployment.records.log(&sync, command.run.run).await?;
    deployment.close().await?;
    if output.json {
        return output.document(&json!({ "sync": sync, "run": command.run.run, "log": lines }));
    }
    output.text(&text(&lines))?;
    if lines.dropped > 0 {
        let more = counted(lines.dropped, "line more was", "lines more were");
        output.aside(&format!("{more} logged than are kept\n"));
    }
    Ok(())
}

fn text(lines: &RunLines) -> String {
    let mut text = String::new();
    for line in &lines.lines {
        let (at, level) = (units::second(line.at_ms), word(line.level));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{at} {} {level}: {}", plain_line(&line.connector), plain_line(&line.text));
    }
    if lines.lines.is_empty() { "nothing was logged, or it has expired\n".to_owned() } else { text }
}

fn word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warning",
        LogLevel::Error => "error",
        LogLevel::Critical => "critical",
    }
}
