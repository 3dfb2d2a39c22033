//! What is asked of what earlier runs have kept: runs, positions, row errors.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Cache, Data, Network, Server};
use crate::named::{ErrorName, RunName, condition};

#[derive(Debug, Args)]
pub(crate) struct Runs {
    #[command(subcommand)]
    pub(crate) command: RunsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, the newest first
    List(RunsList),
    /// Show one run: counters, budgets, requests
    Show(OneRun),
    /// Show what its connectors logged; lines may quote rows
    Logs(OneRun),
    /// Show what happens to runs of a server, as it happens: ids, states and counts
    Watch(RunsWatch),
}

#[derive(Debug, Args)]
pub(crate) struct RunsList {
    /// A sync, by its document or its name [default: every sync]
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: Option<String>,
    /// At most so many of each sync
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct OneRun {
    /// The run, as in `my-sync/3`; the number alone where there is one sync
    #[arg(value_name = "[SYNC/]RUN")]
    pub(crate) run: RunName,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct RunsWatch {
    /// Only of this sync, by its id or its name
    #[arg(value_name = "NAME")]
    pub(crate) sync: Option<String>,
    /// End with the first run that ends, and fail if it did not complete
    #[arg(long)]
    pub(crate) until_ended: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Debug, Args)]
pub(crate) struct Checkpoints {
    #[command(subcommand)]
    pub(crate) command: CheckpointsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointsCommand {
    /// Show where each read group of a sync goes on
    Show(CheckpointsShow),
    /// Set the position of a read group
    Edit(CheckpointsEdit),
    /// Forget positions: the next run begins anew
    #[command(after_help = "\
What is at the destination stays there: rows that are read again are appended again, unless the sync upserts them.")]
    Reset(CheckpointsReset),
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointsShow {
    /// The sync, by its document or its name
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: String,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointsEdit {
    /// The sync, by its document or its name
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: String,
    /// The read group
    #[arg(long, value_name = "NAME")]
    pub(crate) unit: String,
    /// The position, one JSON value as its source gives them
    #[arg(long, value_name = "JSON")]
    pub(crate) to: String,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointsReset {
    /// The sync, by its document or its name
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: String,
    /// Only this read group
    #[arg(long, value_name = "NAME")]
    pub(crate) unit: Option<String>,
    /// Only the read group of this stream
    #[arg(long, value_name = "NAME", conflicts_with = "unit")]
    pub(crate) stream: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct Errors {
    #[command(subcommand)]
    pub(crate) command: ErrorsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ErrorsCommand {
    /// List rejected rows, without what is in them
    List(ErrorsList),
    /// Show one rejected row, with its values
    Show(ErrorsShow),
    /// Write rejected rows with their values
    Export(ErrorsExport),
    /// Delete rejected rows, and erase what they held
    #[command(after_help = "\
They are gone at once. Their bytes are erased before the command ends: everything that is kept is sealed anew under a new
key, and the former one is destroyed. A backup that was made before opens no more, so make a new one.")]
    Delete(ErrorsDelete),
}

/// Which rejected rows.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Filters {
    /// Of this run, as in `my-sync/3`; the number alone where there is one sync
    #[arg(long, value_name = "[SYNC/]RUN")]
    pub(crate) run: Option<RunName>,
    #[command(flatten)]
    pub(crate) rows: RowFilters,
    /// In this state
    #[arg(long, value_name = "STATE", default_value = "any", hide_default_value = true)]
    pub(crate) state: State,
}

/// Which rejected rows of a run.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RowFilters {
    /// Of this stream
    #[arg(long, value_name = "NAME")]
    pub(crate) stream: Option<String>,
    /// With this code; may be given more than once
    #[arg(long = "code", value_name = "CODE")]
    pub(crate) codes: Vec<String>,
    /// Whose row meets this, as in `amount >= 10`, `name = "x"`, `paid is null`; may be given more than once
    #[arg(long = "where", value_name = "CONDITION", value_parser = condition)]
    pub(crate) conditions: Vec<pipeline::model::Condition>,
    /// With these ids, as in `3-17,3-18`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) ids: Vec<ErrorName>,
}

/// Whether something is still to be done about a rejected row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    #[default]
    Any,
    /// It never arrived
    Open,
    /// A row of the same key arrived in a later run
    Superseded,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsList {
    /// A sync, by its document or its name [default: every sync]
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: Option<String>,
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// At most so many of each sync
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Only those behind this one
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<ErrorName>,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsShow {
    /// Its id, as in `my-sync/3-17`
    #[arg(value_name = "[SYNC/]ID")]
    pub(crate) id: ErrorName,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsExport {
    /// A sync, by its document or its name [default: every sync]
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: Option<String>,
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// How they are written
    #[arg(long, value_name = "FORMAT", default_value = "json-lines")]
    pub(crate) format: ExportFormat,
    /// Where they are written, for their owner's eyes alone [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

/// How rejected rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object a line
    JsonLines,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsDelete {
    /// A sync, by its document or its name [default: every sync]
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: Option<String>,
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// All of them
    #[arg(long, required_unless_present_any = ["sync", "run", "stream", "codes", "conditions", "ids"])]
    pub(crate) all: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct Reprocess {
    /// The sync's document: its transforms and its destination as they are now
    #[arg(value_name = "SYNC.TOML")]
    pub(crate) sync: PathBuf,
    /// The run whose rejected rows are sent through again
    #[arg(value_name = "RUN")]
    pub(crate) run: u64,
    #[command(flatten)]
    pub(crate) rows: RowFilters,
    /// Also rows of whose key a later one arrived since
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) cache: Cache,
    #[command(flatten)]
    pub(crate) network: Network,
}
