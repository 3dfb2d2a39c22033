//! Why a call into a connector failed: a guest's error, a guest's trap, a limit, a broken contract and a host's fault
//! are different things and stay so up to the user.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// JSON Pointer into the configuration.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// An error that a connector returned in the contract's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestError {
    /// The configuration is wrong.
    Config(Vec<FieldFault>),
    /// The other system refused the credential.
    Unauthorized(String),
    /// The host refused a right.
    Denied(String),
    /// The other system asked for fewer calls.
    RateLimited {
        /// What was said.
        message: String,
        /// How long to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The network or the other system failed for now.
    Transient {
        /// What was said.
        message: String,
        /// How long to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The other system's data cannot be read on from here.
    Data(String),
    /// The connector says that it is wrong itself.
    Bug(String),
}

/// One frame of a guest's stack, innermost first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The function's name, demangled.
    pub function: String,
    /// File and line, where the component kept them.
    pub place: Option<String>,
}

/// What happened in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The connector returned an error.
    Guest(GuestError),
    /// The connector crashed: a panic, an out-of-bounds access, a stack overflow, an exit.
    Trap {
        /// What crashed it, with the panic's message where there was one.
        message: String,
        /// Where, without the machinery of panics.
        frames: Vec<Frame>,
    },
    /// The connector ran into a limit.
    Limit {
        /// The limit's name, as in a manifest's `[limits]`.
        name: String,
        /// How much is allowed, with its unit.
        allowed: String,
        /// What it tried.
        message: String,
    },
    /// The connector broke the contract: wrong counts, broken columns, unknown streams.
    Contract(String),
    /// The connector cannot be loaded: corrupt, unknown contract, forbidden import. The first text is a stable code.
    Load {
        /// Stable code of the page that explains it.
        code: String,
        /// What is wrong.
        message: String,
    },
    /// The run is recorded or replayed, and that cannot go on. The first text is a stable code.
    Cassette {
        /// Stable code of the page that explains it.
        code: String,
        /// Why not.
        message: String,
    },
    /// As many instances live as this host can hold; others will end, so trying again helps.
    NoRoom(String),
    /// The machine gave no memory for an instance, or for one that grows: neither the connector's fault nor a bug.
    OutOfMemory(String),
    /// The worker process in which it ran died, was silent or broke off: what was not committed is read again.
    WorkerLost(String),
    /// This version of the connector took too many workers with it, and gets no other.
    Quarantined(String),
    /// The host itself is at fault.
    Host(String),
    /// The run was stopped and the call was abandoned.
    Stopped,
}

/// A failed call: what happened, in which connector, in which call, and its last words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened.
    pub cause: Cause,
    /// The connector's name.
    pub connector: String,
    /// The call of the contract, such as `reader.next`.
    pub call: String,
    /// The connector's last log lines, oldest first.
    pub log_tail: Vec<String>,
    /// What the host refused during the run so far, each with the line that would allow it.
    pub denials: Vec<String>,
}

impl Failure {
    /// The stable code of the page that explains this kind of failure.
    pub fn code(&self) -> &str {
        match &self.cause {
            Cause::Guest(GuestError::Config(_)) => "CD0601",
            Cause::Guest(GuestError::Unauthorized(_)) => "CD0602",
            Cause::Guest(GuestError::Denied(_)) => "CD0603",
            Cause::Guest(GuestError::RateLimited { .. }) => "CD0604",
            Cause::Guest(GuestError::Transient { .. }) => "CD0605",
            Cause::Guest(GuestError::Data(_)) => "CD0606",
            Cause::Guest(GuestError::Bug(_)) => "CD0607",
            Cause::Trap { .. } => "CD0610",
            Cause::Contract(_) => "CD0611",
            Cause::Limit { .. } => "CD0501",
            Cause::Load { code, .. } | Cause::Cassette { code, .. } => code,
            Cause::Host(_) => "CD0620",
            Cause::Stopped => "CD0621",
            Cause::NoRoom(_) => "CD0622",
            Cause::OutOfMemory(_) => "CD0623",
            Cause::WorkerLost(_) => "CD1401",
            Cause::Quarantined(_) => "CD1402",
        }
    }
}

