//! The errors of the other crates as problems.

use std::error::Error as _;

use grants::Unmet;
use manifest::Faults;
use pipeline::failure::{Cause, Failure, GuestError};

use super::{Problem, Whose};

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        let count = faults.faults.len() + faults.left_out;
        let message = match count {
            1 => format!("`{}` has a fault", faults.file),
            _ => format!("`{}` has {count} faults", faults.file),
        };
        let mut problem = Self::new(faults.code(), message);
        problem.details = faults.to_string().lines().map(ToOwned::to_owned).collect();
        problem.faults = serde_json::to_value(&faults).ok();
        problem
    }
}

impl From<runtime::Error> for Problem {
    fn from(error: runtime::Error) -> Self {
        let text = error.to_string();
        let mut lines = text.lines();
        let mut problem = Self::new(error.code(), lines.next().unwrap_or_default());
        problem.details = lines.map(ToOwned::to_owned).collect();
        problem.causes.extend(error.source().map(ToString::to_string));
        problem
    }
}

impl From<worker::Error> for Problem {
    fn from(error: worker::Error) -> Self {
        let mut problem = Self::new(error.code(), error.to_string());
        problem.causes.extend(error.source().map(ToString::to_string));
        match error {
            worker::Error::NotAWorker { .. } => {
                problem.hint("nobody needs to: `cofferdam run --worker` starts its workers itself")
            }
            _ => problem.hint("without `--worker` connectors run in this process, in the same sandbox"),
        }
    }
}

impl From<worker::NotCompiled> for Problem {
    fn from(error: worker::NotCompiled) -> Self {
        match error {
            worker::NotCompiled::Process(error) => error.into(),
            error => Self::new(error.code().to_owned(), error.to_string()).hint(
                "the component is at fault, unless this machine is short of memory: tell its publisher, or use another version",
            ),
        }
    }
}

impl From<egress::Error> for Problem {
    fn from(error: egress::Error) -> Self {
        let mut problem = Self::new(error.code(), error.to_string());
        problem.causes.extend(error.source().map(ToString::to_string));
        problem
    }
}

impl From<cassette::Error> for Problem {
    fn from(error: cassette::Error) -> Self {
        use cassette::Error;
        let mut problem = Self::new(error.code(), error.to_string());
        problem.causes.extend(error.source().map(ToString::to_string));
        match error {
            Error::Unmatched { request, differs } => {
                problem.message = format!("the request `{request}` is not on the cassette");
                problem.details = differs;
                problem.hint("if the connector or its configuration is meant to ask for that, record anew with `--record`")
            }
            Error::Write { .. } => {
                problem.hint("make room there, or give the right to write, and record anew")
            }
            Error::NotEmpty { .. } => problem.hint("name a new folder, or remove what is in this one"),
            Error::Newer { .. } => problem.hint("use the newer cofferdam that wrote it"),
            Error::Incomplete { .. } | Error::Corrupt { .. } => problem.hint("record anew with `--record`"),
            Error::TooLong { .. } => problem.hint("record fewer rows: `limit` of a stream bounds them"),
            _ => problem,
        }
    }
}

