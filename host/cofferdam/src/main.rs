//! The `cofferdam` command: reads its arguments, does one thing, and says how it ended.
//! Puts the other crates together; what they do is decided there.

mod agent;
mod arguments;
mod blame;
mod blocking;
mod bound;
mod commands;
mod components;
mod confirm;
mod connect;
mod control;
mod core_dump;
mod data;
mod deployment;
mod document;
mod dry;
mod granted;
mod hold;
mod host;
mod keeper;
mod kept;
mod live;
mod logs;
mod moved;
mod named;
mod opened;
mod output;
mod part;
mod places;
mod probe;
mod problem;
mod progress;
mod prompt;
mod reach;
mod recovery;
mod remote;
mod sample;
mod serve;
mod signals;
mod spec;
mod steps;
mod subject;
mod summary;
mod table;
mod taken;
mod taped;
mod text;
mod traces;
mod traffic;
mod units;
mod workers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::output::Output;
use crate::problem::{Problem, Problems};

fn main() -> ExitCode {
    core_dump::never();
    if let Some(ended) = probe::run() {
        return ended;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to standard output and is no error; a broken pipe is none either.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    let output = Output::new(&arguments.general);
    let ended = catch_unwind(AssertUnwindSafe(|| commands::run(arguments, &output)));
    let ended = ended.unwrap_or_else(|_| Err(Problems::from(Problem::bug("a part of cofferdam panicked"))));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            output.problems(&problems);
            ExitCode::from(problems.exit_code())
        }
    }
}
