//! The process of a worker: how it is started, and how it ended.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

use super::tally::Counted;

/// Of what a worker writes to standard error, the last.
const WORDS_BYTES: usize = 2 << 10;
/// A process that was killed closes its descriptors when the system comes to it.
const WORDS_WAIT: Duration = Duration::from_secs(1);

/// How a worker is started.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program, which is this one.
    pub file: PathBuf,
    /// By which it knows that it is a worker.
    pub arguments: Vec<String>,
}

/// A worker's process. Killed, and its end waited for, when it is dropped.
pub(crate) struct Process {
    child: Option<Child>,
    words: Arc<Mutex<Vec<u8>>>,
    listening: Option<JoinHandle<()>>,
    _counted: Counted,
}

/// How a process ended.
pub(crate) struct Ended {
    /// In words of ours.
    pub(crate) how: String,
    /// What it wrote last, introduced; empty where it wrote nothing.
    pub(crate) words: String,
}

impl Process {
    /// Starts it, with an end of a socket as its standard input and nothing else of ours: no environment, no directory, and
    /// a group of its own, so that what a terminal sends to us does not reach it.
    pub(crate) fn start(program: &Program) -> io::Result<(Self, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut child = Command::new(&program.file)
            .args(&program.arguments)
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let words = Arc::new(Mutex::new(Vec::new()));
        let stderr = child.stderr.take().map(OwnedFd::from);
        let listening = stderr.map(|stderr| listen(stderr, Arc::clone(&words))).transpose()?;
        Ok((Self { child: Some(child), words, listening, _counted: Counted::start() }, ours))
    }

    /// Ends it, and says how it ended, with its last words.
    pub(crate) async fn ended(mut self) -> Ended {
        let child = self.child.take();
        let status = tokio::task::spawn_blocking(move || child.and_then(|child| killed(child).ok())).await;
        if let Some(listening) = self.listening.take() {
            // What it wrote is here by then, or does not matter.
            let _ = tokio::time::timeout(WORDS_WAIT, listening).await;
        }
        let how = status.ok().flatten().map_or_else(|| "nobody knows how it ended".to_owned(), said);
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let words = match String::from_utf8_lossy(&words).trim() {
            "" => String::new(),
            words => format!("; its last words: {words}"),
        };
        Ended { how, words }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            // It is gone either way.
            let _ = killed(child);
        }
    }
}

/// One that had ended before keeps the status with which it did.
fn killed(mut child: Child) -> io::Result<ExitStatus> {
    child.kill()?;
    child.wait()
}

fn said(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with status {code}"),
        (None, Some(signal)) => format!("it ended by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

fn listen(stderr: OwnedFd, words: Arc<Mutex<Vec<u8>>>) -> io::Result<JoinHandle<()>> {
    let mut from = Receiver::from_owned_fd(stderr)?;
    Ok(tokio::spawn(async move {
        let mut piece = [0; 512];
        while let Ok(came) = from.read(&mut piece).await {
            let Some(came) = piece.get(..came).filter(|came| !came.is_empty()) else { break };
            let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
            words.extend_from_slice(came);
            let over = words.len().saturating_sub(WORDS_BYTES);
            words.drain(..over);
        }
    }))
}
