//! PostgreSQL on the same disk: a fresh cluster in a directory of its own, reached over a socket, and `pgbench` as its writers.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::clock::Took;

const USER: &str = "bench";
/// Each writer's keys rise, as ours do. `-D n=0` is each client's own.
const INSERT: &str = r"\set n :n + 1
INSERT INTO kept VALUES (:round * 1000000000000::bigint + :client_id * 1000000000::bigint + :n, '\xBYTES'::bytea);
";

/// A server that runs. Dropping it ends it, and removes what it has.
pub(crate) struct Server {
    programs: PathBuf,
    child: Child,
    version: String,
    /// The socket, whose path must be short, and the scripts.
    sockets: TempDir,
    _cluster: TempDir,
    rounds: std::cell::Cell<u64>,
}

impl Server {
    /// A cluster on the disk of this directory, for values of so many bytes.
    pub(crate) fn start(programs: &Path, directory: &Path, value_bytes: usize) -> Result<Self> {
        let (cluster, sockets) = (tempfile::tempdir_in(directory)?, tempfile::tempdir()?);
        let data = cluster.path().join("data");
        let mut create = ordinary(programs, "initdb");
        create.args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "-D"]);
        said(create.arg(&data))?;
        let version = said(program(programs, "postgres").arg("--version"))?.trim().to_owned();
        let mut serve = ordinary(programs, "postgres");
        serve.arg("-D").arg(&data).arg("-k").arg(sockets.path()).args(["-c", "listen_addresses="]);
        // A writer more than the most that are measured.
        serve.args(["-c", "synchronous_commit=on", "-c", "max_connections=300"]);
        let mut child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let errors = child.stderr.take().context("no standard error")?;
        let programs = programs.to_owned();
        let server =
            Self { programs, child, version, sockets, _cluster: cluster, rounds: std::cell::Cell::new(0) };
        await_ready(errors)?;
        let table =
            server.script("table.sql", "CREATE TABLE kept (key bigint PRIMARY KEY, value bytea);\n")?;
        said(server.pgbench(&table).args(["-t", "1"]))?;
        server.script("insert.sql", &INSERT.replace("BYTES", &"07".repeat(value_bytes)))?;
        Ok(server)
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Each writer makes so many transactions of one row. The time is without connecting, as `pgbench` tells it.
    pub(crate) fn commits(&self, writers: usize, transactions: usize) -> Result<Took> {
        self.rounds.set(self.rounds.get() + 1);
        let mut pgbench = self.pgbench(&self.sockets.path().join("insert.sql"));
        pgbench.args(["-M", "prepared", "-D", "n=0", "-D", &format!("round={}", self.rounds.get())]);
        pgbench.args(["-c", &writers.to_string(), "-j", &writers.min(2).to_string()]);
        let said = said(pgbench.args(["-t", &transactions.to_string()]))?;
        let done = writers * transactions;
        if !said.contains(&format!("processed: {done}/{done}\n")) {
            bail!("`pgbench` did not make {done} transactions: {said}");
        }
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        let rate: f64 = rate.context("`pgbench` names no rate")?.parse()?;
        Ok(Took { wall: Duration::from_secs_f64(done as f64 / rate), cpu: Duration::ZERO })
    }

    fn script(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.sockets.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    fn pgbench(&self, script: &Path) -> Command {
        let mut pgbench = program(&self.programs, "pgbench");
        pgbench.arg("-h").arg(self.sockets.path()).args(["-U", USER, "-n", "-f"]).arg(script);
        pgbench.arg("postgres");
        pgbench
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An interrupt ends it at once and in order; what does not end is killed with its directory.
        let asked = Pid::from_raw(i32::try_from(self.child.id()).unwrap_or_default())
            .is_some_and(|pid| kill_process(pid, Signal::INT).is_ok());
        if !asked {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Where it was unpacked and not installed, its libraries lie beside it.
fn program(programs: &Path, name: &str) -> Command {
    let mut command = Command::new(programs.join(name));
    with_libraries(&mut command, programs);
    command
}

fn with_libraries(command: &mut Command, programs: &Path) {
    let libraries = format!("../../../{}-linux-gnu", std::env::consts::ARCH);
    command.env("LD_LIBRARY_PATH", programs.join(libraries));
}

/// PostgreSQL refuses to run as root. In a user namespace of its own it is somebody else, and what it has still ours.
fn ordinary(programs: &Path, name: &str) -> Command {
    if !geteuid().is_root() {
        return program(programs, name);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000", "--map-group=1000", "--"]).arg(programs.join(name));
    with_libraries(&mut command, programs);
    command
}

/// Reads until the server takes connections; what it says later goes nowhere, and must be read all the same.
fn await_ready(errors: ChildStderr) -> Result<()> {
    let mut lines = BufReader::new(errors);
    let mut told = String::new();
    while !told.ends_with("ready to accept connections\n") {
        if lines.read_line(&mut told)? == 0 {
            bail!("`postgres` ended: {told}");
        }
    }
    std::thread::spawn(move || {
        let mut nowhere = File::options().write(true).open("/dev/null")?;
        std::io::copy(&mut lines, &mut nowhere)
    });
    Ok(())
}

/// What a program says on standard output.
fn said(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("failed to start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
