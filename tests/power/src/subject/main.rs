//! The program that is recorded, and that opens what a power cut has left: `subject SCENARIO ACTION DIRECTORY...`.
//!
//! What it acknowledges it says by marks; what it finds it prints, one line a fact. Whether that is right is for the tests
//! to say.

mod bare;
mod calls;
mod compaction;
mod engine;
mod facts;
mod hex;
mod home;
mod items;
mod keyring;
mod marks;
mod sealed;
mod sessions;
mod trimming;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use storage::sled::probe_main;

use self::home::Home;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, action, directories @ ..] = arguments.as_slice() else {
        bail!("subject SCENARIO ACTION DIRECTORY...");
    };
    let directories: Vec<PathBuf> = directories.iter().map(PathBuf::from).collect();
    if let ("engine", "probe", [database]) = (scenario.as_str(), action.as_str(), directories.as_slice()) {
        return Ok(probe_main(database).into());
    }
    run(scenario, action, &directories)?;
    Ok(ExitCode::SUCCESS)
}

fn run(scenario: &str, action: &str, directories: &[PathBuf]) -> Result<()> {
    match (scenario, action, directories) {
        ("calls", "write", [directory]) => calls::write(directory),
        ("bare", "write", [data]) => bare::write(data),
        ("bare", "read", [data]) => bare::read(data),
        (scenario, action, [data, keys, backups]) => at_home(scenario, action, &Home { data, keys, backups }),
        _ => bail!("no scenario `{scenario}` with the action `{action}`"),
    }
}

fn at_home(scenario: &str, action: &str, home: &Home<'_>) -> Result<()> {
    match (scenario, action) {
        ("engine", "write") => engine::write(home),
        ("engine", "read") => engine::read(home),
        ("compaction", "write") => compaction::write(home),
        ("trimming", "write") => trimming::write(home),
        ("compaction" | "trimming", "read") => compaction::read(home),
        ("keyring", "write") => keyring::write(home),
        ("keyring", "read") => keyring::read(home),
        ("keyring", "earlier") => keyring::read_earlier(home),
        (_, "write") => sealed::write(scenario, home),
        (_, "read") => sealed::read(home),
        _ => bail!("no action `{action}`"),
    }
}
