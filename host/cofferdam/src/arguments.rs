//! The command line: its words, and the help that they give. Does nothing itself.

mod audit;
mod backup;
mod credentials;
mod data;
mod doctor;
mod keys;
mod network;
mod records;
mod remote;
mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::remote::Words;

pub(crate) use audit::{
    Audit, AuditCommand, AuditCompare, AuditConsistency, AuditExport, AuditInclusion, AuditList, AuditVerify,
    OneLog,
};
pub(crate) use backup::{Backup, Restore};
pub(crate) use credentials::{
    Connect, Consent, Credentials, CredentialsCommand, CredentialsList, CredentialsRevoke, CredentialsRotate,
    Given,
};
pub(crate) use data::{Data, KeyOptions};
pub(crate) use doctor::Doctor;
pub(crate) use keys::{Export, Import, Keys, KeysCommand, Recovery, RecoveryKey, Rotate, Status, Verify};
pub(crate) use network::{Network, name_server};
pub(crate) use records::{
    Checkpoints, CheckpointsCommand, CheckpointsEdit, CheckpointsReset, CheckpointsShow, Errors,
    ErrorsCommand, ErrorsDelete, ErrorsExport, ErrorsList, ErrorsShow, ExportFormat, Filters, OneRun,
    Reprocess, RowFilters, Runs, RunsCommand, RunsList, RunsWatch, State,
};
pub(crate) use remote::{Login, Logout, Server, source};
pub(crate) use serve::Serve;

const AFTER_HELP: &str = "\
Data goes to standard output, everything else to standard error.
Exit codes: 0 done, 1 something to fix in files, grants, connectors or systems, 2 a fault of cofferdam itself.
Every error has a code: `cofferdam explain CODE` says what happened and what to do.";

/// Move data with connectors that run in a sandbox.
#[derive(Debug, Parser)]
#[command(name = "cofferdam", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) general: General,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct General {
    /// Print one JSON document on standard output, for machines
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show what connectors log: -v from `info` on, -vv all of it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a sync: move what is new from its source to its destination
    #[command(after_help = "\
Ctrl-C once finishes what is under way, commits it and says where the next run resumes; twice ends at once. Either way,
and after a crash, the next run goes on from the last commit.")]
    Run(Run),
    /// Try everything that a run needs, and move nothing
    Check(Check),
    /// Show the streams and fields that a source has
    Discover(Discover),
    /// Show the first rows of a stream as they would reach the destination, and write nothing
    Preview(Preview),
    /// Show what a component says of itself, without running a line of it
    Inspect(Inspect),
    /// Package a low-code manifest and its interpreter as one component
    #[command(after_help = "\
The component asks for the hosts that the manifest names and for nothing else, and is configured by what the manifest's
`spec` asks for. `cofferdam inspect` shows both.")]
    Build(Build),
    /// Enter a credential that a connector asks for, and keep it sealed
    #[command(after_help = "\
The connector never sees a secret: the host puts it on requests to where the credential is for, and nowhere else. What is
asked for is typed where nobody sees it; where a provider wants a user's consent, a browser is opened.")]
    Connect(Connect),
    /// List, rotate and revoke credentials
    Credentials(Credentials),
    /// List runs, and show what they did and logged
    Runs(Runs),
    /// Show, set and forget where a sync goes on
    Checkpoints(Checkpoints),
    /// List, show, export and delete rejected rows
    Errors(Errors),
    /// Send rejected rows of a run through the sync once more
    #[command(after_help = "\
The transforms and the destination are those that the document names now. A row that arrives is deleted from the rejected
ones; one that is rejected again says what was said of it this time. The position of the sync stays where it is.")]
    Reprocess(Reprocess),
    /// Make a run that goes on obey what its document grants now
    #[command(after_help = "\
What is no longer granted is denied from the next request on, and requests under way that it allowed are cut off at once. A
connection that loses a credential or a directory is cut off whole, and its run ends; what is granted anew waits for the next run.")]
    Reload(Reload),
    /// Write a backup, also while a sync runs
    #[command(after_help = "\
A backup holds sealed records and no keys: restoring needs the keyring too, which `cofferdam keys export` keeps apart.")]
    Backup(Backup),
    /// Bring a backup back into a data directory that has its keyring and nothing else
    #[command(after_help = "\
