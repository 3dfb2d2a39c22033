//! Why a data directory is not opened. A refusal changes nothing on disk.

use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory is not opened. A refusal changes nothing on disk.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("`{path}` is in use by process {pid} ({holder})")]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// The process that has it, as it says; 0 when it has not said so yet.
        pid: u32,
        /// What it says of itself.
        holder: String,
    },
    /// It was written by a newer version.
    #[error("`{path}` has format {found}; this version knows formats up to {known}")]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// It belongs to another deployment than the keys.
    #[error("`{path}` belongs to deployment {found}, and the keys to deployment {expected}")]
    OtherDeployment {
        /// The file that says so.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it would have to be.
        expected: String,
    },
    /// It cannot be written.
    #[error("`{path}` cannot be written: {reason}")]
    ReadOnly {
        /// The data directory.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file is not what was written.
    #[error("`{path}` is damaged at byte {offset}: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        problem: String,
    },
    /// The database is broken, and what is there does not suffice to build it anew.
    #[error("the database `{path}` is broken ({reason}) and cannot be built anew: {missing}")]
    Broken {
        /// The database.
        path: PathBuf,
        /// How that was noticed.
        reason: String,
        /// What would be needed.
        missing: String,
    },
    /// There is no room.
    #[error("the disk of `{path}` is full")]
    Full {
        /// What was to be written.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("failed to {action} `{path}`")]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "CD1040",
            Self::NewerFormat { .. } => "CD1041",
            Self::OtherDeployment { .. } => "CD1042",
            Self::ReadOnly { .. } => "CD1043",
            Self::Damaged { .. } => "CD1044",
            Self::Broken { .. } => "CD1045",
            Self::Full { .. } => "CD1046",
            Self::File { .. } => "CD1047",
        }
    }

    /// What becomes of a failed file operation: some failures have an answer of their own.
    pub(super) fn file<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path: path.to_owned() },
            io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path: path.to_owned(), reason: source.to_string() }
            }
            _ => Self::File { action, path: path.to_owned(), source },
        }
    }

    pub(super) fn damaged(path: &Path, offset: usize, problem: impl Into<String>) -> Self {
        let offset = u64::try_from(offset).unwrap_or(u64::MAX);
        Self::Damaged { path: path.to_owned(), offset, problem: problem.into() }
    }
}