impl From<vault::Error> for Problem {
    fn from(error: vault::Error) -> Self {
        let mut problem = Self::new(error.code(), error.to_string());
        problem.causes.extend(error.source().map(ToString::to_string));
        match hint_of_keys(&error) {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

/// In the words of this command line; what more there is to say is on the error's page.
fn hint_of_keys(error: &vault::Error) -> Option<&'static str> {
    use vault::Error;
    Some(match error {
        Error::Missing { what: "key file", .. } => {
            "if it was moved, say where it is with `--key-file PATH`; if it is lost, `cofferdam keys import` brings the keys \
             back from an export"
        }
        Error::Missing { what: "shred file", .. } => {
            "if it was moved, say where it is with `--shred-key PATH`"
        }
        Error::KekUnknown { .. } => "name the key file that goes with this keyring with `--key-file PATH`",
        Error::WrongPassphrase => "try again, with the keyboard layout under which it was set",
        Error::WeakPassphrase { .. } => "choose a longer one: four or five unusual words are easy to keep",
        Error::SlotMissing { .. } => {
            "name the shred file that goes with this keyring with `--shred-key PATH`"
        }
        Error::SlotInside { .. } => {
            "put it elsewhere: a backup of the directory would hold both, and erase nothing"
        }
        Error::OtherDeployment { .. } => {
            "name the files that belong together: key file, keyring and data directory"
        }
        Error::Newer { .. } => "use the newer cofferdam that wrote it",
        Error::Shredded { .. } => {
            "put the newest keyring back: this one is a copy from before something was deleted"
        }
        Error::Exposed { .. } => "take the rights of others away: `chmod 600`",
        Error::ExportKey { .. } => "name the recovery key with which the export was made",
        Error::RecoveryKey { .. } => "compare it with what was written down, digit by digit",
        Error::KekUnchanged { .. } => {
            "put the new credential in its place first, and the former one beside it as `NAME.previous`"
        }
        _ => return None,
    })
}

impl From<control::Error> for Problem {
    fn from(error: control::Error) -> Self {
        match error {
            control::Error::Storage(error) => error.into(),
            error => {
                let mut problem = Self::new(error.code(), error.to_string());
                problem.causes.extend(error.source().map(ToString::to_string));
                match error {
                    control::Error::DirectoryNotOffered { line, .. } => problem.hint(format!(
                        "in the settings of the server `{line}` would; or an admin grants another one"
                    )),
                    _ => problem,
                }
            }
        }
    }
}

impl From<api::Error> for Problem {
    fn from(error: api::Error) -> Self {
        let mut problem = Self::new(error.code(), error.to_string());
        problem.causes.extend(error.source().map(ToString::to_string));
        match error {
            api::Error::PlainNotLoopback { .. } => problem.hint(
                "name `--tls-certificate` and `--tls-key`, or `--acme-names`, or listen on `127.0.0.1`",
            ),
            api::Error::OperationsOpen { .. } => {
                problem.hint("name `--operations-token-file`, or let operations listen on `127.0.0.1`")
            }
            api::Error::Listen { .. } => problem.hint("name another address with `--listen`"),
            api::Error::TlsFile { .. } | api::Error::Tls(_) => {
                problem.hint("name the chain of certificates and its private key, both as PEM")
            }
        }
    }
}

impl From<acme::Error> for Problem {
    fn from(error: acme::Error) -> Self {
        match error {
            acme::Error::Storage(error) => error.into(),
            error => {
                let mut problem = Self::new(error.code(), error.to_string());
                problem.causes.extend(error.source().map(ToString::to_string));
                problem.hint(error.hint())
            }
        }
    }
}

impl From<storage::Error> for Problem {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Keys(error) => error.into(),
            error => {
                let problem = Self::new(error.code(), error.to_string());
                match &error {
                    storage::Error::RestoreUnfinished => {
                        problem.hint("restore the backup into another, empty data directory")
                    }
                    storage::Error::Engine(storage::EngineError::Unavailable { .. }) => problem
                        .hint("make room there, or give the right to write, and run again: nothing is lost"),
                    storage::Error::Engine(storage::EngineError::Stopped { .. }) => {
                        problem.hint("run again: what was acknowledged is there")
                    }
                    _ => problem,
                }
            }
        }
    }
}

impl From<storage::sled::OpenError> for Problem {
    fn from(error: storage::sled::OpenError) -> Self {
        use storage::sled::OpenError;
        let mut problem = Self::new(error.code(), error.to_string());
        problem.causes.extend(error.source().map(ToString::to_string));
        match &error {
            OpenError::Full { .. } => problem.hint("make room there and run again: what was committed stays"),
            OpenError::NewerFormat { .. } => problem.hint("use the newer cofferdam that wrote it"),
            OpenError::Broken { .. } | OpenError::Damaged { .. } => problem.hint(
                "nothing was changed; `cofferdam restore BACKUP --data DIR` makes a data directory out of a backup",
            ),
            _ => problem,
        }
    }
}

