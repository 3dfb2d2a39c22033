//! Why a run or a part of it failed, where it is not one connector's call that failed.

use crate::failure::Failure;
use crate::model::Mode;
use crate::records;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A failure of a run. All that is known is in the fields, so that a report can keep it and another process can read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Error {
    /// A stream was chosen that the source does not have.
    #[error("the source has no stream `{stream}`{}", hint(suggestion.as_deref()))]
    UnknownStream {
        /// The name that was asked for.
        stream: String,
        /// The name that may have been meant.
        suggestion: Option<String>,
    },
    /// A stream was chosen twice.
    #[error("the stream `{stream}` is chosen twice")]
    StreamChosenTwice {
        /// The stream.
        stream: String,
    },
    /// A field was chosen, or used in a filter, that the stream does not have.
    #[error("the stream `{stream}` has no field `{field}`{}", hint(suggestion.as_deref()))]
    UnknownField {
        /// The stream.
        stream: String,
        /// The name that was asked for.
        field: String,
        /// The name that may have been meant.
        suggestion: Option<String>,
    },
    /// A condition cannot be judged.
    #[error("the filter of the stream `{stream}`: the field `{field}` {reason}")]
    BadFilter {
        /// The stream.
        stream: String,
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// The destination does not know the mode.
    #[error("the destination does not know the mode `{}`, which is chosen for the stream `{stream}`", Word(*mode))]
    ModeNotSupported {
        /// The stream.
        stream: String,
        /// The mode.
        mode: Mode,
    },
    /// A mode that finds rows by their key, for rows without one.
    #[error("the mode `{}` needs a key, and the rows of the stream `{stream}` have none", Word(*mode))]
    KeyMissing {
        /// The stream.
        stream: String,
        /// The mode.
        mode: Mode,
    },
    /// The destination cannot keep a field.
    #[error("the destination refuses the field `{field}` of the stream `{stream}`: {reason}")]
    FieldRefused {
        /// The stream.
        stream: String,
        /// The field.
        field: String,
        /// What the destination says.
        reason: String,
    },
    /// The destination knows none of the operations of a stream.
    #[error("the destination knows none of the operations of the stream `{stream}`")]
    OperationsNotSupported {
        /// The stream.
        stream: String,
    },
    /// One read group would be refilled in part.
    #[error("the read group `{group}` mixes the mode `replace` with others")]
    MixedReplace {
        /// The read group.
        group: String,
    },
    /// The streams of a group have one position, and it is past rows of a stream that was not read so far.
    #[error(
        "the stream `{stream}` was not read so far, and the read group `{group}` stands past some of its rows"
    )]
    StreamAdded {
        /// The read group.
        group: String,
        /// The stream.
        stream: String,
    },
    /// Row errors were to be added to what a refill is about to replace.
    #[error("the read group `{group}` is being refilled, and the refill is not complete")]
    RefillUnderWay {
        /// The read group.
        group: String,
    },
    /// A transform makes a stream for which no mode is chosen, and the streams of its group have different ones.
    #[error("no mode is chosen for the stream `{stream}`, which a transform makes")]
    ModeUnknown {
        /// The output stream.
        stream: String,
    },
    /// The destination wants another layout each time it is asked.
    #[error("the destination settles on no layout for the stream `{stream}`")]
    LayoutNotAgreed {
        /// The stream.
        stream: String,
    },
    /// A setting of the run that makes no sense.
    #[error("the setting `{setting}` {reason}")]
    BadSetting {
        /// The setting.
        setting: String,
        /// What is wrong.
        reason: String,
    },
    /// A row was rejected, and the policy is to fail.
    #[error("row {index} of the stream `{stream}` was rejected: {code}{}", after_colon(message))]
    RowRejected {
        /// The stream.
        stream: String,
        /// Counts the rows of the stream in this run, from 0.
        index: u64,
        /// The reject's code.
        code: String,
        /// The reject's message; empty where no row data is kept.
        message: String,
        /// The row as JSON, for people.
        row: Option<String>,
    },
    /// More rows were rejected than the policy allows.
    #[error("{rejected} rows were rejected, allowed are {allowed}")]
    TooManyRejects {
        /// How many.
        rejected: u64,
        /// How many may be.
        allowed: u64,
    },
    /// A larger part of the rows was rejected than the policy allows.
    #[error("{rejected} of {read} rows were rejected, allowed is a part of {allowed}")]
    RejectRateTooHigh {
        /// How many.
        rejected: u64,
        /// Of how many.
        read: u64,
        /// The part that may be, 0 to 1.
        allowed: f64,
    },
    /// The rejected rows that wait for a commit fill the memory.
    #[error("{bytes} bytes of rejected rows wait for a commit, allowed are {allowed}")]
    TooManyRowsWaiting {
        /// How much.
        bytes: u64,
        /// How much may be.
        allowed: u64,
    },
    /// Transforms made far more of a batch than it was.
    #[error("the transforms made {bytes} bytes of one batch of the stream `{stream}`, allowed are {allowed}")]
    TransformedTooLarge {
        /// The source's stream.
        stream: String,
        /// How much.
        bytes: u64,
        /// How much may be.
        allowed: u64,
    },
    /// A secret stands where it can be neither blanked nor left out without changing what is said.
    #[error("the {connector} gave {what} with the secret of the credential `{credential}` in it")]
    SecretGiven {
        /// The connector's role: `source`, `transform 0`, …
        connector: String,
        /// The credential.
        credential: String,
        /// In what.
        what: String,
    },
    /// Run records cannot be read or written.
    #[error(transparent)]
    Records(#[from] records::Error),
    /// Rows were lost or counted twice by the host itself.
    #[error("the counters of the stream `{stream}` do not balance: {read} read, {settled} accounted for")]
    CountersUnbalanced {
        /// The stream.
        stream: String,
        /// Rows read.
        read: u64,
        /// Rows accepted, rejected or filtered.
        settled: u64,
    },
    /// The source answers and answers, and nothing comes.
    #[error("the source answered {pages} times in a row without a row, a new checkpoint or a wait")]
    NoProgress {
        /// How many pages.
        pages: u64,
    },
    /// The other system asked to wait for longer than a run waits.
    #[error("the other system's rate limit was waited for {waited_ms} ms without any progress: {failure}")]
    RateLimitedTooLong {
        /// How long.
        waited_ms: u64,
        /// What it said last.
        failure: Box<Failure>,
    },
    /// Whoever was to begin the run could not make its connectors ready.
    #[error("{message}")]
    NotReady {
        /// Stable code of the page that explains it.
        code: String,
        /// Why not.
        message: String,
    },
    /// The host itself is at fault.
    #[error("the host is at fault: {message}")]
    Internal {
        /// What is known.
        message: String,
    },
    /// A connector's call failed.
    #[error("{0}")]
    Failure(Box<Failure>),
}

