//! The walls of the kernel around a worker, put up before it starts a thread and reads a byte of a guest's. They are never
//! lowered. Where the kernel has none, the report says so, and the sandbox of the engine is the only wall.

mod calls;
mod files;
mod resources;

use runtime::Directory;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wall {
    /// It stands.
    Holds,
    /// It stands, but for what this kernel cannot do.
    Partly(String),
    /// It does not stand, and why.
    Missing(String),
}

/// Which walls stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walls {
    /// Limits on memory, open files and images of memory.
    pub resources: Wall,
    /// Landlock: files outside of the granted directories, TCP, signals to and sockets of others.
    pub files: Wall,
    /// Seccomp: all system calls but those that a guest needs; no socket, no program, no other process.
    pub calls: Wall,
}

impl Walls {
    /// Puts them up around this process, which has one thread yet. From here on it reaches these directories and one socket.
    pub(crate) fn raise(directories: &[Directory], memory_bytes: u64) -> Self {
        let resources = resources::raise(memory_bytes);
        let files = files::raise(directories);
        // Last, because it forbids to put up the others.
        let calls = calls::raise(!directories.is_empty());
        Self { resources, files, calls }
    }

    /// Each by its name.
    pub fn named(&self) -> [(&'static str, &Wall); 3] {
        [("resources", &self.resources), ("files", &self.files), ("calls", &self.calls)]
    }
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Partly(what) => write!(f, "holds in part: {what}"),
            Self::Missing(why) => write!(f, "is missing: {why}"),
        }
    }
}
