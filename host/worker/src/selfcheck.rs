//! Tries what a guest would try that had left its sandbox. Changes nothing where it succeeds.

use rustix::process::{Pid, Resource, Rlimit, getppid, setrlimit, test_kill_process};
use serde::Serialize;
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{Command, Stdio};

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// What.
    pub what: &'static str,
    /// Whether the walls kept it from being done.
    pub is_denied: bool,
    /// What the system said.
    pub said: String,
}

/// All of them, one after the other.
pub fn attempts() -> Vec<Attempt> {
    let parent = getppid().unwrap_or(Pid::INIT);
    vec![
        tried("open a file of the system", fs::read("/etc/passwd").map(drop)),
        tried("read the environment of a process", fs::read("/proc/self/environ").map(drop)),
        tried("list the root directory", fs::read_dir("/").map(drop)),
        tried(
            "make a file",
            fs::OpenOptions::new().append(true).create(true).open("/tmp/.cofferdam-worker").map(drop),
        ),
        tried("connect over TCP", TcpStream::connect("127.0.0.1:9").map(drop)),
        tried("listen for TCP", TcpListener::bind("127.0.0.1:0").map(drop)),
        tried("send over UDP", UdpSocket::bind("127.0.0.1:0").map(drop)),
        tried("connect to a socket of this machine", UnixStream::connect("/run/none").map(drop)),
        tried("send to a socket of this machine", UnixDatagram::unbound().map(drop)),
        tried("run a program", program()),
        tried("send a signal to its parent", test_kill_process(parent).map_err(io::Error::from)),
        tried("raise a limit of its own", raised().map_err(io::Error::from)),
    ]
}

/// Refused is another thing than in vain: a port where nobody listens was asked all the same.
fn tried(what: &'static str, outcome: io::Result<()>) -> Attempt {
    let denied = [libc::EPERM, libc::EACCES, libc::ENOSYS];
    match outcome {
        Ok(()) => Attempt { what, is_denied: false, said: "done".into() },
        Err(error) => {
            let is_denied = error.raw_os_error().is_some_and(|code| denied.contains(&code));
            Attempt { what, is_denied, said: error.to_string() }
        }
    }
}

fn program() -> io::Result<()> {
    let mut command = Command::new("/bin/true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().map(drop)
}

fn raised() -> rustix::io::Result<()> {
    setrlimit(Resource::Nofile, Rlimit { current: Some(64 << 10), maximum: Some(64 << 10) })
}