impl Failure {
    /// The same failure without any text that came from the connector, or that may quote one: for places where no row data
    /// may stand. `instead` takes their place.
    #[must_use]
    pub fn without_texts(self, instead: &str) -> Self {
        let cause = match self.cause {
            Cause::Guest(error) => Cause::Guest(error.without_texts(instead)),
            Cause::Trap { frames, .. } => Cause::Trap { message: instead.into(), frames },
            Cause::Limit { name, allowed, .. } => Cause::Limit { name, allowed, message: instead.into() },
            Cause::Contract(_) => Cause::Contract(instead.into()),
            Cause::Load { code, .. } => Cause::Load { code, message: instead.into() },
            // It may quote a request.
            Cause::Cassette { code, .. } => Cause::Cassette { code, message: instead.into() },
            Cause::Host(_) => Cause::Host(instead.into()),
            // A worker's last words may be its guest's.
            Cause::WorkerLost(_) => Cause::WorkerLost(instead.into()),
            Cause::Quarantined(_) => Cause::Quarantined(instead.into()),
            Cause::Stopped => Cause::Stopped,
            // The host's own words, about the machine.
            cause @ (Cause::NoRoom(_) | Cause::OutOfMemory(_)) => cause,
        };
        // A denial names the address that was asked for, which the connector chose.
        Self { cause, log_tail: Vec::new(), denials: Vec::new(), ..self }
    }
}

impl GuestError {
    fn without_texts(self, instead: &str) -> Self {
        let message = || instead.to_owned();
        match self {
            Self::Config(faults) => {
                let without = |fault: FieldFault| FieldFault { message: message(), ..fault };
                Self::Config(faults.into_iter().map(without).collect())
            }
            Self::Unauthorized(_) => Self::Unauthorized(message()),
            Self::Denied(_) => Self::Denied(message()),
            Self::RateLimited { retry_after_ms, .. } => {
                Self::RateLimited { message: message(), retry_after_ms }
            }
            Self::Transient { retry_after_ms, .. } => Self::Transient { message: message(), retry_after_ms },
            Self::Data(_) => Self::Data(message()),
            Self::Bug(_) => Self::Bug(message()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connector `{}` in `{}`: {}", self.connector, self.call, self.cause)
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest(error) => error.fmt(f),
            Self::Trap { message, frames } => {
                write!(f, "crashed: {message}")?;
                for frame in frames {
                    write!(f, "\n  in {}", frame.function)?;
                    if let Some(place) = &frame.place {
                        write!(f, " ({place})")?;
                    }
                }
                Ok(())
            }
            Self::Limit { name, allowed, message } => {
                write!(f, "reached the limit `{name}` ({allowed}): {message}")
            }
            Self::Contract(what) => write!(f, "broke the contract: {what}"),
            Self::Load { message, .. } => write!(f, "cannot be loaded: {message}"),
            Self::Cassette { message, .. } => f.write_str(message),
            Self::NoRoom(what) => write!(f, "there is no room for another instance: {what}"),
            Self::OutOfMemory(what) => write!(f, "the machine gave no memory: {what}"),
            Self::WorkerLost(what) => write!(f, "its worker process was lost: {what}"),
            Self::Quarantined(what) => write!(f, "is quarantined: {what}"),
            Self::Host(what) => write!(f, "the host failed: {what}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl fmt::Display for GuestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(faults) => {
                f.write_str("the configuration is wrong")?;
                for fault in faults {
                    let place = if fault.path.is_empty() { "/" } else { &fault.path };
                    write!(f, "\n  at `{place}`: {}", fault.message)?;
                }
                Ok(())
            }
            Self::Unauthorized(message) => write!(f, "not authorized: {message}"),
            Self::Denied(message) => write!(f, "denied: {message}"),
            Self::RateLimited { message, .. } => write!(f, "asked to slow down: {message}"),
            Self::Transient { message, .. } => write!(f, "failed for now: {message}"),
            Self::Data(message) => write!(f, "cannot read the data: {message}"),
            Self::Bug(message) => write!(f, "reports a bug of its own: {message}"),
        }
    }
}
