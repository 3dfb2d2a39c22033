//! `cargo xtask demo`: builds the host and the connectors, and moves real records with them. Writes only under `target`.

pub(crate) mod api;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    guests, paths, shell,
    wasm_target::{self, Source, cargo},
};

/// The connectors that the demo uses; the others need not be built for it.
const CONNECTORS: [&str; 2] = ["files", "http-manifest"];

/// A sync of `examples`, and what its source is.
struct Sync {
    name: &'static str,
    what: &'static str,
}

const SYNCS: [Sync; 3] = [
    Sync { name: "csv-to-json-lines", what: "two CSV files become JSON Lines" },
    Sync { name: "csv-to-parquet", what: "the same files become Parquet" },
    Sync { name: "http-api-to-json-lines", what: "an HTTP API, read page by page, becomes JSON Lines" },
];

/// The address that stands in the example; the demo serves its API on a free port.
const EXAMPLE_AUTHORITY: &str = "127.0.0.1:8080";

/// What the API of the examples has.
pub(crate) const RECORDS: &str = "examples/data/api/earthquakes.json";

/// Where things are.
struct Demo {
    program: PathBuf,
    folder: PathBuf,
}

pub(crate) fn run(source: Source) -> Result<()> {
    let toolchain = wasm_target::ensure(source)?;
    guests::build_connectors(&toolchain, &CONNECTORS)?;
    shell::run(cargo(&paths::root()).args(["build", "--package", "cofferdam"]))?;
    run_built()
}

/// Moves the records with a program and connectors that are there.
pub(crate) fn run_built() -> Result<()> {
    let demo = Demo { program: program()?, folder: paths::target().join("demo") };
    // Each demo begins with nothing moved; compiled components are kept.
    for part in ["data", "csv-to-json-lines", "csv-to-parquet", "http-api-to-json-lines"] {
        let folder = demo.folder.join(part);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
    }
    // The key of the data directory that is gone now.
    if demo.key_file().exists() {
        fs::remove_file(demo.key_file())?;
    }
    let port = api::serve(&paths::root().join(RECORDS), None)?;
    for sync in &SYNCS {
        demo.moves(sync, port).with_context(|| format!("the sync `{}` failed", sync.name))?;
    }
    println!("\nThe files are in:");
    for sync in &SYNCS {
        println!("  {}", relative(&demo.folder.join(sync.name)));
    }
    println!("Look at them, at the syncs in `examples`, and at what the command can do: cofferdam --help");
    println!("(it is `{}`)", relative(&demo.program));
    Ok(())
}

/// Where cargo puts the program that it has just built.
pub(crate) fn program() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(paths::target, PathBuf::from);
    let program = target.join("debug").join(format!("cofferdam{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        bail!("cargo built no `{}`", program.display());
    }
    Ok(program)
}

impl Demo {
    /// Runs a sync, and runs it again to see that nothing is left to move.
    fn moves(&self, sync: &Sync, port: u16) -> Result<()> {
        let document = self.document(sync, port)?;
        println!("\n== {}: {}\n", sync.name, sync.what);
        shell::run(&mut self.command(&document, &[]))?;
        let again = self.command(&document, &["--json"]).stderr(Stdio::inherit()).output()?;
        let again: Value =
            serde_json::from_slice(&again.stdout).context("the second run printed no document")?;
        let again = read_rows(again.get("report").context("the second run has no report")?)?;
        println!("\nonce more: {again} rows moved, nothing is new");
        if again != 0 {
            bail!("the second run moved {again} rows of an unchanged source");
        }
        self.list(sync)
    }

    /// Beside the data directory, so that the demo leaves nothing in the user's configuration.
    fn key_file(&self) -> PathBuf {
        self.folder.join("demo.key")
    }

    /// The example itself, or where a port must be put in, a copy of it.
    fn document(&self, sync: &Sync, port: u16) -> Result<PathBuf> {
        let example = paths::root().join("examples").join(format!("{}.toml", sync.name));
        let text = fs::read_to_string(&example)
            .with_context(|| format!("failed to read `{}`", example.display()))?;
        if !text.contains(EXAMPLE_AUTHORITY) {
            return Ok(example);
        }
        let document = self.folder.join(format!("{}.toml", sync.name));
        let text = text
            .replace(EXAMPLE_AUTHORITY, &format!("127.0.0.1:{port}"))
            .replace("port = 8080", &format!("port = {port}"))
            // The copy lies two folders deeper in `target`.
            .replace("\"../target/", "\"../");
        fs::write(&document, text)?;
        Ok(document)
    }

    fn command(&self, document: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("run").arg(relative(document)).args(more).current_dir(paths::root());
        command.arg("--data").arg(relative(&self.folder.join("data")));
        command.arg("--key-file").arg(relative(&self.key_file()));
        command.arg("--cache").arg(relative(&self.folder.join("cache")));
        command
    }

    /// Shows the files that the sync wrote.
    fn list(&self, sync: &Sync) -> Result<()> {
        let mut bytes = 0;
        for entry in fs::read_dir(self.folder.join(sync.name))? {
            let entry = entry?;
            // What begins with a point is the destination's own note of its commits.
            if !entry.file_name().to_string_lossy().starts_with('.') {
                bytes += entry.metadata()?.len();
                println!("  {:>9} bytes  {}", entry.metadata()?.len(), relative(&entry.path()));
            }
        }
        if bytes == 0 {
            bail!("the sync wrote nothing");
        }
        Ok(())
    }
}

/// Rows that a run read, by its report.
fn read_rows(report: &Value) -> Result<u64> {
    let streams = report.get("streams").and_then(Value::as_object).context("the report has no streams")?;
    let read = |stream: &Value| stream.pointer("/counters/read").and_then(Value::as_u64);
    streams.values().map(|stream| read(stream).context("the report has no counters")).sum()
}

/// As a person at the top of the repository would type it.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(paths::root()).unwrap_or(path).display().to_string()
}
