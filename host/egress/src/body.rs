//! The one type of body that enters and leaves this crate: a stream of `Bytes` whose errors are ours.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};

use crate::Error;

/// A request or response body: frames of [`Bytes`] that end, or fail with [`Error`].
///
/// A response body is never silently short: it yields every byte that the server announced, or an error.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// A body without bytes.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body of these bytes; its length is known.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
