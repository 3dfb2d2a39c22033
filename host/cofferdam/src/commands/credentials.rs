//! `cofferdam credentials`: what is kept, without a value of it.

mod list;
mod revoke;
mod rotate;

use crate::arguments::{Credentials, CredentialsCommand};
use crate::output::Output;
use crate::problem::Problems;
use crate::remote;

pub(super) async fn run(credentials: Credentials, output: &Output) -> Result<(), Problems> {
    match credentials.command {
        CredentialsCommand::List(command) if command.server.is_meant(&command.data)? => {
            remote::credentials(&command, output).await
        }
        CredentialsCommand::Rotate(command) if command.server.is_meant(&command.data)? => {
            remote::credentials_rotate(&command, output).await
        }
        CredentialsCommand::Revoke(command) if command.server.is_meant(&command.data)? => {
            remote::credentials_revoke(&command, output).await
        }
        CredentialsCommand::List(command) => list::run(&command, output).await,
        CredentialsCommand::Rotate(command) => rotate::run(&command, output).await,
        CredentialsCommand::Revoke(command) => revoke::run(&command, output).await,
    }
}
