//! The processes of a run.

use std::fs;
use std::process::{Child, Stdio};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::world::World;

/// A run with its connectors in workers, which goes on.
pub(super) fn begun(world: &World) -> Child {
    let mut command = world.command(&["run", "sync.toml", "--worker"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The processes that this one started and that have not ended.
pub(crate) fn workers(of: u32) -> Vec<u32> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    processes.filter(|process| is_child(*process, of)).collect()
}

/// `PPid:\t17`, and of what has ended `State:\tZ (zombie)`.
fn is_child(process: u32, of: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.lines().any(|line| line == format!("PPid:\t{of}")) && !status.contains("State:\tZ")
}

/// One that has ended meanwhile hears nothing of it.
pub(crate) fn signal(process: u32, signal: Signal) {
    let sent = kill_process(Pid::from_raw(i32::try_from(process).unwrap()).unwrap(), signal);
    assert!(matches!(sent, Ok(()) | Err(Errno::SRCH)), "{sent:?}");
}
