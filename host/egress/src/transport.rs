//! What the errors of the transport mean.

use std::error::Error as StdError;
use std::io;

use crate::exchange::Exchange;
use crate::target::Origin;
use crate::{Error, Limit};

/// Why the transport failed, in the words of our libraries alone. What a server writes beside the end of a connection (the
/// debug data of a GOAWAY, RFC 9113 §6.8) is left out: it could be a secret that comes back, and errors end in ledgers and logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl From<hyper::Error> for Cause {
    fn from(error: hyper::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let words = match error.downcast_ref::<h2::Error>() {
                Some(error) => of_two(error),
                None => error.to_string(),
            };
            text.push_str(": ");
            text.push_str(&words);
            cause = error.source();
        }
        Self(text)
    }
}

fn of_two(error: &h2::Error) -> String {
    let by_server = if error.is_remote() { "the server says" } else { "it is" };
    match (error.reason(), error.get_io()) {
        (Some(reason), _) => format!("{by_server} {reason:?} ({reason})"),
        (None, Some(error)) => error.kind().to_string(),
        (None, None) => "HTTP/2 failed".to_owned(),
    }
}

/// The connection ended, and nothing else is known: a kept connection that the server had closed looks like this.
pub(crate) fn is_stale(error: &hyper::Error) -> bool {
    error.is_incomplete_message() || error.is_canceled() || error.is_closed() || io_kind(error).is_some()
}

/// An error before the head of a response was there.
pub(crate) fn before_head(error: hyper::Error, origin: &Origin, exchange: &Exchange) -> Error {
    if let Some(cut) = exchange.passage.ended() {
        return cut;
    }
    if let Some(failure) = exchange.take_upload_failure() {
        return failure;
    }
    if error.is_parse_too_large() {
        let allowed = exchange.shared.caps.response_head_bytes as u64;
        return Error::Limit { limit: Limit::ResponseHeadBytes, allowed };
    }
    if error.is_parse() {
        return Error::Protocol { problem: "it is not HTTP", source: Some(error.into()) };
    }
    Error::ConnectionLost { host: origin.host.as_ref().to_owned(), source: error.into() }
}

/// An error in the response body.
pub(crate) fn in_body(error: hyper::Error, received: u64, exchange: &Exchange) -> Error {
    if let Some(cut) = exchange.passage.ended() {
        return cut;
    }
    if let Some(failure) = exchange.take_upload_failure() {
        return failure;
    }
    if io_kind(&error) == Some(io::ErrorKind::InvalidInput)
        || io_kind(&error) == Some(io::ErrorKind::InvalidData)
    {
        return Error::Protocol { problem: "its chunks are malformed", source: Some(error.into()) };
    }
    Error::BodyEndedEarly { received, source: io::Error::other(Cause::from(error)) }
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found.kind());
        }
        cause = error.source();
    }
    None
}
