//! `cofferdam completion`: a script that teaches a shell the command line.

use clap::CommandFactory;
use serde_json::json;

use crate::arguments::{Arguments, Completion};
use crate::output::Output;
use crate::problem::Problems;

pub(super) fn run(command: &Completion, output: &Output) -> Result<(), Problems> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Arguments::command(), "cofferdam", &mut script);
    let script = String::from_utf8_lossy(&script);
    if output.json {
        return output.document(&json!({ "shell": command.shell.to_string(), "script": script }));
    }
    output.text(&script)
}
