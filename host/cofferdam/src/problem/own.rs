//! What goes wrong in the command itself: files, arguments, standard output.

use std::io;
use std::path::{Path, PathBuf};

use super::Problem;

/// An error of the command line and its files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Own {
    /// A file cannot be read.
    #[error("failed to read {what} `{}`", path.display())]
    Read {
        /// What the file is to us.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file is not what its place says.
    #[error("{what} `{}` is not usable: {reason}", path.display())]
    WrongFile {
        /// What the file is to us.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// There is no page for a code.
    #[error("there is no error code `{code}`")]
    UnknownCode {
        /// What was asked for.
        code: String,
        /// What may have been meant.
        suggestion: Option<String>,
    },
    /// Nobody says where files of the user are kept.
    #[error("neither `XDG_CACHE_HOME` nor `HOME` is set, so there is no place for compiled components")]
    NoCache,
    /// A granted directory is not there.
    #[error("the directory `{name}`, granted to `{part}`, is not there: `{}`", path.display())]
    NoDirectory {
        /// To whom it is granted.
        part: String,
        /// The name under which it is granted.
        name: String,
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A directory of a server's operator is not there, or a part of it.
    #[error(
        "the directory `{name}` of `{part}` cannot be opened: {} of the operator's directory `{offer}`",
        place(below)
    )]
    NoOffered {
        /// To whom it is granted.
        part: String,
        /// The name under which it is granted.
        name: String,
        /// What the operator calls it.
        offer: String,
        /// Where it should be in that.
        below: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Standard output does not take what is written.
    #[error("failed to write to standard output: {reason}")]
    Output {
        /// What the system says.
        reason: String,
    },
    /// A low-code manifest that cannot be packaged.
    #[error("`{}` cannot be packaged", path.display())]
    WrongProgram {
        /// Which file.
        path: PathBuf,
        /// Its faults, each with its place.
        faults: http_manifest_packaging::Faults,
    },
    /// A file cannot be written.
    #[error("failed to write {what} `{}`", path.display())]
    Write {
        /// What the file is to us.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// More than one sync could be meant.
    #[error("{}", which_sync(known))]
    WhichSync {
        /// Those that there are.
        known: Vec<String>,
    },
    /// Names of two syncs where one is asked about.
    #[error("`{first}` and `{second}` are two syncs; one is asked about at a time")]
    SeveralSyncs {
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// Something that cannot be undone was not confirmed.
    #[error("not confirmed, so nothing was done: {what}")]
    Unconfirmed {
        /// What was to be done.
        what: String,
    },
    /// There is no such row error.
    #[error("there is no row error `{id}`: it was deleted, reprocessed, or has expired")]
    NoSuchError {
        /// Its name.
        id: String,
    },
    /// Records that were damaged on disk.
    #[error("{what}")]
    Unreadable {
        /// How many.
        what: String,
    },
    /// The run was stopped before its end.
    #[error("the run was stopped before its end")]
    Stopped,
    /// A run that lost what it cannot go on without.
    #[error("the run was ended for `{connection}`: {what}")]
    TakenBack {
        /// Whose it was.
        connection: String,
        /// What was taken back.
        what: String,
        /// What would help.
        to_allow: String,
    },
    /// Nobody runs a document.
    #[error("no run of `{}` goes on", document.display())]
    NotRunning {
        /// The sync's document.
        document: PathBuf,
    },
    /// The machine is not fit.
    #[error("{} on this machine", crate::units::counted(*faults as u64, "fault was found", "faults were found"))]
    Unfit {
        /// How many.
        faults: usize,
    },
    /// A connector that somebody waits for takes too long.
    #[error("the connector of `{connection}` did not answer within {seconds} seconds")]
    NoAnswer {
        /// Whose it is.
        connection: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A source is not what its people have seen.
    #[error("the source has changed, and the sync is paused until somebody has looked: {}", crate::units::counted(*changes as u64, "change", "changes"))]
    SchemaChanged {
        /// How many changes.
        changes: usize,
    },
    /// Settings of the server that are not taken, all of them at once.
    #[error("{}", match faults.len() { 1 => "a setting of the server is not taken".to_owned(), count => format!("{count} settings of the server are not taken") })]
    BadSettings {
        /// What is wrong, each with its place.
        faults: Vec<String>,
    },
    /// Something that cannot be.
    #[error("this is a fault of cofferdam itself: {what}")]
    Bug {
        /// What happened.
        what: String,
    },
}

impl Own {
    fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "CD0801",
            Self::WrongFile { .. } => "CD0802",
            Self::UnknownCode { .. } => "CD0803",
            Self::NoCache => "CD0804",
            Self::NoDirectory { .. } => "CD0805",
            Self::Output { .. } => "CD0806",
            Self::Stopped => "CD0807",
            Self::WrongProgram { .. } => "CD0808",
            Self::Write { .. } => "CD0809",
            Self::WhichSync { .. } | Self::SeveralSyncs { .. } => "CD0810",
            Self::Unconfirmed { .. } => "CD0811",
            Self::NoSuchError { .. } => "CD0812",
            Self::Unreadable { .. } => "CD0813",
            Self::TakenBack { .. } => "CD0860",
            Self::NotRunning { .. } => "CD0861",
            Self::NoAnswer { .. } => "CD0863",
            Self::SchemaChanged { .. } => "CD0864",
            Self::NoOffered { .. } => "CD0865",
            Self::Unfit { .. } => "CD1100",
            Self::BadSettings { .. } => "CD0862",
            Self::Bug { .. } => "CD0899",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownCode { suggestion: Some(code), .. } => Some(format!("did you mean `{code}`?")),
            Self::UnknownCode { .. } => Some("`cofferdam explain` lists all codes".into()),
            Self::NoCache => Some("say where with `--cache DIR`".into()),
            Self::NoDirectory { path, .. } => {
                Some(format!("make it with `mkdir -p {}`, or correct its `path` in the sync", path.display()))
            }
            Self::NoOffered { below, offer, .. } if below.as_os_str().is_empty() => {
                Some(format!("the operator of the server makes the directory `{offer}` again, and lets the server open it"))
            }
            Self::NoOffered { below, offer, .. } => Some(format!(
                "the operator of the server lets it open the directory: in `{offer}`, `mkdir -p {}`; no part of that may be a \
                 symbolic link",
                below.display()
            )),
            Self::WhichSync { known } if known.is_empty() => {
                Some("`cofferdam run SYNC.TOML` is what makes one known; another data directory is named by `--data DIR`".into())
            }
            Self::WhichSync { .. } | Self::SeveralSyncs { .. } => {
                Some("put its name before a number, as in `my-sync/3`, or name its document".into())
            }
            Self::Unconfirmed { .. } => Some("say `--yes`, or type what is asked for at a terminal".into()),
            Self::NoSuchError { .. } => Some("`cofferdam errors list` shows those that there are".into()),
            Self::Unreadable { .. } => Some("restore the newest backup: `cofferdam restore FILE --replace`".into()),
            Self::Stopped => Some("run the same command again: it goes on from the last commit".into()),
            Self::TakenBack { to_allow, .. } => Some(to_allow.clone()),
            Self::NotRunning { .. } => Some("there is nothing to do: the next run reads the document as it is then".into()),
            Self::NoAnswer { .. } => Some("try again later; if it stays so, look whether the system at its other end answers anybody".into()),
            Self::SchemaChanged { .. } => Some("discover the source's connection anew, look at what it has now, and start the sync".into()),
            Self::Unfit { .. } => Some("each is told above with what mends it".into()),
            Self::BadSettings { .. } => Some("`cofferdam serve --help` says what each may be".into()),
            Self::Bug { .. } => Some("please report it, with the command and its output".into()),
            Self::Read { .. }
            | Self::Write { .. }
            | Self::WrongFile { .. }
            | Self::WrongProgram { .. }
            | Self::Output { .. } => None,
        }
    }
}

/// A part of an operator's directory, or all of it.
fn place(below: &Path) -> String {
    if below.as_os_str().is_empty() { "the whole".to_owned() } else { format!("`{}`", below.display()) }
}

fn which_sync(known: &[String]) -> String {
    match known {
        [] => "nothing is known of any sync here".to_owned(),
        _ => format!("which sync is meant? There are `{}`", known.join("`, `")),
    }
}

impl From<Own> for Problem {
    fn from(own: Own) -> Self {
        let mut problem = Self::new(own.code(), own.to_string());
        match &own {
            Own::Read { source, .. }
            | Own::Write { source, .. }
            | Own::NoDirectory { source, .. }
            | Own::NoOffered { source, .. } => {
                problem.causes.push(source.to_string());
            }
            Own::WrongProgram { faults, .. } => {
                problem.details = faults.0.iter().map(ToString::to_string).collect()
            }
            Own::BadSettings { faults } => problem.details.clone_from(faults),
            _ => {}
        }
        match own.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}
