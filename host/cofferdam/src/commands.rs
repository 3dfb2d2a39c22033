//! One file for each command. A command puts its parts together and shows what they say.

mod audit;
mod backup;
mod build;
mod check;
mod checkpoints;
mod completion;
mod connect;
mod credentials;
mod discover;
mod doctor;
mod errors;
mod explain;
mod inspect;
mod keys;
mod login;
mod logout;
mod preview;
mod reload;
mod reprocess;
mod restore;
mod run;
mod runs;
mod serve;
mod worker;

use std::future::Future;

use crate::arguments::{Arguments, Command};
use crate::output::Output;
use crate::problem::{Problem, Problems};

/// Rows go through the threads of guests; these only pass them on.
const THREADS: usize = 2;

/// Do what the command line says.
pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<(), Problems> {
    match arguments.command {
        Command::Run(command) => on_threads(run::run(command, output)),
        Command::Check(command) => on_threads(check::run(command, output)),
        Command::Discover(command) => on_threads(discover::run(command, output)),
        Command::Preview(command) => on_threads(preview::run(command, output)),
        Command::Inspect(command) => Ok(inspect::run(&command, output)?),
        Command::Build(command) => Ok(build::run(&command, output)?),
        Command::Connect(command) => on_threads(connect::run(&command, output)),
        Command::Credentials(command) => on_threads(credentials::run(command, output)),
        Command::Runs(command) => on_threads(runs::run(command, output)),
        Command::Checkpoints(command) => on_threads(checkpoints::run(command, output)),
        Command::Errors(command) => on_threads(errors::run(command, output)),
        Command::Reload(command) => on_threads(reload::run(&command, output)),
        Command::Reprocess(command) => on_threads(reprocess::run(command, output)),
        Command::Backup(command) => on_threads(backup::run(&command, output)),
        Command::Restore(command) => on_threads(restore::run(&command, output)),
        Command::Keys(command) => on_threads(keys::run(command, output)),
        Command::Doctor(command) => on_threads(doctor::run(command, output)),
        Command::Serve(command) => on_threads(serve::run(*command, output)),
        Command::Login(command) => on_threads(login::run(command, output)),
        Command::Logout(command) => on_threads(logout::run(command, output)),
        Command::Remote(words) => on_threads(async move { words.call.perform(&words.server, output).await }),
        Command::Audit(command) => on_threads(audit::run(command, output)),
        Command::Explain(command) => Ok(explain::run(&command, output)?),
        Command::Worker(command) => worker::run(&command, output),
        Command::Completion(command) => Ok(completion::run(&command, output)?),
    }
}

fn on_threads(command: impl Future<Output = Result<(), Problems>>) -> Result<(), Problems> {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let threads = threads.map_err(|error| Problem::bug(format!("no threads: {error}")))?;
    let ended = threads.block_on(command);
    // Nothing that is still under way may keep the process.
    threads.shutdown_background();
    ended
}
