//! The program `cofferdam serve` as an operator starts it.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The only thing that differs from the defaults, but for addresses: one token asks for everything here.
const SETTINGS: &str = r#"
listen = "127.0.0.1:0"
operations = "127.0.0.1:0"
requests-per-second = 1000000
requests-at-once = 1000000
"#;
/// A start measures how long a password is hashed for, and no longer than this.
const START: Duration = Duration::from_secs(60);

/// A server that runs. Dropping it kills it, and removes what it has.
pub(super) struct Program {
    child: Child,
    pub(super) url: String,
    /// Where it tells its figures.
    pub(super) operations: String,
    _directory: TempDir,
}

impl Program {
    /// On an empty directory below this one. The second is the token by which the first operator is made.
    pub(super) fn start(program: &Path, directory: &Path) -> Result<(Self, String)> {
        let directory = tempfile::tempdir_in(directory)?;
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("serve.toml"), SETTINGS)?;
        let mut serve = Command::new(program);
        serve.arg("serve").arg("--data").arg(at("data")).arg("--key-file").arg(at("key"));
        serve.arg("--config").arg(at("serve.toml")).arg("--cache").arg(at("cache"));
        serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = serve.spawn().context("failed to start the server")?;
        let said = lines(child.stdout.take().context("no standard output")?);
        let logged = lines(child.stderr.take().context("no standard error")?);
        let (url, operations) = (String::new(), String::new());
        let mut program = Self { child, url, operations, _directory: directory };
        program.url = first(&said, |line| line.strip_prefix("listening on "))?;
        program.operations = first(&said, |line| line.strip_prefix("operations on "))?;
        let setup = first(&logged, |line| line.split("\"token\": \"").nth(1)?.split('"').next())?;
        Ok((program, setup))
    }

    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has: a server that cannot end well is no server that was measured.
    pub(super) fn end(mut self) -> Result<()> {
        let process = Pid::from_raw(i32::try_from(self.child.id())?).context("no process")?;
        kill_process(process, Signal::TERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Of one that has ended, neither does anything.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is written to a pipe, line by line; read to its end, whether or not anybody looks, for else its writer would wait.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Whoever started it has heard enough.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// The first line in which something is found.
fn first(lines: &Receiver<String>, find: impl Fn(&str) -> Option<&str>) -> Result<String> {
    let mut said = Vec::new();
    while let Ok(line) = lines.recv_timeout(START) {
        if let Some(found) = find(&line) {
            return Ok(found.to_owned());
        }
        said.push(line);
    }
    bail!("the server did not start: {}", said.join("\n"))
}
