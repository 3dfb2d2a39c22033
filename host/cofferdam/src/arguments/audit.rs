//! `cofferdam audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Data, Server};

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List entries, the oldest first
    List(AuditList),
    /// Write a whole log as a file that can be verified anywhere
    Export(AuditExport),
    /// See whether a log is what was signed, and still begins with what it was when you looked last
    #[command(after_help = "\
Of a server or a data directory, key and last checkpoint of each log are remembered in `cofferdam/audit` in your configuration
when all is well, and the next verification is held against them. A file is judged by the remembered key, and by the
checkpoint where the file is not older. Whoever rewrites a whole log is found only by what was remembered elsewhere.")]
    Verify(AuditVerify),
    /// Have a server sign how far a log has come, to be kept elsewhere
    Checkpoint(OneServerLog),
    /// Ask a server whether its log still begins with what a checkpoint saw
    Compare(AuditCompare),
    /// Show the hashes that prove that an entry is in the log of an organization (RFC 6962)
    Inclusion(AuditInclusion),
    /// Show the hashes that prove that the log of an organization begins with an earlier one (RFC 6962)
    Consistency(AuditConsistency),
}

/// Which log of a server.
#[derive(Debug, Clone, Args)]
pub(crate) struct OneServerLog {
    /// The log of the installation, and not of an organization
    #[arg(long, conflicts_with = "organization")]
    pub(crate) installation: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Debug, Args)]
pub(crate) struct AuditCompare {
    /// A file with a checkpoint that was kept elsewhere
    #[arg(value_name = "FILE")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) log: OneServerLog,
}

#[derive(Debug, Args)]
pub(crate) struct AuditInclusion {
    /// The number of the entry, from 0
    pub(crate) number: u64,
    /// How many entries the log has
    #[arg(long, value_name = "N")]
    pub(crate) size: u64,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Debug, Args)]
pub(crate) struct AuditConsistency {
    /// How many entries the earlier log had
    pub(crate) earlier: u64,
    /// How many entries the log has
    #[arg(long, value_name = "N")]
    pub(crate) size: u64,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Which log.
#[derive(Debug, Clone, Args)]
pub(crate) struct OneLog {
    /// The log of the installation, and not of an organization
    #[arg(long, conflicts_with = "organization")]
    pub(crate) installation: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct AuditList {
    /// At most so many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// The log of the installation, and not of an organization
    #[arg(long, conflicts_with = "organization")]
    pub(crate) installation: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Debug, Args)]
pub(crate) struct AuditExport {
    /// Where it is written, for its owner's eyes alone [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) log: OneLog,
}

#[derive(Debug, Args)]
pub(crate) struct AuditVerify {
    /// An exported log [default: the log as it is now]
    #[arg(value_name = "FILE", conflicts_with_all = ["server", "data", "organization", "installation"])]
    pub(crate) file: Option<PathBuf>,
    /// The key by which it is judged, as `name+hash+key` [default: the one that is remembered]
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// A file with a checkpoint that was kept elsewhere; may be given more than once
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub(crate) checkpoints: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) log: OneLog,
}
