//! What keeps workers from being used at all. What befalls one that runs is a failure of the call that was under way.

use std::io;

/// A worker cannot be started, or was started by somebody else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refuses what a worker needs.
    #[error("failed to {action}")]
    Start {
        /// What was tried.
        action: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It was started, and did not say that it is ready.
    #[error("a worker was started and is not ready: {said}")]
    NotReady {
        /// What it did or said instead.
        said: String,
    },
    /// This process is to be a worker, and nobody is there for whom.
    #[error("this process was not started as a worker by cofferdam: {problem}")]
    NotAWorker {
        /// What is missing.
        problem: String,
    },
}

/// Why there is no code of a component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotCompiled {
    /// The compiler, or whoever links, found something against it.
    #[error("{message}")]
    Refused {
        /// The stable code of what was found.
        code: String,
        /// What was found.
        message: String,
    },
    /// The process that compiled it was lost.
    #[error("the process that compiled the component was lost: {how}{words}")]
    Lost {
        /// What it did, and how it ended.
        how: String,
        /// Its last words, where it had any.
        words: String,
    },
    /// There is no process to compile in.
    #[error(transparent)]
    Process(#[from] Error),
}

impl NotCompiled {
    pub(crate) fn by(error: &runtime::Error) -> Self {
        Self::Refused { code: error.code().to_owned(), message: error.to_string() }
    }

    /// The stable code of the page that explains this error.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Lost { .. } => "CD1406",
            Self::Process(error) => error.code(),
        }
    }
}

impl Error {
    /// The stable code of the page that explains this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Start { .. } | Self::NotReady { .. } => "CD1403",
            Self::NotAWorker { .. } => "CD1404",
        }
    }
}
