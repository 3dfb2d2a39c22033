//! `cofferdam errors`: rejected rows. What is in them is shown by `show` and `export` only.

mod delete;
mod export;
mod list;
mod show;

use records::{ErrorState, KeptError};
use serde_json::{Map, Value, json};

use crate::arguments::{Errors, ErrorsCommand};
use crate::output::Output;
use crate::problem::Problems;
use crate::remote;

pub(super) async fn run(errors: Errors, output: &Output) -> Result<(), Problems> {
    match errors.command {
        ErrorsCommand::List(command) if command.server.is_meant(&command.data)? => {
            remote::row_errors(&command)?.perform(&command.server, output).await
        }
        ErrorsCommand::Show(command) if command.server.is_meant(&command.data)? => {
            remote::row_error(&command).perform(&command.server, output).await
        }
        ErrorsCommand::Export(command) if command.server.is_meant(&command.data)? => {
            remote::row_errors_export(&command)?.written(&command.server, command.to.as_deref(), output).await
        }
        ErrorsCommand::Delete(command) if command.server.is_meant(&command.data)? => {
            remote::row_errors_delete(&command)?.perform(&command.server, output).await
        }
        ErrorsCommand::List(command) => list::run(&command, output).await,
        ErrorsCommand::Show(command) => show::run(&command, output).await,
        ErrorsCommand::Export(command) => export::run(&command, output).await,
        ErrorsCommand::Delete(command) => delete::run(&command, output).await,
    }
}

/// In words.
fn state(error: &KeptError) -> String {
    match error.state {
        ErrorState::Open => "open".to_owned(),
        ErrorState::Superseded { by_run } => format!("superseded by run {by_run}"),
    }
}

/// What is known of a rejected row, without its values and without texts that may quote them.
fn known(sync: &str, error: &KeptError) -> Map<String, Value> {
    let value = json!({
        "sync": sync,
        "id": error.id.to_string(),
        "run": error.id.run,
        "stream": error.schema.stream,
        "unit": error.unit,
        "index": error.error.index,
        "operation": error.error.operation.map(pipeline::model::Operation::name),
        "code": error.error.code,
        "retryable": error.error.retryable,
        "by": error.error.by,
        "state": error.state,
        "tries": error.tries,
        "tried_by": error.tried_by,
        "created_ms": error.created_ms,
        "expires_ms": error.expires_ms,
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
