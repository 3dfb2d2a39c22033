//! The recovery probe: this program once more, as a process that may hang or die while it opens a broken database.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use storage::sled::{Probe, probe_main};

/// Known to nobody who reads the help.
const WORD: &str = "storage-probe";

/// Starts this program as a probe.
pub(crate) struct Child;

impl Probe for Child {
    fn command(&self, database: &Path) -> Command {
        // The program that runs, also where its file was replaced meanwhile.
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
        let mut command = Command::new(program);
        command.arg(WORD).arg(database).env_clear();
        command
    }
}

/// How the probe ends, if this process is one.
pub(crate) fn run() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    let database = arguments.next()?;
    Some(ExitCode::from(probe_main(Path::new(&database))))
}
