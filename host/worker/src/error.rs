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

impl Error {
    /// The stable code of the page that explains this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Start { .. } | Self::NotReady { .. } => "CD1403",
            Self::NotAWorker { .. } => "CD1404",
        }
    }
}
