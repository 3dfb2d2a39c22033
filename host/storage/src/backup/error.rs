//! Why a backup is not made or not used.

use std::io;

use vault::{DeploymentId, UnwrapError};

use crate::engine::EngineError;
use crate::error::Error;

/// Why a backup is not made or not used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It does not start as a backup does.
    #[error("the file is no backup")]
    NotABackup,
    /// A newer cofferdam made it.
    #[error("backup has format version {found}, this version knows {known}")]
    Newer {
        /// Of the file.
        found: u16,
        /// Of this program.
        known: u16,
    },
    /// It is of another deployment.
    #[error("backup is of deployment `{found}`, not of `{expected}`")]
    OtherDeployment {
        /// Of the file.
        found: DeploymentId,
        /// Of the keyring.
        expected: DeploymentId,
    },
    /// It was changed since it was made.
    #[error("backup is damaged in frame {frame}, at byte {offset}: {problem}")]
    Damaged {
        /// Which frame, from 0.
        frame: u64,
        /// Where the frame begins.
        offset: u64,
        /// What is wrong with it.
        problem: &'static str,
        /// How that was noticed.
        source: Option<UnwrapError>,
    },
    /// It ends too early.
    #[error("backup is cut off in frame {frame}, at byte {offset}")]
    CutOff {
        /// Which frame, from 0.
        frame: u64,
        /// Where the file ends.
        offset: u64,
    },
    /// A restore goes into storage that has nothing.
    #[error("storage is not empty")]
    NotEmpty,
    /// The file cannot be read or written.
    #[error("failed to {action} the backup at byte {offset}")]
    File {
        /// What was tried.
        action: &'static str,
        /// Where.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Storage refused.
    #[error(transparent)]
    Storage(#[from] Error),
}

impl BackupError {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotABackup => "CD1070",
            Self::Newer { .. } => "CD1071",
            Self::OtherDeployment { .. } => "CD1072",
            Self::Damaged { .. } => "CD1073",
            Self::CutOff { .. } => "CD1074",
            Self::NotEmpty => "CD1075",
            Self::File { .. } => "CD1077",
            Self::Storage(error) => error.code(),
        }
    }
}

impl From<EngineError> for BackupError {
    fn from(error: EngineError) -> Self {
        Self::Storage(error.into())
    }
}
