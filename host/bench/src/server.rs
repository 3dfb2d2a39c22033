//! The whole server: `cofferdam serve` on an empty directory, set up over its API as anybody would, and loaded by `wrk` and by
//! its own schedules. Workers are on, authentication is on, limits of requests are raised by settings and not taken away.

mod api;
mod events;
mod figures;
mod idle;
mod memory;
mod organization;
mod program;
mod reads;
mod schedules;
mod wakes;
mod wrk;

use std::path::{Path, PathBuf};

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::report::{Goal, Report, Row};
use organization::Operator;
use program::Program;
use wrk::Wrk;

/// What the rows of a server need.
pub(crate) struct Place<'a> {
    pub(crate) program: &'a Path,
    pub(crate) components: &'a Path,
    /// On a real disk.
    pub(crate) directory: PathBuf,
    pub(crate) wrk: &'a Path,
}

pub(crate) fn run(tokio: &Runtime, place: &Place<'_>, report: &mut Report) -> Result<()> {
    let wrk = Wrk::new(place.wrk)?;
    // A server of its own for each kind of load: what one leaves behind is not measured in the next.
    with_server(tokio, place, |server, operator| {
        idle::run(server, report)?;
        reads::run(tokio, operator, &wrk, report)
    })?;
    with_server(tokio, place, |server, operator| events::run(tokio, server, operator, &wrk, report))?;
    with_server(tokio, place, |server, operator| schedules::run(tokio, server, operator, report))?;
    with_server(tokio, place, |_, operator| wakes::run(tokio, operator, report))?;
    report.note(format!(
        "Server: plain HTTP/1.1 on loopback with kept connections by {}, which shares the two processors with the server.",
        wrk.version()
    ));
    Ok(())
}

/// Does something with a fresh server that has its first operator, and ends it in order.
fn with_server(
    tokio: &Runtime,
    place: &Place<'_>,
    work: impl FnOnce(&Program, &Operator) -> Result<()>,
) -> Result<()> {
    let (program, setup) = Program::start(place.program, &place.directory)?;
    let operator = tokio.block_on(Operator::first(&program, &setup, place.components))?;
    let done = work(&program, &operator);
    let ended = program.end();
    done.and(ended)
}

/// A row without a reference.
fn row(what: &str, unit: &'static str, ours: f64, goal: Goal) -> Row {
    Row { what: what.to_owned(), unit, ours, reference: None, ratio: None, goal }
}
