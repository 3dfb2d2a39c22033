//! Runs this test program again in a role: a test that is named begins with [`play`], which returns only in the parent.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cofferdam_storage::sled::{Options, Probe, probe_main};

use crate::factory::{DEPLOYMENT, JOURNAL_KEY};

const ROLE: &str = "COFFERDAM_TEST_ROLE";
const PLACE: &str = "COFFERDAM_TEST_PLACE";

/// A command that runs this test in this role.
pub(crate) fn command(test: &str, role: &str, place: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(ROLE, role).env(PLACE, place);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// In a child of this role, plays it and ends the process.
pub(crate) fn play(role: &str, run: impl FnOnce(PathBuf) -> i32) {
    if std::env::var(ROLE).is_ok_and(|found| found == role) {
        std::process::exit(run(std::env::var_os(PLACE).unwrap().into()));
    }
}

/// The probe as the product has it: a process of this program.
pub(crate) struct SelfProbe(pub(crate) &'static str);

impl Probe for SelfProbe {
    fn command(&self, database: &Path) -> Command {
        command(self.0, "probe", database)
    }
}

pub(crate) fn play_probe() {
    play("probe", |path| i32::from(probe_main(&path)));
}

pub(crate) fn options(directory: &Path) -> Options {
    Options::new(directory, DEPLOYMENT, JOURNAL_KEY).holder("the test suite")
}

/// What `CURRENT` says when this database is the live one.
pub(crate) fn current(name: &str) -> String {
    format!("{name} {:08x}\n", crc32fast::hash(name.as_bytes()))
}
