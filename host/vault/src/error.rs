//! What can go wrong with key files, providers of KEKs and the keyring.

use std::io;
use std::path::PathBuf;

use crate::bucket::Bucket;
use crate::deployment::{DeploymentId, KeyId};
use crate::envelope::UnwrapError;
use crate::secret::NoRandomness;

/// Why the keyring, or a file that it needs, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("failed to {action} `{}`", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others than the owner may reach the file, or the owner is somebody else.
    #[error("file `{}` {problem}", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
        /// To whom.
        problem: String,
    },
    /// A symbolic link, a directory, a device.
    #[error("`{}` is {found}, not a regular file", path.display())]
    NotAFile {
        /// Which.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// There is no such file.
    #[error("{what} `{}` does not exist", path.display())]
    Missing {
        /// Key file, shred file, keyring, credential.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
    /// A file is there already, and it would have been lost.
    #[error("{what} `{}` exists already", path.display())]
    Exists {
        /// Key file, shred file, keyring.
        what: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// The bytes are not what cofferdam wrote.
    #[error("{what} `{}` is damaged: {part}", path.display())]
    Damaged {
        /// Key file, shred file, keyring.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Which part of it.
        part: String,
        /// How that was noticed.
        source: Option<UnwrapError>,
    },
    /// A newer cofferdam wrote it.
    #[error("{what} `{}` has format version {found}, this version knows {known}", path.display())]
    Newer {
        /// Key file, shred file, keyring, export.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Of the file.
        found: u16,
        /// Of this program.
        known: u16,
    },
    /// It belongs to another deployment.
    #[error("{what} `{}` is of deployment `{found}`, not of `{expected}`", path.display())]
    OtherDeployment {
        /// Key file, shred file, keyring.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Of the file.
        found: DeploymentId,
        /// Of this deployment.
        expected: DeploymentId,
    },
    /// The provider has no KEK with the id that the keyring names.
    #[error("{provider} has no key `{wanted}`, which the keyring is wrapped under")]
    KekUnknown {
        /// Which provider, and where it looked.
        provider: String,
        /// The id that the keyring names.
        wanted: KeyId,
    },
    /// The passphrase makes another KEK.
    #[error("passphrase is not the one that the keyring is wrapped under")]
    WrongPassphrase,
    /// The passphrase is too short for a new keyring.
    #[error("passphrase has {found} characters, fewer than {least}")]
    WeakPassphrase {
        /// How many it has.
        found: usize,
        /// How many it must have.
        least: usize,
    },
    /// The parameters of argon2id are outside of what is safe or bearable.
    #[error("argon2id parameter `{name}` is {found}, not between {least} and {most}")]
    Argon2 {
        /// Which.
        name: &'static str,
        /// Its value.
        found: u32,
        /// The least.
        least: u32,
        /// The most.
        most: u32,
    },
    /// The service manager gave no credential of that form.
    #[error("credential `{}` {problem}", path.display())]
    Credential {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// The recovery key was not copied rightly.
    #[error("recovery key {problem}")]
    RecoveryKey {
        /// What is wrong.
        problem: &'static str,
    },
    /// The keyring is sealed under a shred key, and no slot was named.
    #[error("keyring `{}` needs the slot of its shred key, and none is named", path.display())]
    SlotMissing {
        /// The keyring.
        path: PathBuf,
    },
    /// The slot lies where backups of the data directory take it along.
    #[error("shred slot `{}` is inside of the data directory `{}`", path.display(), directory.display())]
    SlotInside {
        /// The slot.
        path: PathBuf,
        /// The directory of the keyring.
        directory: PathBuf,
    },
    /// The slot has no shred key that opens this keyring: it is older than the last shred.
    #[error("keyring `{}` is sealed under shred key `{wanted}`, which is erased", path.display())]
    Shredded {
        /// The keyring.
        path: PathBuf,
        /// The id that the keyring names.
        wanted: KeyId,
    },
    /// Another process has the keyring.
    #[error("keyring `{}` is in use by another process", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The file is not the one that was read or written last.
    #[error("keyring `{}` was changed by somebody else", path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// A write failed before, and what is on disk is not known.
    #[error("keyring `{}` takes no changes since a write has failed", path.display())]
    Stopped {
        /// Which.
        path: PathBuf,
    },
    /// It was opened for reading.
    #[error("keyring `{}` was opened for reading only", path.display())]
    ReadOnly {
        /// Which.
        path: PathBuf,
    },
    /// The keyring was written as often as its keys allow.
    #[error("keyring `{}` was written {limit} times, which is its limit", path.display())]
    Exhausted {
        /// Which.
        path: PathBuf,
        /// How often.
        limit: u64,
    },
    /// There is such an organization.
    #[error("organization `{organization}` has a key already")]
    OrganizationExists {
        /// Which.
        organization: String,
    },
    /// There is no such organization.
    #[error("organization `{organization}` has no key")]
    NoOrganization {
        /// Which.
        organization: String,
    },
    /// The id cannot be kept.
    #[error("organization id of {bytes} bytes is not between 1 and {most}")]
    OrganizationId {
        /// Its length.
        bytes: usize,
        /// The longest.
        most: usize,
    },
    /// A bucket that has ended gets no key any more.
    #[error("bucket `{bucket}` has ended and gets no key")]
    BucketEnded {
        /// Which.
        bucket: Bucket,
    },
    /// The KEK that is to come is the one that is.
    #[error("key `{id}` is the one that wraps the keyring already")]
    KekUnchanged {
        /// Which.
        id: KeyId,
    },
    /// The recovery key is not the one of this export.
    #[error("export is sealed under key `{wanted}`, not under this one")]
    ExportKey {
        /// The id that the export names.
        wanted: KeyId,
    },
    /// The export is not what cofferdam wrote.
    #[error("export is damaged: {part}")]
    ExportDamaged {
        /// Which part of it.
        part: &'static str,
        /// How that was noticed.
        source: Option<UnwrapError>,
    },
    /// A key could not be drawn.
    #[error("failed to draw a key")]
    Randomness(#[from] NoRandomness),
}

impl Error {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Randomness(_) => "CD0912",
            Self::File { .. } => "CD0913",
            Self::Exposed { .. } => "CD0914",
            Self::NotAFile { .. } => "CD0915",
            Self::Missing { .. } => "CD0916",
            Self::Exists { .. } => "CD0917",
            Self::Damaged { .. } => "CD0918",
            Self::Newer { .. } => "CD0919",
            Self::OtherDeployment { .. } => "CD0920",
            Self::KekUnknown { .. } => "CD0921",
            Self::WrongPassphrase => "CD0922",
            Self::WeakPassphrase { .. } => "CD0923",
            Self::Argon2 { .. } => "CD0924",
            Self::Credential { .. } => "CD0925",
            Self::RecoveryKey { .. } => "CD0926",
            Self::SlotMissing { .. } => "CD0927",
            Self::SlotInside { .. } => "CD0928",
            Self::Shredded { .. } => "CD0929",
            Self::InUse { .. } => "CD0930",
            Self::Changed { .. } => "CD0931",
            Self::Stopped { .. } => "CD0932",
            Self::ReadOnly { .. } => "CD0933",
            Self::Exhausted { .. } => "CD0934",
            Self::OrganizationExists { .. } | Self::OrganizationId { .. } => "CD0935",
            Self::NoOrganization { .. } => "CD0907",
            Self::BucketEnded { .. } => "CD0905",
            Self::KekUnchanged { .. } => "CD0936",
            Self::ExportKey { .. } => "CD0937",
            Self::ExportDamaged { .. } => "CD0938",
        }
    }
}
