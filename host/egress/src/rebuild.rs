//! Builds the request that is sent, anew from the guest's parts and after the guest's last touch.
//!
//! This is the seam where credentials will be placed: nothing that the guest holds is sent as such.

use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use http::{Method, Request};
use http_body::Body as _;

use crate::target::Target;
use crate::{Body, Caps, Error, Result, headers};

/// A request that is ready to be judged and sent.
pub(crate) struct Outgoing {
    pub(crate) head: Head,
    pub(crate) body: Body,
    /// The exact length of the body, where it is known.
    pub(crate) length: Option<u64>,
}

/// Everything of a request but its body.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) target: Target,
    /// With `Host`, always.
    pub(crate) headers: HeaderMap,
}

impl Head {
    /// May the request be sent a second time when nobody knows whether the first arrived (RFC 9110 §9.2.2)?
    pub(crate) fn is_idempotent(&self) -> bool {
        !matches!(self.method, Method::POST | Method::PATCH)
    }
}

/// Rebuilds, or says what may not be sent.
pub(crate) fn rebuild(request: Request<Body>, caps: &Caps) -> Result<Outgoing> {
    let (parts, body) = request.into_parts();
    check_method(&parts.method)?;
    let target = Target::parse(&parts.uri, caps)?;
    let length = body_length(&parts.headers, &body)?;
    let mut headers = headers::outgoing(parts.headers, &target.authority, caps)?;
    if length == Some(0) && matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) {
        // RFC 9110 §8.6; some servers answer 411 without it.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(Outgoing { head: Head { method: parts.method, target, headers }, body, length })
}

/// `CONNECT` and `TRACE` change what a request is; unknown methods are spelled by nobody but attackers.
fn check_method(method: &Method) -> Result<()> {
    match method.as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "PROPFIND" | "REPORT" => Ok(()),
        other => Err(Error::malformed("method", other, "is not supported")),
    }
}

/// The length that is sent: declared by the guest or known from the body, and the same where both are there.
fn body_length(headers: &HeaderMap, body: &Body) -> Result<Option<u64>> {
    let known = body.size_hint().exact();
    let mut declared = headers.get_all(CONTENT_LENGTH).iter();
    let Some(value) = declared.next() else { return Ok(known) };
    let text = value.to_str().unwrap_or_default();
    let refuse = |problem| Err(Error::malformed("header content-length", text, problem));
    if declared.next().is_some() {
        return refuse("is there twice");
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse("is not a plain number");
    }
    let Ok(length) = text.parse::<u64>() else { return refuse("is too large") };
    if known.is_some_and(|known| known != length) {
        return refuse("is not the length of the body");
    }
    Ok(Some(length))
}

#[cfg(test)]
#[path = "rebuild_tests.rs"]
mod tests;
