//! `cargo xtask bench`: builds what is measured, measures it, and keeps the table in `host/docs/benchmarks.md`.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    guests, paths,
    shell::{self, Stream},
    test_deps,
    wasm_target::{TRIPLE, Toolchain, cargo},
};

/// The table stands between these lines; what people wrote around it stays.
const BEGIN: &str = "<!-- table: written by `cargo xtask bench` -->";
const END: &str = "<!-- end of the table -->";

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
    if only.is_empty() || only.iter().any(|name| name == "storage") {
        // Its rows say that they lack their reference; the others are worth having all the same.
        match test_deps::postgres() {
            Ok(programs) => drop(command.arg("--postgres").arg(programs)),
            Err(error) => {
                eprintln!("warning: {}", shell::explain(&error.context("failed to fetch PostgreSQL")))
            }
        }
    }
    let mut table = String::new();
    shell::run_and_read(&mut command, Stream::Stdout, |line| {
        table.push_str(line);
        table.push('\n');
    })?;
    if only.is_empty() { keep(&table) } else { Ok(()) }
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

fn keep(table: &str) -> Result<()> {
    let path = paths::root().join("host/docs/benchmarks.md");
    let text = fs::read_to_string(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
    let text = replaced(&text, table)
        .with_context(|| format!("`{}` lacks the lines between which the table stands", path.display()))?;
    fs::write(&path, text).with_context(|| format!("failed to write `{}`", path.display()))?;
    eprintln!("bench: the table is in {}", path.display());
    Ok(())
}

fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", table.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, replaced};

    #[test]
    fn only_the_table_is_replaced() {
        let text = format!("# Title\n{BEGIN}\nold\n{END}\nwords\n");
        let expected = format!("# Title\n{BEGIN}\nnew\n{END}\nwords\n");
        assert_eq!(replaced(&text, "new\n"), Some(expected));
        assert_eq!(replaced("no lines", "new\n"), None);
    }
}