impl Error {
    /// The stable code of the page that explains it.
    pub fn code(&self) -> &str {
        match self {
            Self::UnknownStream { .. } => "CD0701",
            Self::StreamChosenTwice { .. } => "CD0702",
            Self::UnknownField { .. } => "CD0703",
            Self::BadFilter { .. } => "CD0704",
            Self::ModeNotSupported { .. } => "CD0705",
            Self::KeyMissing { .. } => "CD0706",
            Self::FieldRefused { .. } => "CD0707",
            Self::OperationsNotSupported { .. } => "CD0708",
            Self::MixedReplace { .. } => "CD0709",
            Self::ModeUnknown { .. } => "CD0710",
            Self::LayoutNotAgreed { .. } => "CD0711",
            Self::BadSetting { .. } => "CD0712",
            Self::StreamAdded { .. } => "CD0713",
            Self::RefillUnderWay { .. } => "CD0714",
            Self::RowRejected { .. } => "CD0720",
            Self::TooManyRejects { .. } => "CD0721",
            Self::RejectRateTooHigh { .. } => "CD0722",
            Self::TooManyRowsWaiting { .. } => "CD0723",
            Self::TransformedTooLarge { .. } => "CD0724",
            Self::SecretGiven { .. } => "CD0725",
            Self::Records(error) => error.code(),
            Self::CountersUnbalanced { .. } => "CD0740",
            Self::NoProgress { .. } => "CD0741",
            Self::RateLimitedTooLong { .. } => "CD0742",
            Self::NotReady { code, .. } => code,
            Self::Internal { .. } => "CD0743",
            Self::Failure(failure) => failure.code(),
        }
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::Internal { message: message.into() }
    }
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// A mode by its word in `sync.toml`.
struct Word(Mode);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Mode::Append => "append",
            Mode::Upsert => "upsert",
            Mode::Mirror => "mirror",
            Mode::Replace => "replace",
        })
    }
}

/// The name that was probably meant.
pub(crate) fn suggestion<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    const ALIKE_MIN: f64 = 0.8;
    let lower = wanted.to_lowercase();
    known
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(alike, _)| *alike >= ALIKE_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests;
