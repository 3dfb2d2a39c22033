//! Why storage does not do what it was asked to.

use vault::SealError;

use crate::engine::EngineError;

/// Why storage does not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record is no longer, or not yet, as the change expects it. Nothing was changed: read again and decide anew.
    #[error("a record of table `{table}` was changed by somebody else meanwhile")]
    Conflict {
        /// Its table.
        table: String,
    },
    /// Ids of organizations and names of tables are short.
    #[error("a name of {bytes} bytes is longer than 255")]
    Name {
        /// Its length.
        bytes: usize,
    },
    /// A value of a format that this version does not know.
    #[error("a stored value has format {found}, which is not known")]
    Format {
        /// What it begins with.
        found: u8,
    },
    /// A record cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The keyring cannot be changed.
    #[error(transparent)]
    Keys(#[from] vault::Error),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Error {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "CD1001",
            Self::Name { .. } => "CD1002",
            Self::Format { .. } => "CD1003",
            Self::Seal(error) => error.code(),
            Self::Keys(error) => error.code(),
            Self::Engine(error) => error.code(),
        }
    }
}

impl EngineError {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "CD1001",
            Self::TooLarge { .. } => "CD1004",
            Self::Unavailable { .. } => "CD1005",
            Self::Stopped { .. } => "CD1006",
            Self::Damaged { .. } => "CD1007",
        }
    }
}
