//! The program that is recorded, and that opens what a power cut has left: `subject SCENARIO ACTION DIRECTORY...`.
//!
//! What it acknowledges it says by marks; what it finds it prints, one line a fact. Whether that is right is for the tests
//! to say.

mod bare;
mod calls;
mod marks;

use std::path::PathBuf;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, action, directories @ ..] = arguments.as_slice() else {
        bail!("subject SCENARIO ACTION DIRECTORY...");
    };
    let directories: Vec<PathBuf> = directories.iter().map(PathBuf::from).collect();
    match (scenario.as_str(), action.as_str(), directories.as_slice()) {
        ("calls", "write", [directory]) => calls::write(directory),
        ("bare", "write", [data]) => bare::write(data),
        ("bare", "read", [data]) => bare::read(data),
        _ => bail!("no scenario `{scenario}` with the action `{action}`"),
    }
}
