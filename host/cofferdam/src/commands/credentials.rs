//! `cofferdam credentials`: what is kept, without a value of it.

mod list;
mod revoke;
mod rotate;

use crate::arguments::{Credentials, CredentialsCommand};
use crate::output::Output;
use crate::problem::Problems;

pub(super) async fn run(credentials: Credentials, output: &Output) -> Result<(), Problems> {
    match credentials.command {
        CredentialsCommand::List(command) => list::run(&command, output).await,
        CredentialsCommand::Rotate(command) => rotate::run(&command, output).await,
        CredentialsCommand::Revoke(command) => revoke::run(&command, output).await,
    }
}
