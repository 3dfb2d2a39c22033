//! What a server has in memory that nobody asks for anything.

use std::time::Duration;

use anyhow::Result;

use super::memory::resident_mib;
use super::program::Program;
use super::row;
use crate::report::{Goal, Report};

/// What a start and the first operator took is given back by then.
const QUIET: Duration = Duration::from_secs(10);

pub(super) fn run(program: &Program, report: &mut Report) -> Result<()> {
    std::thread::sleep(QUIET);
    let mib = resident_mib(program.process())?;
    let what = "resident memory of a server that has its first operator and is asked nothing";
    report.add(row(what, "MB", mib * 1.048_576, Goal::AtMost(80.0)));
    Ok(())
}
