//! `cargo xtask`: the developer commands of this repository. Each command's `--help` is its documentation.
//! Knows how to build and check the other crates, and links none of them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to its terminal")]

mod apt;
mod bench;
mod cache;
mod check;
mod demo;
mod fuzz;
mod guests;
mod neighbour;
mod paths;
mod shell;
mod stages;
mod story;
mod suite;
mod tables;
mod test_deps;
mod tidy;
mod wasm_target;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::wasm_target::Source;

/// Developer commands of Cofferdam.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    /// Where the standard library of the guests comes from.
    #[arg(long, global = true, value_enum, default_value_t = Source::Auto, env = "COFFERDAM_WASM_TARGET")]
    wasm_target: Source,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything that continuous integration runs, and print the time of each stage.
    ///
    /// The stages: the wasm target, `check`, `guests`, `test-deps`, the tests of the workspace (with cargo-nextest
    /// when it is installed), the documentation tests, and the native tests of the connectors. The last line sums
    /// up all of them.
    Test {
        /// Also run the long variants: tests read `COFFERDAM_TEST_LONG` and take more rounds or larger files, and each
        /// fuzz target runs for five minutes. The last figures stand in `tests/power/README.md` and `host/docs/fuzzing.md`.
        #[arg(long)]
        long: bool,
    },
    /// Check formatting, lints and the rules of this repository, without running a test.
    ///
    /// The rules: arrows between our crates point down only, some crates must not know some others, dependencies
    /// come from a registry under a licence of the list, no source file is over 500 lines, nothing is left over
    /// for later, and each error code has its page. `cargo deny` is run as well when it is installed.
    Check,
    /// Build the connectors and the test guests, and copy the components to `target/components/<package>.wasm`.
    ///
    /// A package with a library gives `<package>.wasm`; each binary of a package gives `<binary>.wasm`. A component
    /// whose bytes did not change is left alone.
    Guests,
    /// Move real records from files and from an HTTP API into JSON Lines and Parquet, and show that a second run moves nothing.
    ///
    /// Builds the connectors that it needs and the host, serves the API itself, and runs the syncs of `examples`. Writes
    /// only under `target`; the files are in `target/demo`.
    Demo,
    /// Start a server and tell it the whole life of an organization with `curl`: examples/server/story.sh.
    ///
    /// Writes only under `target`; what it leaves is in `target/story`.
    Story,
    /// Fuzz the readers of strangers' words, guided by the code that inputs reach.
    ///
    /// Builds the targets of `tests/fuzz` with libFuzzer (C++) by the stable compiler, and runs them one after the other.
    /// What was found so far is in `target/fuzz/corpus`; an input that fails is in `target/fuzz/found`.
    Fuzz {
        /// The targets; none: all.
        targets: Vec<String>,
        /// How long each of them runs; libFuzzer would take none for no end.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
        minutes: u64,
    },
    /// Measure what the house promises of its speed, and keep the table in `host/docs/benchmarks.md`.
    ///
    /// Builds connectors, test guests and the host in release first. Wants a quiet machine: everything is measured
    /// beside its reference in the same run, but noise stays noise.
    Bench {
        /// Only this benchmark, printed and not kept: `tax`, `split`, `boundary`, `instance`, `live`, `http`,
        /// `dialing`, `placement`, `scrub`, `small-run`, `files`, `storage`, `vault`, `rejects`, `hop` or `server`. May stand several times.
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
        /// As many rows as the promises speak of, where otherwise fewer stand for them.
        #[arg(long)]
        long: bool,
    },
    /// Measure what a connector loses beside each hostile one, in release, and keep the table in `host/docs/hostile.md`.
    ///
    /// Wants a quiet machine, and says how quiet it was. Takes ten minutes beside building.
    Neighbour,
    /// Make the target wasm32-wasip2 available, and print how to use it.
    ///
    /// Asks rustup first. Where rustup cannot fetch the target, a compiler and its standard library are put together
    /// from Debian's packages in the user's cache directory; nothing is installed. See
    /// `host/docs/building-without-rustup.md`.
    WasmTarget,
    /// Fetch what the tests use as real upstreams: nginx and Pebble (Debian), json-server, oidc-provider and vega-datasets (npm), moto
    /// and schemathesis (PyPI); and what makes guests in JavaScript and Python, and make them.
    ///
    /// All are kept in the user's cache directory, and linked as `target/test-deps/nginx` and `pebble` (programs) and,
    /// directories, `node_modules`, `python` and `interpreted` beside it.
    TestDeps,
}

fn main() -> ExitCode {
    fuzz::compiled().unwrap_or_else(|| run(Arguments::parse())).unwrap_or_else(|error| {
        eprintln!("{}", shell::explain(&error));
        ExitCode::FAILURE
    })
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let source = arguments.wasm_target;
    match arguments.command {
        // It has said everything itself, in the order that its readers expect.
        Command::Test { long } if !suite::run(source, long) => return Ok(ExitCode::FAILURE),
        Command::Test { .. } => {}
        Command::Check => check::run(&wasm_target::ensure(source)?)?,
        Command::Guests => drop(guests::build(&wasm_target::ensure(source)?)?),
        Command::Demo => demo::run(source)?,
        Command::Story => story::run(source)?,
        Command::Neighbour => neighbour::run(&wasm_target::ensure(source)?)?,
        Command::Fuzz { targets, minutes } => fuzz::run(&targets, minutes)?,
        Command::Bench { only, long } => bench::run(&wasm_target::ensure(source)?, &only, long)?,
        Command::WasmTarget => println!("{}", wasm_target::ensure(source)?.usage()),
        Command::TestDeps => test_deps::ensure()?,
    }
    Ok(ExitCode::SUCCESS)
}
