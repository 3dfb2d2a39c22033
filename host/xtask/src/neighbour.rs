//! `cargo xtask neighbour`: what a connector loses beside each hostile one, measured in release and kept in
//! `host/docs/hostile.md`.

use std::fs;

use anyhow::{Context, Result};

use crate::{
    guests, paths, shell,
    tables::Table,
    wasm_target::{Toolchain, cargo},
};

const TABLE: Table = Table {
    document: "host/docs/hostile.md",
    begin: "<!-- table: written by `cargo xtask neighbour` -->",
    end: "<!-- end of the table -->",
};

/// The test tells its figures to the file that this variable names.
const TOLD: &str = "COFFERDAM_NEIGHBOUR";

pub(crate) fn run(toolchain: &Toolchain) -> Result<()> {
    guests::build(toolchain)?;
    let told = paths::target().join("neighbour.md");
    let mut test = cargo(&paths::root());
    test.args(["test", "--release", "--package", "it", "--test", "it", "--", "h64_", "--nocapture"]);
    test.env("CARGO_TARGET_DIR", paths::target()).env("COFFERDAM_TEST_LONG", "1").env(TOLD, &told);
    shell::run(&mut test)?;
    let table = fs::read_to_string(&told).with_context(|| format!("failed to read `{}`", told.display()))?;
    TABLE.keep(&table)
}
