//! What can go wrong with a cassette: of a folder that is no cassette, a disk, a request that was never recorded.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a cassette cannot be written, read or followed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request that the replay has no answer for.
    #[error("the request `{request}` is not on the cassette: {}", differs.join("; "))]
    Unmatched {
        /// Method and URL.
        request: String,
        /// What differs from the nearest recording, and which one that is.
        differs: Vec<String>,
    },
    /// A file of the cassette cannot be written.
    #[error("failed to write `{}` of the cassette", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Arc<io::Error>,
    },
    /// The folder has something in it already.
    #[error("`{}` is not empty, and a cassette is recorded into an empty folder", path.display())]
    NotEmpty {
        /// Which folder.
        path: PathBuf,
    },
    /// A file of the cassette cannot be read.
    #[error("failed to read `{}` of the cassette", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Arc<io::Error>,
    },
    /// A file of the cassette is not what was written.
    #[error("`{}` of the cassette is damaged: {problem}", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The cassette was written by a newer version.
    #[error("`{}` has version {found} of the format, and this program reads up to version {known}", path.display())]
    Newer {
        /// Which folder.
        path: PathBuf,
        /// The version that it has.
        found: u64,
        /// The newest that is read.
        known: u32,
    },
    /// The recording was broken off.
    #[error("the recording of `{}` did not come to its end", path.display())]
    Incomplete {
        /// Which folder.
        path: PathBuf,
    },
    /// One instance asked for time more often than is kept.
    #[error("`{instance}` asked the clock more than {allowed} times, which is more than a cassette keeps")]
    TooLong {
        /// The instance.
        instance: String,
        /// How much is kept.
        allowed: u64,
    },
}

impl Error {
    /// The stable code of the page that explains it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unmatched { .. } => "CD0850",
            Self::Write { .. } => "CD0851",
            Self::NotEmpty { .. } => "CD0852",
            Self::Read { .. } | Self::Corrupt { .. } => "CD0853",
            Self::Newer { .. } => "CD0854",
            Self::Incomplete { .. } => "CD0855",
            Self::TooLong { .. } => "CD0858",
        }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source: Arc::new(source) }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source: Arc::new(source) }
    }

    pub(crate) fn corrupt(path: &Path, problem: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), problem: problem.into() }
    }
}
