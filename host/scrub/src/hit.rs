//! What is told of a secret that was found: never the secret.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How a secret was spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// base64 or base64url.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// Any of these with at least one byte escaped.
    Escaped,
}

impl Encoding {
    /// Its word, for reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Escaped => "escaped",
        }
    }
}

/// Where a secret was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The head of a response, or its trailers.
    Header,
    /// The body of a response.
    Body,
    /// A log line, standard output or standard error.
    Log,
    /// The text of an error, or of a rejected row.
    Message,
    /// A row.
    Record,
    /// A checkpoint.
    Checkpoint,
}

impl Place {
    /// Its word, for reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "response header",
            Self::Body => "response body",
            Self::Log => "log",
            Self::Message => "message",
            Self::Record => "record",
            Self::Checkpoint => "checkpoint",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A secret that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The credential whose secret it is.
    pub credential: Arc<str>,
    /// How it was spelled.
    pub encoding: Encoding,
    /// Where it lies in what was searched.
    pub range: Range<usize>,
}

/// How often a credential was found somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The credential.
    pub credential: Arc<str>,
    /// Where.
    pub place: Place,
    /// How it was spelled.
    pub encoding: Encoding,
    /// How often.
    pub count: u64,
}
