//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, which tries what reaches code that was not reached yet.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};

use crate::{
    paths,
    shell::{self, Stream},
    wasm_target::cargo,
};

/// What makes compiled code say where it has been. The stable compiler has these too: they are arguments of LLVM.
const COVERAGE: [&str; 8] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
];
/// Says to this program that cargo has started it in the place of the compiler.
const WRAPPER: &str = "COFFERDAM_FUZZ_WRAPPER";

/// An input over this is more of the same.
const INPUT_BYTES_MAX: u32 = 4_096;
/// One input that takes so long hangs.
const INPUT_SECONDS_MAX: u32 = 25;

/// Runs these targets, or all of them, each for so long.
pub(crate) fn run(targets: &[String], minutes: u64) -> Result<()> {
    let known = known()?;
    if let Some(other) = targets.iter().find(|target| !known.contains(target)) {
        bail!("there is no target `{other}`: there are `{}`", known.join("`, `"));
    }
    let program = build()?;
    let targets = if targets.is_empty() { &known } else { targets };
    let mut rows = Vec::new();
    for target in targets {
        rows.push(fuzz(&program, target, minutes)?);
    }
    println!("| target | minutes | executions | code reached |\n|---|---|---|---|\n{}", rows.join("\n"));
    Ok(())
}

/// A target is known by the folder of its kept inputs; its tests see to it that it has one.
fn known() -> Result<Vec<String>> {
    let folder = kept();
    let entries = fs::read_dir(&folder).with_context(|| format!("failed to read `{}`", folder.display()))?;
    let mut known = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    known.sort();
    Ok(known)
}

fn kept() -> PathBuf {
    paths::root().join("tests/fuzz/corpus")
}

fn working() -> PathBuf {
    paths::target().join("fuzz")
}

/// Our own code says where it has been, and nobody else's: libraries are built as always, and there is less to run.
fn build() -> Result<PathBuf> {
    let mut command = cargo(&paths::root());
    command.args(["build", "--release", "--package", "fuzz", "--bin", "guided", "--features", "guided"]);
    command.env("CARGO_TARGET_DIR", working()).env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?);
    shell::run(command.env(WRAPPER, "1"))?;
    Ok(working().join("release/guided"))
}

/// In the place of the compiler: compiles a crate of the workspace. None: this program was started by somebody else.
pub(crate) fn compiled() -> Option<Result<ExitCode>> {
    env::var_os(WRAPPER)?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (compiler, arguments) = arguments.split_first()?;
    let flags = if is_measured(arguments) { COVERAGE.as_slice() } else { &[] };
    let status =
        Command::new(compiler).args(arguments).args(flags).status().context("failed to start the compiler");
    Some(status.map(|status| if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// A build script has nobody to say it to.
fn is_measured(arguments: &[String]) -> bool {
    let name = arguments.iter().skip_while(|argument| *argument != "--crate-name").nth(1);
    name.is_some_and(|name| !name.starts_with("build_script"))
}

/// The row of one target.
fn fuzz(program: &Path, target: &str, minutes: u64) -> Result<String> {
    // What was found so far stays, so that the next run goes on from there.
    let (grown, found) = (working().join("corpus").join(target), working().join("found"));
    for folder in [&grown, &found] {
        fs::create_dir_all(folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
    }
    let prefix = found.join(format!("{target}-"));
    let mut command = Command::new(program);
    command.arg(&grown).arg(kept().join(target)).env("COFFERDAM_FUZZ_TARGET", target);
    command.arg(format!("-max_total_time={}", minutes * 60)).arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.arg(format!("-timeout={INPUT_SECONDS_MAX}")).arg("-print_final_stats=1");
    command.arg(format!("-artifact_prefix={}", prefix.display()));
    let mut figures = Figures::default();
    shell::run_and_read(&mut command, Stream::Stderr, |line| figures.read(line)).with_context(|| {
        format!(
            "`{target}` failed; its input is `{}…`, to be kept in `tests/fuzz/corpus/{target}`",
            prefix.display()
        )
    })?;
    Ok(format!("| {target} | {minutes} | {} | {} |", figures.executions, figures.reached))
}

/// What libFuzzer says of itself.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    executions: String,
    /// Edges.
    reached: String,
}

impl Figures {
    fn read(&mut self, line: &str) {
        if let Some(executions) = line.strip_prefix("stat::number_of_executed_units:") {
            executions.trim().clone_into(&mut self.executions);
        }
        if let Some((_, behind)) = line.split_once(" cov: ") {
            behind.split(' ').next().unwrap_or_default().clone_into(&mut self.reached);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Figures, is_measured, known};

    #[test]
    fn the_last_figures_count() {
        let mut figures = Figures::default();
        for line in [
            "#2\tINITED cov: 2 ft: 3 corp: 1/1b exec/s: 0 rss: 30Mb",
            "#700\tDONE   cov: 812 ft: 1200 corp: 90/1Kb exec/s: 10 rss: 40Mb",
            "stat::number_of_executed_units: 700",
        ] {
            figures.read(line);
        }
        assert_eq!(figures, Figures { executions: "700".into(), reached: "812".into() });
    }

    #[test]
    fn a_build_script_is_compiled_as_always() {
        let arguments = |name: &str| ["--crate-name", name, "--edition=2024"].map(ToOwned::to_owned);
        assert!(is_measured(&arguments("scrub")) && !is_measured(&arguments("build_script_build")));
        assert!(!is_measured(&["-vV".to_owned()]));
    }

    #[test]
    fn targets_are_known_by_their_kept_inputs() {
        assert!(known().unwrap().contains(&"scrubber".to_owned()));
    }
}