On a new machine, `cofferdam keys import` makes the keyring first. What was deleted after the backup was made stays
unreadable: its keys are gone.")]
    Restore(Restore),
    /// Show, rotate, verify, export and import the keys of a data directory
    Keys(Keys),
    /// Look at this machine: what would keep cofferdam from working well here, and how to mend it
    #[command(after_help = "\
Nothing is changed, and no key is opened. Exit codes: 0 it works, perhaps with warnings; 1 something does not work.")]
    Doctor(Doctor),
    /// Serve the management API over HTTP to the people of an installation
    #[command(after_help = "\
Each setting may stand in the file, in the environment as COFFERDAM_ and its name, or here; what stands here wins, then the
environment. Other machines are served over TLS only. The first start prints how the first operator is made.")]
    Serve(Box<Serve>),
    /// Log in at a server, for the commands that it does
    #[command(after_help = "\
The session is kept in `cofferdam/login.json` in your configuration, which nobody but you reads, and shown nowhere. It ends after
12 hours, after two hours without a command, and with `cofferdam logout`. Programs set COFFERDAM_SERVER and COFFERDAM_TOKEN instead.")]
    Login(Login),
    /// Log out at a server: end the session there, and forget it here
    Logout(Logout),
    #[command(flatten)]
    Remote(Words),
    /// List, export and verify audit logs
    Audit(Audit),
    /// Explain an error code; without one, list all of them
    Explain(Explain),
    /// Print a completion script for a shell
    Completion(Completion),
    /// Run connectors for the process that started this one
    #[command(hide = true)]
    Worker(Worker),
}

/// Where compiled components are kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct Cache {
    /// Directory of compiled components [default: `cofferdam` in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The sync's document
    #[arg(value_name = "SYNC.TOML")]
    pub(crate) sync: PathBuf,
    /// Write what connectors exchange with the world in this run into this folder, to be replayed; no secret is in it
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    pub(crate) record: Option<PathBuf>,
    /// Answer from such a folder: without network and credentials, and without a trace in the data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) replay: Option<PathBuf>,
    /// Run connectors in a process of their own, behind walls of the kernel, which may die without this one
    #[arg(long, conflicts_with_all = ["record", "replay"])]
    pub(crate) worker: bool,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) cache: Cache,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, Args)]
pub(crate) struct Reload {
    /// The sync's document
    #[arg(value_name = "SYNC.TOML")]
    pub(crate) sync: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The sync's document; at a server a sync or a connection, by its id or its name
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: PathBuf,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) cache: Cache,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, Args)]
pub(crate) struct Discover {
    /// A sync's document, or a source's component that needs no grants; at a server a connection, by its id or its name
    #[arg(value_name = "SYNC.TOML|COMPONENT|NAME")]
    pub(crate) subject: PathBuf,
    /// The component's configuration, as TOML or JSON; a sync brings its own
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) cache: Cache,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// The sync's document; at a server a sync, by its id or its name
    #[arg(value_name = "SYNC.TOML|NAME")]
    pub(crate) sync: PathBuf,
    /// A stream of the source
    pub(crate) stream: String,
    /// How many rows
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rows: u32,
    /// Keep the rows, sealed, for a day; a server always does
    #[arg(long)]
    pub(crate) keep: bool,
    /// Show the rows that were kept, and ask no connector
    #[arg(long, conflicts_with = "keep")]
    pub(crate) kept: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) cache: Cache,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The component's file
    pub(crate) component: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The low-code manifest
    #[arg(value_name = "MANIFEST.YAML")]
    pub(crate) manifest: PathBuf,
    /// The component `http-manifest`
    #[arg(long, value_name = "FILE", default_value = "target/components/http-manifest.wasm")]
    pub(crate) interpreter: PathBuf,
    /// Where the component is written [default: its name and `.wasm`, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The connector's name [default: made of the title in the manifest's `spec`]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Who publishes it
    #[arg(long, value_name = "NAME", default_value = "local")]
    pub(crate) publisher: String,
    /// The connector's version [default: the one that the manifest has]
    #[arg(long, value_name = "VERSION")]
    pub(crate) as_version: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A code, such as CD0202
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// Put up the walls of a worker, try to get past them, and say what came of it
    #[arg(long)]
    pub(crate) self_check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell
    pub(crate) shell: Shell,
}
