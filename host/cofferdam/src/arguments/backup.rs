//! `cofferdam backup` and `cofferdam restore`.

use std::path::PathBuf;

use clap::Args;

use super::Data;

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Where the backup is written; one that is there is replaced when the new one is whole
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    pub(crate) file: PathBuf,
    /// Only read the backup to its end, and restore nothing
    #[arg(long)]
    pub(crate) verify: bool,
    /// Move aside what the data directory holds beside its keyring
    #[arg(long, conflicts_with = "verify")]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}
