//! What the errors of the transport mean.

use std::error::Error as StdError;
use std::io;

use crate::exchange::Exchange;
use crate::target::Origin;
use crate::{Error, Limit};

/// The connection ended, and nothing else is known: a kept connection that the server had closed looks like this.
pub(crate) fn is_stale(error: &hyper::Error) -> bool {
    error.is_incomplete_message() || error.is_canceled() || error.is_closed() || io_kind(error).is_some()
}

/// An error before the head of a response was there.
pub(crate) fn before_head(error: hyper::Error, origin: &Origin, exchange: &Exchange) -> Error {
    if exchange.shared.revoked.is_cancelled() {
        return Error::Revoked;
    }
    if let Some(failure) = exchange.take_upload_failure() {
        return failure;
    }
    if error.is_parse_too_large() {
        let allowed = exchange.shared.caps.response_head_bytes as u64;
        return Error::Limit { limit: Limit::ResponseHeadBytes, allowed };
    }
    if error.is_parse() {
        return Error::Protocol { problem: "it is not HTTP", source: Some(error) };
    }
    Error::ConnectionLost { host: origin.host.as_ref().to_owned(), source: error }
}

/// An error in the response body.
pub(crate) fn in_body(error: hyper::Error, received: u64, exchange: &Exchange) -> Error {
    if exchange.shared.revoked.is_cancelled() {
        return Error::Revoked;
    }
    if let Some(failure) = exchange.take_upload_failure() {
        return failure;
    }
    if io_kind(&error) == Some(io::ErrorKind::InvalidInput)
        || io_kind(&error) == Some(io::ErrorKind::InvalidData)
    {
        return Error::Protocol { problem: "its chunks are malformed", source: Some(error) };
    }
    Error::BodyEndedEarly { received, source: io::Error::other(error) }
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
