//! `wrk` as the load, which tells what it saw by a script of ours.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

const THREADS: usize = 2;
const SECONDS: u64 = 10;
/// Prefixed, because `wrk` says more on standard output.
const MARK: &str = "measured ";
const DONE: &str = r#"
function done(summary, latency)
    local errors = summary.errors
    local bad = errors.connect + errors.read + errors.write + errors.timeout + errors.status
    io.write(string.format('\nmeasured {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"most":%d,"bad":%d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max, bad))
end
"#;

/// The program, and what it calls itself.
pub(super) struct Wrk {
    program: PathBuf,
    version: String,
}

/// A load.
pub(super) struct Load<'a> {
    pub(super) url: &'a str,
    pub(super) connections: usize,
    /// What is sent; `done` is added.
    pub(super) script: &'a str,
}

/// What `wrk` saw, in microseconds.
#[derive(Deserialize)]
pub(super) struct Seen {
    pub(super) requests: u64,
    micros: u64,
    p50: u64,
    p99: u64,
    most: u64,
    bad: u64,
}

impl Seen {
    pub(super) fn thousands_per_second(&self) -> f64 {
        self.requests as f64 * 1e3 / self.micros as f64
    }

    pub(super) fn p99_ms(&self) -> f64 {
        self.p99 as f64 / 1e3
    }

    /// Of how long requests took.
    pub(super) fn told(&self) -> String {
        format!("p50 {:.1} ms, the slowest {:.0} ms", self.p50 as f64 / 1e3, self.most as f64 / 1e3)
    }
}

impl Wrk {
    pub(super) fn new(program: &Path) -> Result<Self> {
        let wrk = Self { program: program.to_owned(), version: String::new() };
        // It ends with 1 when it is asked for its version, too.
        let said = String::from_utf8(wrk.run(&["--version".into()])?.stdout)?;
        let version = said.lines().next().and_then(|line| line.split(" [").next()).unwrap_or_default();
        ensure!(version.starts_with("wrk "), "`{}` does not start: {said}", program.display());
        Ok(Self { version: version.to_owned(), ..wrk })
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Loads for ten seconds. Every request must have been answered well.
    pub(super) fn load(&self, load: &Load<'_>) -> Result<Seen> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("load.lua");
        std::fs::write(&path, format!("{}{DONE}", load.script))?;
        let mut arguments = vec![format!("--script={}", path.display())];
        arguments.extend([format!("--threads={THREADS}"), format!("--connections={}", load.connections)]);
        arguments.extend([format!("--duration={SECONDS}s"), "--timeout=10s".into(), load.url.into()]);
        let output = self.run(&arguments)?;
        let said = String::from_utf8_lossy(&output.stdout);
        let Some(seen) = said.lines().find_map(|line| line.strip_prefix(MARK)) else {
            bail!("`wrk` measured nothing: {said}{}", String::from_utf8_lossy(&output.stderr));
        };
        let seen: Seen = serde_json::from_str(seen)?;
        ensure!(seen.bad == 0 && seen.requests > 0, "{} of {} requests went wrong", seen.bad, seen.requests);
        Ok(seen)
    }

    /// Where it was unpacked and not installed, its libraries lie beside it.
    fn run(&self, arguments: &[String]) -> Result<Output> {
        let libraries = format!("../lib/{}-linux-gnu", std::env::consts::ARCH);
        let mut command = Command::new(&self.program);
        if let Some(bin) = self.program.parent() {
            command.env("LD_LIBRARY_PATH", bin.join(libraries));
        }
        command
            .args(arguments)
            .output()
            .with_context(|| format!("failed to start {}", self.program.display()))
    }
}

/// A script for requests of who has this token.
pub(super) fn bearer(token: &str) -> String {
    format!("wrk.headers[\"authorization\"] = \"Bearer {token}\"\n")
}
