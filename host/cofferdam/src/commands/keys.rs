//! `cofferdam keys`: the keys of a data directory, as far as their owner should see and move them.

mod export;
mod import;
mod recovery;
mod rotate;
mod status;
mod verify;

use crate::arguments::{Keys, KeysCommand};
use crate::output::Output;
use crate::problem::Problems;

pub(super) async fn run(keys: Keys, output: &Output) -> Result<(), Problems> {
    match keys.command {
        KeysCommand::Status(command) => status::run(&command, output).await,
        KeysCommand::Rotate(command) => rotate::run(&command, output).await,
        KeysCommand::Verify(command) => verify::run(&command, output).await,
        KeysCommand::Export(command) => export::run(&command, output),
        KeysCommand::Import(command) => import::run(&command, output),
        KeysCommand::RecoveryKey(command) => recovery::run(&command, output),
    }
}
