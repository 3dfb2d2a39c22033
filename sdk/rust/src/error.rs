//! Why a call failed, in the words on which the host acts. `?` turns the errors of `std::io`, `serde_json` and
//! [`crate::http`] into it.

use std::{fmt, io, time::Duration};

use crate::bindings::shared::cofferdam::connector::types::{FieldFault, RetryHint};

/// What every call of a connector answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. After any error the host drops the instance; where it tries again, it opens a fresh one at the
/// last committed checkpoint. A connector therefore never retries by itself.
///
/// ```
/// use cofferdam_sdk::Error;
///
/// let error = Error::config("/api/url", "must start with https://").context("while checking");
/// assert_eq!(error.to_string(), "faulty configuration: `/api/url` while checking: must start with https://");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// The configuration is wrong; the host shows each fault at its field.
    Config(Vec<FieldFault>),
    /// The other system refused the credential.
    Unauthorized(String),
    /// The host refused a right (a host name, a directory).
    Denied(String),
    /// The other system asked for fewer calls: the host waits, then tries again.
    RateLimited(RetryHint),
    /// The network or the other system failed for now: the host tries again with backoff.
    Transient(RetryHint),
    /// The other system's data cannot be read on from here. (One bad row is a reject and no error.)
    Data(String),
    /// The connector itself is wrong.
    Bug(String),
}

impl Error {
    /// One fault of the configuration; `path` is a JSON Pointer such as `/api/url`, "" is the whole of it.
    pub fn config(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Config(vec![FieldFault { path: path.into(), message: message.into() }])
    }

    /// The other system refused the credential.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::Unauthorized(message.into())
    }

    /// The host refused a right; the message names it.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::Denied(message.into())
    }

    /// The other system asked for fewer calls, and perhaps for how long.
    pub fn rate_limited(message: impl Into<String>, retry_after: Option<Duration>) -> Self {
        Self::RateLimited(RetryHint {
            message: message.into(),
            retry_after_ms: retry_after.map(whole_milliseconds),
        })
    }

    /// Something that time may heal.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient(RetryHint { message: message.into(), retry_after_ms: None })
    }

    /// The other system's data cannot be read on from here.
    pub fn data(message: impl Into<String>) -> Self {
        Self::Data(message.into())
    }

    /// The connector itself is wrong.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::Bug(message.into())
    }

    /// What an HTTP status that is no success means: 401 and 403 `unauthorized`, 429 `rate-limited`, 408 and 5xx
    /// `transient` (both with the wait that the other system asked for), all else `data`.
    pub fn from_status(status: u16, retry_after: Option<Duration>, message: impl Into<String>) -> Self {
        let hint = |message| RetryHint { message, retry_after_ms: retry_after.map(whole_milliseconds) };
        match status {
            401 | 403 => Self::unauthorized(message),
            429 => Self::RateLimited(hint(message.into())),
            408 | 500..=599 => Self::Transient(hint(message.into())),
            _ => Self::data(message),
        }
    }

    /// Put before the message what was being done.
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        match &mut self {
            Self::Config(faults) => {
                for fault in faults {
                    fault.message = format!("{doing}: {}", fault.message);
                }
            }
            Self::Unauthorized(message)
            | Self::Denied(message)
            | Self::Data(message)
            | Self::Bug(message) => {
                *message = format!("{doing}: {message}");
            }
            Self::RateLimited(hint) | Self::Transient(hint) => {
                hint.message = format!("{doing}: {}", hint.message)
            }
        }
        self
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(faults) => {
                formatter.write_str("faulty configuration:")?;
                for (index, fault) in faults.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ";" };
                    write!(formatter, "{separator} `{}` {}", fault.path, fault.message)?;
                }
                Ok(())
            }
            Self::Unauthorized(message) => write!(formatter, "unauthorized: {message}"),
            Self::Denied(message) => write!(formatter, "denied: {message}"),
            Self::RateLimited(hint) => write!(formatter, "rate limited: {}", hint.message),
            Self::Transient(hint) => write!(formatter, "failed for now: {}", hint.message),
            Self::Data(message) => write!(formatter, "unreadable data: {message}"),
            Self::Bug(message) => write!(formatter, "bug in the connector: {message}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        // Bodies of HTTP answers are read through `std::io::Read`; what went wrong there travels inside.
        let error = match error.downcast::<Self>() {
            Ok(inner) => return inner,
            Err(error) => error,
        };
        let message = error.to_string();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::denied(message),
            // The C library's words for a path outside all granted directories; it has no error kind for it.
            _ if message.contains("pre-opened file descriptor") => Self::denied(message),
            io::ErrorKind::NotFound
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory => Self::data(message),
            io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Self::bug(message),
            _ => Self::transient(message),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() { Self::from(io::Error::from(error)) } else { Self::data(format!("JSON: {error}")) }
    }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use super::Error;
    use crate::RetryHint;

    #[test]
    fn status_decides_what_the_host_may_do() {
        let wait = Some(Duration::from_secs(2));
        let hint = RetryHint { message: "m".into(), retry_after_ms: Some(2000) };
        assert_eq!(Error::from_status(401, None, "m"), Error::Unauthorized("m".into()));
        assert_eq!(Error::from_status(403, None, "m"), Error::Unauthorized("m".into()));
        assert_eq!(Error::from_status(429, wait, "m"), Error::RateLimited(hint.clone()));
        assert_eq!(Error::from_status(503, wait, "m"), Error::Transient(hint));
        assert_eq!(Error::from_status(404, wait, "m"), Error::Data("m".into()));
    }

    #[test]
    fn io_errors_keep_what_they_carry_and_otherwise_go_by_kind() {
        let inner = Error::denied("the host refused it");
        assert_eq!(Error::from(io::Error::other(inner.clone())), inner);
        let of_kind = |kind: io::ErrorKind| Error::from(io::Error::new(kind, "x"));
        assert_eq!(of_kind(io::ErrorKind::PermissionDenied), Error::denied("x"));
        assert_eq!(of_kind(io::ErrorKind::NotFound), Error::data("x"));
        assert_eq!(of_kind(io::ErrorKind::ConnectionReset), Error::transient("x"));
        let outside = "failed to find a pre-opened file descriptor through which \"/etc\" could be opened";
        assert_eq!(Error::from(io::Error::other(outside)), Error::denied(outside));
    }

    #[test]
    fn faulty_json_is_data_and_a_failing_reader_is_what_failed() {
        let syntax = serde_json::from_str::<u8>("{").unwrap_err();
        assert!(matches!(Error::from(syntax), Error::Data(message) if message.starts_with("JSON: ")));
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other(Error::rate_limited("slow down", None)))
            }
        }
        let read = serde_json::from_reader::<_, u8>(Broken).unwrap_err();
        assert_eq!(Error::from(read), Error::rate_limited("slow down", None));
    }
}
