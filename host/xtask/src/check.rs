//! `cargo xtask check`: formatting, lints, and the rules of this repository.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    guests, paths, shell, tidy,
    wasm_target::{TRIPLE, Toolchain, cargo},
};

/// Runs the fast checks first.
pub(crate) fn run(toolchain: &Toolchain) -> Result<()> {
    let root = paths::root();
    let mut workspaces = vec![root.clone()];
    workspaces.extend(guests::workspaces());
    for workspace in &workspaces {
        shell::run(cargo(workspace).args(["fmt", "--all", "--check"]))?;
    }
    tidy::run(&root, &workspaces)?;
    deny(&workspaces)?;
    clippy(toolchain)
}

/// Asks cargo-deny too, which knows the published advisories and must fetch them; `tidy` needs no network.
fn deny(workspaces: &[PathBuf]) -> Result<()> {
    if !shell::answers("cargo-deny", "--version") {
        eprintln!("check: cargo-deny is not installed, so published advisories are not checked");
        return Ok(());
    }
    let config = paths::root().join(".cargo/deny.toml");
    for workspace in workspaces {
        // Not every workspace has every crate that the one configuration speaks of.
        let mut command = cargo(workspace);
        command.args(["deny", "--config"]).arg(&config).args(["check", "--allow", "unused-wrapper"]);
        shell::run(&mut command)?;
    }
    Ok(())
}

fn clippy(toolchain: &Toolchain) -> Result<()> {
    let mut host = cargo(&paths::root());
    shell::run(host.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    for workspace in guests::workspaces() {
        // Release, as guests are built: build scripts and macros are then compiled once for both.
        let mut command = toolchain.clippy_command(&workspace);
        command.args(["--workspace", "--release", "--target", TRIPLE, "--", "-D", "warnings"]);
        shell::run(command.env("CARGO_TARGET_DIR", guests::target()))?;
    }
    Ok(())
}
