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
    /// The lease is outdated: somebody else has its name by now. Nothing was changed; whoever gets this must stop.
    #[error("lease `{name}` is outdated: another run holds it")]
    Fenced {
        /// Of the lease.
        name: String,
    },
    /// Somebody holds the lease.
    #[error("lease `{name}` is held until {until_ms}")]
    Leased {
        /// Of the lease.
        name: String,
        /// In milliseconds since the epoch.
        until_ms: u64,
    },
    /// A limit of storage. Nothing was changed.
    #[error("{what} of {found} is over the limit of {limit}")]
    TooLarge {
        /// Which.
        what: &'static str,
        /// How much it is.
        found: usize,
        /// How much it may be.
        limit: usize,
    },
    /// A part of a large value is missing, and nobody has replaced it.
    #[error("a large value in table `{table}` lacks a part")]
    ChunkMissing {
        /// Its table.
        table: String,
    },
    /// The program was being shut down while the keyring was to be changed.
    #[error("the program ends: the keyring was not changed")]
    Interrupted,
    /// A restore into this engine was begun and not finished: what is here is a part.
    #[error("a restore into this storage was not finished")]
    RestoreUnfinished,
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
            Self::TooLarge { .. } => "CD1004",
            Self::Fenced { .. } => "CD1008",
            Self::Leased { .. } => "CD1009",
            Self::ChunkMissing { .. } => "CD1010",
            Self::Interrupted => "CD1011",
            Self::RestoreUnfinished => "CD1076",
            Self::Seal(error) => error.code(),
            Self::Keys(error) => error.code(),
            Self::Engine(error) => error.code(),
        }
    }
}

impl Error {
    /// Whether it tells of a record that does not open, and not of an engine or keyring that refuses.
    pub(crate) fn is_unreadable(&self) -> bool {
        match self {
            Self::Format { .. } | Self::ChunkMissing { .. } => true,
            Self::Seal(error) => matches!(
                error,
                SealError::Version { .. }
                    | SealError::Algorithm { .. }
                    | SealError::Malformed { .. }
                    | SealError::Rejected { .. }
                    | SealError::NoBucket { .. }
                    | SealError::NoGeneration { .. }
            ),
            _ => false,
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
