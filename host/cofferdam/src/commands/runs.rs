//! `cofferdam runs`: the history of runs.

mod list;
mod logs;
mod show;

use crate::arguments::{OneRun, Runs, RunsCommand};
use crate::deployment::Deployment;
use crate::output::Output;
use crate::places;
use crate::problem::Problems;
use crate::remote;
use crate::subject::only;

pub(super) async fn run(runs: Runs, output: &Output) -> Result<(), Problems> {
    match runs.command {
        RunsCommand::List(command) if command.server.is_meant(&command.data)? => {
            remote::runs(&command).perform(&command.server, output).await
        }
        RunsCommand::Show(command) if command.server.is_meant(&command.data)? => {
            remote::run(&command).perform(&command.server, output).await
        }
        RunsCommand::Logs(command) if command.server.is_meant(&command.data)? => {
            remote::run_logs(&command).perform(&command.server, output).await
        }
        RunsCommand::Watch(command) => remote::watched(&command).perform(&command.server, output).await,
        RunsCommand::List(command) => list::run(&command, output).await,
        RunsCommand::Show(command) => show::run(&command, output).await,
        RunsCommand::Logs(command) => logs::run(&command, output).await,
    }
}

/// The deployment, and the sync that is meant.
async fn opened(command: &OneRun) -> Result<(Deployment, String), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let deployment = Deployment::existing(&path, &command.data).await?;
    let sync = only(&deployment.records, command.run.sync.as_deref()).await?;
    Ok((deployment, sync))
}
