//! What figures are told apart by. Every type here has few values, or gets them from [`crate::names`].

use prometheus_client::encoding::EncodeLabelSet;
use std::sync::Arc;

/// How something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Does.
    Post,
    /// Sets.
    Put,
    /// Changes.
    Patch,
    /// Ends.
    Delete,
    /// Whatever else somebody writes there.
    Other,
}

impl Method {
    /// The method of this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }

    /// As it is told.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Other => "other",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It did what it was to do.
    Done,
    /// It did not.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// It was given back, for another process to go on with.
    HandedBack,
    /// Another process has it by now.
    Lost,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::HandedBack => "handed_back",
            Self::Lost => "lost",
        }
    }
}

/// Why a connection got no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Its address has as many as one may have.
    AddressFull,
    /// It did not get through the handshake of TLS.
    Handshake,
}

impl Refused {
    fn word(self) -> &'static str {
        match self {
            Self::AddressFull => "address_full",
            Self::Handshake => "handshake",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfRequest {
    pub(crate) route: Arc<str>,
    method: &'static str,
    status: &'static str,
}

impl OfRequest {
    pub(crate) fn new(route: Arc<str>, method: Method, status: u16) -> Self {
        Self { route, method: method.word(), status: class(status) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfRoute {
    pub(crate) route: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfCode {
    /// Of an error: the code that its page has.
    pub(crate) code: Arc<str>,
}

/// One word says which.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Which {
    which: &'static str,
}

impl Which {
    pub(crate) const fn new(which: &'static str) -> Self {
        Self { which }
    }
}

impl From<Outcome> for Which {
    fn from(outcome: Outcome) -> Self {
        Self::new(outcome.word())
    }
}

impl From<Refused> for Which {
    fn from(refused: Refused) -> Self {
        Self::new(refused.word())
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}
