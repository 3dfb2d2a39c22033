//! Why a record is not sealed or not opened.

use crate::bucket::Bucket;
use crate::secret::NoRandomness;

/// Why a record is not sealed or not opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The record is of a format that this version does not know.
    #[error("record has format version {found}, this version knows {known}")]
    Version {
        /// Of the record.
        found: u8,
        /// Of this program.
        known: u8,
    },
    /// The record is sealed in a way that this version does not know.
    #[error("record is sealed with algorithm {found}, which is not known")]
    Algorithm {
        /// Of the record.
        found: u8,
    },
    /// The bytes are too short or have an impossible key id.
    #[error("record of {bytes} bytes is no sealed record")]
    Malformed {
        /// How many there are.
        bytes: usize,
    },
    /// The record was changed, or it was sealed for another place.
    #[error("record of organization `{organization}` in table `{table}` was changed or belongs elsewhere")]
    Rejected {
        /// Where it was asked for.
        organization: String,
        /// Where it was asked for.
        table: String,
    },
    /// The bucket has ended: what it holds is no longer served, and nothing new enters it.
    #[error("bucket `{bucket}` has ended")]
    BucketEnded {
        /// Which.
        bucket: Bucket,
    },
    /// The keyring has no key for the bucket: it was destroyed, or never created.
    #[error("keyring has no key for bucket `{bucket}`")]
    NoBucket {
        /// Which.
        bucket: Bucket,
    },
    /// The keyring has no key for the organization: it was deleted, or never created.
    #[error("keyring has no key for organization `{organization}`")]
    NoOrganization {
        /// Which.
        organization: String,
    },
    /// This generation of the organization's key was retired after its records were sealed anew.
    #[error("generation {generation} of the key of organization `{organization}` is retired")]
    NoGeneration {
        /// Whose.
        organization: String,
        /// Which.
        generation: u32,
    },
    /// The organization's key has sealed as many messages as one key may.
    #[error("key of organization `{organization}` has sealed {limit} messages, which is its limit")]
    Exhausted {
        /// Whose.
        organization: String,
        /// How many.
        limit: u64,
    },
    /// The message counter has reached what the keyring has on disk; the keyring must be written before more is sealed.
    #[error("message counter of organization `{organization}` must be saved before more is sealed")]
    CounterUnsaved {
        /// Whose.
        organization: String,
    },
    /// The plaintext is longer than what is sealed at once.
    #[error("plaintext of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The longest.
        limit: usize,
    },
    /// No nonce could be drawn.
    #[error("failed to draw a nonce")]
    Randomness(#[from] NoRandomness),
}

impl SealError {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Version { .. } => "CD0901",
            Self::Algorithm { .. } => "CD0902",
            Self::Malformed { .. } => "CD0903",
            Self::Rejected { .. } => "CD0904",
            Self::BucketEnded { .. } => "CD0905",
            Self::NoBucket { .. } => "CD0906",
            Self::NoOrganization { .. } => "CD0907",
            Self::NoGeneration { .. } => "CD0908",
            Self::Exhausted { .. } => "CD0909",
            Self::CounterUnsaved { .. } => "CD0910",
            Self::TooLarge { .. } => "CD0911",
            Self::Randomness(_) => "CD0912",
        }
    }
}
