//! Worker processes of this program: how they are started, and what is said of their walls.

use std::path::PathBuf;

use runtime::Runtime;
use worker::{Compiler, Program, Wall, Walls};

use crate::problem::Problem;

/// The command by which this program becomes one; nobody who reads the help knows it.
pub(crate) const COMMAND: &str = "worker";

/// The program that runs, also where its file was replaced or removed meanwhile: both ends of a socket are of one version.
const SELF: &str = "/proc/self/exe";

/// What compiles components for this engine. Workers are of the same program.
pub(crate) fn compiler(runtime: Runtime, memory_bytes: u64) -> Compiler {
    Compiler::new(
        runtime,
        Program { file: PathBuf::from(SELF), arguments: vec![COMMAND.to_owned()] },
        memory_bytes,
    )
}

/// One warning for each wall that does not stand, or not whole.
pub(crate) fn warnings(walls: &Walls) -> impl Iterator<Item = Problem> {
    let missing = walls.named().into_iter().filter(|(_, wall)| **wall != Wall::Holds);
    missing.map(|(name, wall)| {
        Problem::new("CD1405", format!("the wall `{name}` around workers {wall}"))
            .hint("connectors still run in their sandbox; a newer kernel has the wall, `cofferdam explain CD1405` says which")
    })
}
