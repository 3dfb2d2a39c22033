//! `cofferdam keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Data, KeyOptions};

#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Show where the keys come from, whether deletion erases, and how old the newest export is
    Status(Status),
    /// Draw new keys
    #[command(after_help = "\
Without an option both are drawn anew. Of a new key-encryption key only the keyring is written anew; for a new key of the
organization everything that is kept is sealed again, and what was deleted before cannot be read by anyone after that.")]
    Rotate(Rotate),
    /// Try every key, and every record that they open
    Verify(Verify),
    /// Seal the keyring to a recovery key, for the day on which this machine is lost
    #[command(after_help = "\
Keep the export away from backups and from the recovery key. It opens what was deleted after it was made, so make it anew
from time to time and destroy the former one: `cofferdam keys status` says how old it is.")]
    Export(Export),
    /// Make a keyring out of an export
    #[command(after_help = "\
The data directory may be a new one, or one that has lost its keyring. Then `cofferdam restore` brings back a backup.")]
    Import(Import),
    /// Draw a recovery key and write it to a file
    RecoveryKey(RecoveryKey),
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Only the key-encryption key
    #[arg(long, conflicts_with = "organization")]
    pub(crate) kek: bool,
    /// Only the key of the organization
    #[arg(long)]
    pub(crate) organization: bool,
    /// A file with the new passphrase, where the key-encryption key is made of one [default: it is asked for]
    #[arg(long, value_name = "PATH", conflicts_with = "organization")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) data: Data,
}

/// What opens an export.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Recovery {
    /// The file that `cofferdam keys recovery-key` made
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_key: Option<PathBuf>,
    /// A file with a passphrase in the place of a recovery key; `-` asks for it
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Where the export is written; a file that is there is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) recovery: Recovery,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The export
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) recovery: Recovery,
    /// The data directory that gets the keyring [default: `.cofferdam`, here]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeyOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RecoveryKey {
    /// Where it is written; a file that is there is not replaced
    pub(crate) file: PathBuf,
}
