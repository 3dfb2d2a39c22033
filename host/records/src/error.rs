//! Why records cannot be read or changed as a command wants it.

use pipeline::records as port;

/// Why records cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is stored opens and is not what this version writes.
    #[error("a record of the table `{table}` cannot be read: {message}")]
    Unreadable {
        /// The table.
        table: String,
        /// What is wrong with it.
        message: String,
    },
    /// A command wants what only may be done while the sync does not run.
    #[error("the sync `{sync}` runs")]
    Running {
        /// The sync.
        sync: String,
    },
    /// Nothing is known of a sync.
    #[error("nothing is known of a sync `{sync}`{}", listed(known))]
    UnknownSync {
        /// The name that was asked for.
        sync: String,
        /// The names that are known.
        known: Vec<String>,
    },
    /// Nothing is known of a run.
    #[error("the sync `{sync}` has no run {run}; its newest is {newest}")]
    UnknownRun {
        /// The sync.
        sync: String,
        /// The run that was asked for.
        run: u64,
        /// The newest run.
        newest: u64,
    },
    /// Nothing is known of a commit unit.
    #[error("the sync `{sync}` has no position `{unit}`{}", listed(known))]
    UnknownUnit {
        /// The sync.
        sync: String,
        /// The unit that was asked for.
        unit: String,
        /// The units that are known.
        known: Vec<String>,
    },
    /// A position that cannot be one.
    #[error("the position is not one JSON value: {message}")]
    BadCheckpoint {
        /// What is wrong.
        message: String,
    },
    /// A condition on row errors that cannot be judged.
    #[error("the condition on the field `{field}` cannot be judged: {message}")]
    BadCondition {
        /// The field.
        field: String,
        /// What is wrong.
        message: String,
    },
    /// Data would be kept for longer than the product promises.
    #[error("`{setting}` of {wanted_ms} ms is longer than the promised {longest_ms} ms")]
    RetentionTooLong {
        /// The setting.
        setting: &'static str,
        /// What was asked for.
        wanted_ms: u64,
        /// The promise.
        longest_ms: u64,
    },
    /// Data would end before it is written.
    #[error("`{setting}` of {wanted_ms} ms is shorter than an hour")]
    RetentionTooShort {
        /// The setting.
        setting: &'static str,
        /// What was asked for.
        wanted_ms: u64,
    },
    /// A text that names no row error.
    #[error("`{text}` names no row error: a run and a number are, as in `12-345`")]
    BadErrorId {
        /// The text.
        text: String,
    },
    /// The same record is changed again and again while we try to.
    #[error("a record of the table `{table}` was changed {attempts} times while it was to be changed here")]
    Contended {
        /// The table.
        table: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// Rows of a run are to be sent through again, and there are none to send.
    #[error(
        "run {run} of the sync `{sync}` has no row error that can be sent through again: {kept_without_row} are kept without their row, {superseded} are superseded"
    )]
    NothingToReprocess {
        /// The sync.
        sync: String,
        /// The run.
        run: u64,
        /// Row errors of which there is no row.
        kept_without_row: u64,
        /// Row errors whose key was accepted since.
        superseded: u64,
    },
    /// What somebody chose to send through again is not known any more.
    #[error("nothing is known any more of what was chosen to be sent through again (`{request}`)")]
    UnknownRequest {
        /// The choice.
        request: String,
    },
    /// A position is not where it was when somebody looked.
    #[error("the position `{unit}` of the sync `{sync}` has moved since it was looked at")]
    PositionMoved {
        /// The sync.
        sync: String,
        /// The unit.
        unit: String,
    },
    /// Nothing is kept under a name.
    #[error("there is no credential `{name}`{}", listed(known))]
    UnknownCredential {
        /// The name that was asked for.
        name: String,
        /// The names that are known.
        known: Vec<String>,
    },
    /// A credential cannot be kept as it is.
    #[error("the credential `{name}` cannot be kept: {reason}")]
    BadCredential {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The name is that of a credential for something else.
    #[error("the name `{name}` is that of the credential for `{ask}` of `{connector}`")]
    CredentialTaken {
        /// The name.
        name: String,
        /// The ask that it is for.
        ask: String,
        /// Of which connector.
        connector: String,
    },
    /// Somebody else has changed a credential meanwhile.
    #[error("the credential `{name}` was changed or entered anew meanwhile")]
    CredentialChanged {
        /// Its name.
        name: String,
    },
    /// A credential of another connector, or for another ask of the same one.
    #[error("the credential `{name}` was entered for `{kept}`, not for `{wanted}`")]
    CredentialOfAnother {
        /// Its name.
        name: String,
        /// What it was entered for.
        kept: String,
        /// What it was to be used for.
        wanted: String,
    },
    /// The ask has changed since the credential was entered.
    #[error("the credential `{name}` was entered as {entered}, and is asked for as {now} now")]
    CredentialBinding {
        /// Its name.
        name: String,
        /// Kind and audience when it was entered.
        entered: String,
        /// Kind and audience of today.
        now: String,
    },
    /// What the port says.
    #[error(transparent)]
    Port(#[from] port::Error),
    /// Storage refuses.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; known are `{}`", names.join("`, `")) }
}

impl Error {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "CD1050",
            Self::Running { .. } => "CD1051",
            Self::UnknownSync { .. } => "CD1052",
            Self::UnknownRun { .. } => "CD1053",
            Self::UnknownUnit { .. } => "CD1054",
            Self::BadCheckpoint { .. } => "CD1055",
            Self::BadCondition { .. } => "CD1056",
            Self::RetentionTooLong { .. } => "CD1057",
            Self::BadErrorId { .. } => "CD1058",
            Self::Contended { .. } => "CD1059",
            Self::NothingToReprocess { .. } => "CD1060",
            Self::RetentionTooShort { .. } => "CD1061",
            Self::UnknownCredential { .. } => "CD1062",
            Self::BadCredential { .. } => "CD1063",
            Self::CredentialTaken { .. } => "CD1064",
            Self::CredentialChanged { .. } => "CD1065",
            Self::CredentialOfAnother { .. } => "CD1066",
            Self::CredentialBinding { .. } => "CD1067",
            Self::UnknownRequest { .. } => "CD1068",
            Self::PositionMoved { .. } => "CD1069",
            Self::Port(error) => error.code(),
            Self::Storage(error) => error.code(),
        }
    }

    /// As the port tells it to the run.
    pub(crate) fn of_run(self, operation: &str, ticket: &port::RunTicket) -> port::Error {
        match self {
            Self::Storage(storage::Error::Fenced { .. }) => {
                port::Error::Fenced { sync: ticket.sync.clone(), run: ticket.run }
            }
            other => other.into_port(operation),
        }
    }

    /// As the port tells it.
    pub(crate) fn into_port(self, operation: &str) -> port::Error {
        match self {
            Self::Port(error) => error,
            Self::Unreadable { table, message } => port::Error::Corrupt { place: table, message },
            other => port::Error::Unavailable {
                operation: operation.into(),
                place: "storage".into(),
                message: format!("{other} ({})", other.code()),
            },
        }
    }
}