impl From<storage::BackupError> for Problem {
    fn from(error: storage::BackupError) -> Self {
        use storage::BackupError;
        let code = error.code();
        match error {
            BackupError::Storage(error) => error.into(),
            error => {
                let mut problem = Self::new(code, error.to_string());
                problem.causes.extend(error.source().map(ToString::to_string));
                match &error {
                    BackupError::NotEmpty => {
                        problem.hint("name an empty data directory that has its keyring")
                    }
                    BackupError::Damaged { .. } | BackupError::CutOff { .. } => {
                        problem.hint("take an earlier backup, or another copy of this one")
                    }
                    _ => problem,
                }
            }
        }
    }
}

impl From<records::Error> for Problem {
    fn from(error: records::Error) -> Self {
        use records::Error;
        let problem = match error {
            Error::Port(error) => return pipeline::Error::from(error).into(),
            Error::Storage(error) => return error.into(),
            error => (error.code(), error.to_string(), error),
        };
        let (code, message, error) = problem;
        let problem = Self::new(code, message);
        match error {
            Error::Running { .. } => problem.hint("wait until it has ended, or stop it"),
            Error::UnknownSync { .. } | Error::UnknownRun { .. } => {
                problem.hint("`cofferdam runs list` shows what there is")
            }
            Error::UnknownUnit { .. } => problem.hint("`cofferdam checkpoints show` shows what there is"),
            Error::BadErrorId { .. } => problem.hint("`cofferdam errors list` shows the ids"),
            Error::NothingToReprocess { superseded: 1.., .. } => {
                problem.hint("`--force` sends superseded rows too: they may overwrite newer ones")
            }
            _ => problem,
        }
    }
}

impl From<pipeline::Error> for Problem {
    fn from(error: pipeline::Error) -> Self {
        use pipeline::Error;
        if let Error::Failure(failure) = &error {
            return Self::from(&**failure);
        }
        let mut problem = Self::new(error.code(), error.to_string());
        if let Error::RowRejected { row: Some(row), .. } = &error {
            problem.details.push(format!("the row: {row}"));
        }
        let ours = matches!(error, Error::Internal { .. } | Error::CountersUnbalanced { .. })
            || matches!(error, Error::Records(pipeline::records::Error::Disorder { .. }));
        problem.whose = if ours { Whose::Ours } else { Whose::Yours };
        problem
    }
}

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        let text = failure.to_string();
        let mut lines = text.lines();
        let mut problem = Self::new(failure.code(), lines.next().unwrap_or_default());
        problem.details = lines.map(ToOwned::to_owned).collect();
        problem.log_tail = failure.log_tail.clone();
        for denial in &failure.denials {
            match denial.split_once("\nto allow it, add\n") {
                Some((what, lines)) => problem = problem.caused_by(what).allowed_by(lines),
                None => problem = denied(problem, denial),
            }
        }
        if matches!(failure.cause, Cause::Host(_)) {
            problem.whose = Whose::Ours;
        }
        if let Cause::Guest(GuestError::Unauthorized(_)) = &failure.cause {
            problem = problem.hint(
                "`cofferdam credentials list` shows what is sent where; `cofferdam credentials rotate NAME` enters other secrets",
            );
        }
        // Some limits are the same for all connectors: no document knows their names.
        if let Cause::Limit { name, .. } = &failure.cause
            && manifest::Limits::KEYS.iter().any(|(key, _)| key == name)
        {
            problem = problem.hint(format!("raise `{name}` under `limits` of the connection in the sync"));
        }
        problem
    }
}

/// In the first line what was denied, below it what would help.
fn denied(problem: Problem, denial: &str) -> Problem {
    let mut lines = denial.lines();
    let problem = problem.caused_by(lines.next().unwrap_or_default());
    lines.fold(problem, Problem::hint)
}

impl From<&Unmet> for Problem {
    fn from(unmet: &Unmet) -> Self {
        let problem = Self::new(unmet.code.as_str(), unmet.message.clone());
        match &unmet.line_to_add {
            Some(lines) => problem.allowed_by(lines),
            None => problem,
        }
    }
}
