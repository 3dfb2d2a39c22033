//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, which tries what reaches code that was not reached yet.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    paths,
    shell::{self, Stream},
    wasm_target::cargo,
};

/// What makes compiled code say where it has been. The stable compiler has these too: they are arguments of LLVM.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions=on -Coverflow-checks=on";

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

/// Flags hold for code of the named target alone: build scripts know nobody who would listen to them.
fn build() -> Result<PathBuf> {
    let version = shell::output(Command::new("rustc").arg("-vV"))?;
    let triple = host(&version).context("`rustc -vV` names no host")?;
    let mut command = cargo(&paths::root());
    command.args(["build", "--release", "--package", "fuzz", "--bin", "guided", "--features", "guided"]);
    command.args(["--target", triple]).env("CARGO_TARGET_DIR", working()).env("RUSTFLAGS", COVERAGE);
    shell::run(&mut command)?;
    Ok(working().join(triple).join("release/guided"))
}

fn host(version: &str) -> Option<&str> {
    version.lines().find_map(|line| line.strip_prefix("host: "))
}

/// The row of one target.
fn fuzz(program: &PathBuf, target: &str, minutes: u64) -> Result<String> {
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
    use super::{Figures, host, known};

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
    fn the_host_is_named_by_the_compiler() {
        assert_eq!(host("rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\n"), Some("x86_64-unknown-linux-gnu"));
    }

    #[test]
    fn targets_are_known_by_their_kept_inputs() {
        assert!(known().unwrap().contains(&"scrubber".to_owned()));
    }
}
