//! `cargo xtask bench`: builds what is measured, measures it, and keeps the table in `host/docs/benchmarks.md`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::{
    guests, paths,
    shell::{self, Stream},
    tables::Table,
    test_deps,
    wasm_target::{TRIPLE, Toolchain, cargo},
};

const TABLE: Table = Table {
    document: "host/docs/benchmarks.md",
    begin: "<!-- table: written by `cargo xtask bench` -->",
    end: "<!-- end of the table -->",
};

/// Runs all benchmarks, or only those that are named; then the table is printed and not kept.
pub(crate) fn run(toolchain: &Toolchain, only: &[String], is_long: bool) -> Result<()> {
    guests::build(toolchain)?;
    let simd = build_with_simd(toolchain)?;
    let target = paths::target();
    let mut build = cargo(&paths::root());
    build.args(["build", "--release", "--package", "bench", "--package", "cofferdam"]);
    shell::run(build.env("CARGO_TARGET_DIR", &target))?;
    let release = target.join("release");
    let mut command = std::process::Command::new(release.join("bench"));
    command.arg("table").args(only.iter().flat_map(|name| ["--only", name]));
    command.arg("--components").arg(target.join("components")).arg("--simd").arg(simd);
    command.arg("--program").arg(release.join("cofferdam"));
    command.args(is_long.then_some("--long"));
    let is_wanted = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    if is_wanted("storage") {
        // Its rows say that they lack their reference; the others are worth having all the same.
        match test_deps::postgres() {
            Ok(programs) => drop(command.arg("--postgres").arg(programs)),
            Err(error) => {
                eprintln!("warning: {}", shell::explain(&error.context("failed to fetch PostgreSQL")))
            }
        }
    }
    if is_wanted("server") {
        command.arg("--wrk").arg(test_deps::wrk().context("failed to fetch wrk")?);
    }
    let mut table = String::new();
    shell::run_and_read(&mut command, Stream::Stdout, |line| {
        table.push_str(line);
        table.push('\n');
    })?;
    if only.is_empty() { TABLE.keep(&table) } else { Ok(()) }
}

/// The same connectors once more, in a target directory of their own: flags of the compiler rebuild everything.
fn build_with_simd(toolchain: &Toolchain) -> Result<PathBuf> {
    let target = paths::target().join("guests-simd");
    let mut command = toolchain.cargo_command(&paths::root().join(guests::CONNECTORS));
    command.args(["build", "--release", "--target", TRIPLE, "--package", "faker", "--package", "null"]);
    command.env("RUSTFLAGS", "-Ctarget-feature=+simd128").env("CARGO_TARGET_DIR", &target);
    shell::run(&mut command)?;
    Ok(target.join(TRIPLE).join("release"))
}
