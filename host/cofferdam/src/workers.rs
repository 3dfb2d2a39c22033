//! Worker processes of this program: how they are started, and what is said of their walls.

use std::path::PathBuf;

use runtime::Runtime;
use worker::{Crew, Program, Wall, Walls};

use crate::problem::{Problem, Problems};

/// The command by which this program becomes one; nobody who reads the help knows it.
pub(crate) const COMMAND: &str = "worker";

/// Workers for the connectors of one command.
pub(crate) fn crew(runtime: Runtime) -> Result<Crew, Problems> {
    // The program that runs, also where its file was replaced meanwhile.
    let file = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
    Ok(Crew::new(runtime, Program { file, arguments: vec![COMMAND.to_owned()] })?)
}

/// One warning for each wall that does not stand, or not whole.
pub(crate) fn warnings(walls: &Walls) -> impl Iterator<Item = Problem> {
    let missing = walls.named().into_iter().filter(|(_, wall)| **wall != Wall::Holds);
    missing.map(|(name, wall)| {
        Problem::new("CD1405", format!("the wall `{name}` around workers {wall}"))
            .hint("connectors still run in their sandbox; a newer kernel has the wall, `cofferdam explain CD1405` says which")
    })
}
