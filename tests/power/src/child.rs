//! Runs a program to its end, or to the end of our patience.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it wrote to its output.
    pub output: String,
    /// What it wrote to its error output.
    pub errors: String,
}

/// Runs a program.
///
/// # Errors
/// When it cannot be started or has not ended in time; it is killed then.
pub fn run(command: &mut Command, limit: Duration) -> Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("failed to start {command:?}"))?;
    let output = read_all(child.stdout.take());
    let errors = read_all(child.stderr.take());
    // Both pipes are closed when the program and all that it started have ended.
    let Ok(output) = output.recv_timeout(limit) else {
        child.kill()?;
        child.wait()?;
        bail!("{command:?} has not ended within {limit:?}");
    };
    let errors = errors.recv()?;
    Ok(Ended { status: child.wait()?, output, errors })
}

fn read_all(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before a failure is still told.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}
