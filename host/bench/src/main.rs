//! Measures what the house promises of its speed, each thing beside its reference in the same run.
//!
//! Prints a table in Markdown on standard output and what it does on standard error. Checks its own results: a number
//! that comes with wrong rows is no number. `cargo xtask bench` builds what it needs and keeps the table.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to its terminal")]

mod boundary;
mod child;
mod clock;
mod commits;
mod dialing;
mod files;
mod group;
mod hop;
mod house;
mod housekeeping;
mod http_out;
mod instance;
mod live;
mod measured;
mod native_files;
mod native_rows;
mod placement;
mod postgres;
mod rejects;
mod report;
mod scrubbing;
mod sealed;
mod sealing;
mod server;
mod small_run;
mod split;
mod tax;
mod upstream;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand, ValueEnum};

use crate::house::House;
use crate::report::Report;

/// Benchmarks of Cofferdam.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and print the table.
    Table(Table),
    /// Hold many instances in this process, and print what they take as JSON.
    Live(live::Arguments),
    /// Run a program, and print what it took as JSON.
    Child(child::Arguments),
    /// Turn a CSV file into JSON Lines without any sandbox.
    NativeFiles(native_files::Arguments),
    /// The process in which connectors run for another one.
    Worker,
    /// Repeat one thing for a profiler.
    Profile(tax::Profile),
}

#[derive(clap::Args)]
struct Table {
    /// Only this benchmark; may stand several times.
    #[arg(long)]
    only: Vec<Name>,
    /// Where the components are.
    #[arg(long)]
    components: PathBuf,
    /// Where the same connectors are, compiled with SIMD.
    #[arg(long)]
    simd: Option<PathBuf>,
    /// The program `cofferdam`.
    #[arg(long)]
    program: Option<PathBuf>,
    /// The directory of PostgreSQL's programs.
    #[arg(long)]
    postgres: Option<PathBuf>,
    /// The program `wrk`.
    #[arg(long)]
    wrk: Option<PathBuf>,
    /// As many rows as the promises speak of, where otherwise fewer stand for them.
    #[arg(long)]
    long: bool,
}

/// The benchmarks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// The same source and sink, native and in the sandbox.
    Tax,
    /// Where the time of a page goes.
    Split,
    /// Pages that are ready, across the boundary.
    Boundary,
    /// A fresh instance.
    Instance,
    /// Many live instances.
    Live,
    /// Requests of a guest.
    Http,
    /// Finding and judging an address.
    Dialing,
    /// Credentials on requests, and their answers scrubbed.
    Placement,
    /// A run of ten records.
    SmallRun,
    /// Large CSV files to JSON Lines.
    Files,
    /// Durable commits, purging, backups, sealing anew, opening.
    Storage,
    /// Sealing and opening records.
    Vault,
    /// Runs of which rows are rejected.
    Rejects,
    /// Looking for secrets in what goes past.
    Scrub,
    /// Connectors in a worker beside connectors in process.
    Hop,
    /// The whole server: reads, events, schedules, memory.
    Server,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Table(table) => run(&table),
        Command::Live(arguments) => live::hold(&arguments),
        Command::Child(arguments) => child::measure(&arguments),
        Command::NativeFiles(arguments) => native_files::convert(&arguments),
        Command::Worker => Ok(worker::run()?),
        Command::Profile(arguments) => tax::profile(&arguments),
    }
}

fn run(table: &Table) -> Result<()> {
    let names = if table.only.is_empty() { Name::value_variants() } else { &table.only };
    let house = House::open(&table.components)?;
    let mut report = Report::default();
    for name in names {
        eprintln!(
            "bench: {}",
            name.to_possible_value().map_or_else(String::new, |name| name.get_name().into())
        );
        match name {
            Name::Tax => tax::run(&house, table.simd.as_deref(), &mut report)?,
            Name::Split => split::run(&house, &mut report)?,
            Name::Boundary => boundary::run(&house, &mut report)?,
            Name::Instance => instance::run(&house, &mut report)?,
            Name::Live => live::run(&table.components, &mut report)?,
            Name::Http => http_out::run(&house, &mut report)?,
            Name::Dialing => dialing::run(&house, &mut report)?,
            Name::Placement => placement::run(&house, &mut report)?,
            Name::SmallRun => small_run::run(program(table)?, &table.components, &mut report)?,
            Name::Files => files::run(program(table)?, &table.components, table.long, &mut report)?,
            Name::Storage => {
                let directory = disk(table)?;
                commits::run(&house.tokio, &directory, table.postgres.as_deref(), &mut report)?;
                housekeeping::run(&house.tokio, &directory, &mut report)?;
            }
            Name::Hop => hop::run(&house, program(table)?, &mut report)?,
            Name::Vault => sealing::run(&mut report)?,
            Name::Scrub => scrubbing::run(&mut report)?,
            Name::Server => {
                let (program, wrk) = (program(table)?, table.wrk.as_deref());
                let wrk = wrk.context("this benchmark needs `--wrk`")?;
                let place =
                    server::Place { program, components: &table.components, directory: disk(table)?, wrk };
                server::run(&house.tokio, &place, &mut report)?;
            }
            Name::Rejects => rejects::run(&house.tokio, &disk(table)?, table.long, &mut report)?,
        }
    }
    print!("{}", report.markdown());
    Ok(())
}

/// A directory on a real disk: one for temporary files may be memory.
fn disk(table: &Table) -> Result<PathBuf> {
    let components = std::fs::canonicalize(&table.components)?;
    Ok(components.parent().unwrap_or(&components).to_owned())
}

fn program(table: &Table) -> Result<&PathBuf> {
    match &table.program {
        Some(program) if program.exists() => Ok(program),
        Some(program) => bail!("there is no program `{}`", program.display()),
        None => bail!("this benchmark needs `--program`"),
    }
}
