//! `cargo xtask test`: everything that continuous integration runs, stage by stage.

mod counts;

use std::process::Command;

use anyhow::{Result, bail};

use self::counts::Counts;
use crate::{
    check, demo, fuzz, guests, paths,
    shell::{self, Stream},
    stages::Stages,
    story, test_deps,
    wasm_target::{self, Source, cargo},
};

/// How long each fuzz target runs in a long round.
const FUZZ_MINUTES: u64 = 5;

/// Prints the table of stages and one closing line, the last of all output; false when any stage failed.
pub(crate) fn run(source: Source, long: bool) -> bool {
    let mut stages = Stages::new();
    let mut counts = Counts::default();
    run_stages(&mut stages, &mut counts, source, long);
    println!("\n{}", stages.table());
    println!("{}", counts.closing_line(stages.all_succeeded(), stages.elapsed()));
    stages.all_succeeded()
}

/// A fault that `check` finds does not hide what the tests find; without guests and upstreams there are no tests.
fn run_stages(stages: &mut Stages, counts: &mut Counts, source: Source, long: bool) {
    let Some(toolchain) = stages.run("wasm-target", || wasm_target::ensure(source)) else {
        return;
    };
    stages.run("check", || check::run(&toolchain));
    let guests = stages.run("guests", || guests::build(&toolchain));
    let upstreams = stages.run("test-deps", test_deps::ensure);
    if guests.is_none() || upstreams.is_none() {
        return;
    }
    stages.run("tests", || workspace_tests(counts, long));
    stages.run("documentation tests", || documentation_tests(counts));
    if long {
        stages.run("fuzz", || fuzz::run(&[], FUZZ_MINUTES));
    }
    stages.run("connector tests", || connector_tests(counts));
    // The README's first command, with the program and the components that the tests have used.
    stages.run("demo", demo::run_built);
    stages.run("story", story::run_built);
}

fn workspace_tests(counts: &mut Counts, long: bool) -> Result<()> {
    let mut command = cargo(&paths::root());
    if long {
        command.env("COFFERDAM_TEST_LONG", "1");
    }
    if shell::answers("cargo-nextest", "--version") {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        counted(counts, &mut command, Stream::Stderr)
    } else {
        command.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
        counted(counts, &mut command, Stream::Stdout)
    }
}

fn documentation_tests(counts: &mut Counts) -> Result<()> {
    counted(
        counts,
        cargo(&paths::root()).args(["test", "--doc", "--workspace", "--no-fail-fast"]),
        Stream::Stdout,
    )
}

/// What connectors compute without a host is tested natively, where a test is started in no time. Test guests have
/// no tests of their own: they are tested through the host.
fn connector_tests(counts: &mut Counts) -> Result<()> {
    let workspace = paths::root().join(guests::CONNECTORS);
    if !workspace.join("Cargo.toml").exists() {
        return Ok(());
    }
    let mut command = cargo(&workspace);
    command
        .args(["test", "--workspace", "--no-fail-fast", "--tests"])
        .env("CARGO_TARGET_DIR", guests::target());
    counted(counts, &mut command, Stream::Stdout)
}

/// A runner that says nothing about its tests has run none, and that is a failure.
fn counted(counts: &mut Counts, command: &mut Command, stream: Stream) -> Result<()> {
    let mut seen = Counts::default();
    let result = shell::run_and_read(command, stream, |line| seen.add_line(line));
    let silent = seen == Counts::default();
    counts.add(&seen);
    result?;
    if silent {
        bail!("the test runner reported no result");
    }
    Ok(())
}
