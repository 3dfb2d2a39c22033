//! Runs named stages and remembers how long each took.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::shell;

/// The stages of one command, in order.
pub(crate) struct Stages {
    start: Instant,
    finished: Vec<(&'static str, Duration, bool)>,
}

impl Stages {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), finished: Vec::new() }
    }

    /// Runs a stage; a failure is printed here, and the caller decides whether the next ones make sense without it.
    pub(crate) fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let result = work();
        self.finished.push((name, start.elapsed(), result.is_ok()));
        if let Err(error) = &result {
            eprintln!("stage `{name}` failed: {}", shell::explain(error));
        }
        result.ok()
    }

    pub(crate) fn all_succeeded(&self) -> bool {
        self.finished.iter().all(|(_, _, success)| *success)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// One line for each stage.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        for (name, elapsed, success) in &self.finished {
            let result = if *success { "ok" } else { "FAILED" };
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{name:<20} {:>8.1} s  {result}", elapsed.as_secs_f64());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::Stages;

    #[test]
    fn a_failed_stage_is_shown_and_remembered() {
        let mut stages = Stages::new();
        assert_eq!(stages.run("first", || Ok(7)), Some(7));
        assert!(stages.all_succeeded());
        assert_eq!(stages.run("second", || -> anyhow::Result<()> { bail!("no") }), None);
        assert!(!stages.all_succeeded());
        let table = stages.table();
        let rows: Vec<_> = table.lines().collect();
        assert!(rows[0].starts_with("first") && rows[0].ends_with("ok"), "{table}");
        assert!(rows[1].starts_with("second") && rows[1].ends_with("FAILED"), "{table}");
    }
}
