//! What may be wrong with a log, each with its place.

use std::fmt;

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// A line that is no entry as this program writes them.
    NotAnEntry {
        /// In the file, from 1.
        line: u64,
    },
    /// The entry after this one follows another one: this one was edited (or what the next says it follows).
    Edited {
        /// The entry's number.
        number: u64,
        /// In the file, from 1.
        line: u64,
    },
    /// Entries are missing between others.
    Deleted {
        /// The first that is missing.
        from: u64,
        /// The last that is missing.
        to: u64,
        /// The line before which they were.
        line: u64,
    },
    /// An entry that nobody signed, or a second one of the same number.
    Inserted {
        /// The number that it gives itself.
        number: u64,
        /// In the file, from 1.
        line: u64,
    },
    /// An entry that stands behind later ones.
    Reordered {
        /// The entry's number.
        number: u64,
        /// In the file, from 1.
        line: u64,
    },
    /// The log ends before what was signed.
    Truncated {
        /// How many entries there are.
        entries: u64,
        /// How many were signed.
        signed: u64,
    },
    /// Every entry follows the one before it, and yet they are not those that were signed.
    Rewritten {
        /// The first entry that may be another one.
        from: u64,
        /// The last one that may be.
        to: u64,
    },
    /// The log has fewer entries than it once had: an old copy was put back.
    Restored {
        /// How many entries were signed.
        signed: u64,
        /// How many there were when the checkpoint was remembered.
        remembered: u64,
    },
    /// The checkpoint that belongs to the end is not there.
    NoCheckpoint,
    /// The checkpoint is not signed by the key that judges it.
    NotSigned,
    /// The checkpoint is that of another log.
    ForeignCheckpoint {
        /// Of which.
        origin: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnEntry { line } => write!(formatter, "line {line} is no entry"),
            Self::Edited { number, line } => write!(formatter, "entry {number} (line {line}) was edited"),
            Self::Deleted { from, to, line } => {
                write!(formatter, "entries {from} to {to} were deleted before line {line}")
            }
            Self::Inserted { number, line } => {
                write!(formatter, "line {line}, which calls itself entry {number}, was inserted")
            }
            Self::Reordered { number, line } => {
                write!(formatter, "entry {number} was moved to line {line}")
            }
            Self::Truncated { entries, signed } => {
                write!(formatter, "the log ends after {entries} entries of {signed}")
            }
            Self::Rewritten { from, to } => {
                write!(formatter, "entries {from} to {to} are not those that were signed")
            }
            Self::Restored { signed, remembered } => {
                write!(formatter, "an old copy with {signed} entries was put back; there were {remembered}")
            }
            Self::NoCheckpoint => formatter.write_str("the signed checkpoint at the end is missing"),
            Self::NotSigned => formatter.write_str("the checkpoint is not signed by the key of the log"),
            Self::ForeignCheckpoint { origin } => {
                write!(formatter, "the checkpoint is that of another log, `{origin}`")
            }
        }
    }
}
