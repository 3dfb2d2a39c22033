//! Which data directory, and where its keys come from.

use std::path::PathBuf;

use clap::Args;

/// The data directory of a command.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Data {
    /// Directory of all that is kept, sealed [default: `.cofferdam` beside the document, or here]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeyOptions,
}

/// What opens a data directory. Told at its first use, and remembered there.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct KeyOptions {
    /// The key file; told once [default: in the user's configuration, made at first use]
    #[arg(
        long,
        value_name = "PATH",
        group = "provider",
        help_heading = "Keys, where the data directory does not know"
    )]
    pub(crate) key_file: Option<PathBuf>,
    /// A file with the passphrase in it; also by COFFERDAM_PASSPHRASE_FILE; `-` asks for it
    #[arg(
        long,
        value_name = "PATH",
        group = "provider",
        help_heading = "Keys, where the data directory does not know"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// A credential of the service manager
    #[arg(
        long,
        value_name = "NAME",
        group = "provider",
        help_heading = "Keys, where the data directory does not know"
    )]
    pub(crate) credential: Option<String>,
    /// A file for the shred key, which makes deletion final; a key file holds it already
    #[arg(long, value_name = "PATH", help_heading = "Keys, where the data directory does not know")]
    pub(crate) shred_key: Option<PathBuf>,
}
