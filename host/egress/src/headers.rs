//! Which header fields pass, in each direction. The values are never changed here.

use std::borrow::Cow;

use http::header::{
    ACCEPT_ENCODING, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, RANGE, TRANSFER_ENCODING,
    USER_AGENT,
};

use crate::{Caps, Error, Limit, Result};

/// The encodings that the host undoes.
const ENCODINGS: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");
/// A part of a resource is a part of its encoded form, which cannot be decoded alone.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
/// Many APIs refuse requests without one.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("cofferdam/", env!("CARGO_PKG_VERSION")));
/// The cost of a field beside its bytes, as HTTP/2 counts it (RFC 9113 §6.5.2).
const FIELD_OVERHEAD_BYTES: usize = 32;

/// What happens to a field that the guest wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Keep,
    Drop,
    Refuse,
}

/// The fields of the outgoing request, built anew from those of the guest.
pub(crate) fn outgoing(guest: HeaderMap, host: &HeaderValue, caps: &Caps) -> Result<HeaderMap> {
    check_size(&guest, caps.request_head_bytes, Limit::RequestHeadBytes)?;
    let named = named_by_connection(&guest);
    let mut built = HeaderMap::with_capacity(guest.len() + 4);
    built.insert(HOST, host.clone());
    let mut current: Option<(HeaderName, Fate)> = None;
    for (name, value) in guest {
        if let Some(name) = name {
            let fate = if named.contains(&name) { Fate::Drop } else { fate(&folded(name.as_str())) };
            current = Some((name, fate));
        }
        match &current {
            Some((name, Fate::Keep)) => {
                built.append(name.clone(), value);
            }
            Some((name, Fate::Refuse)) => {
                return Err(Error::malformed(
                    "header",
                    name.as_str(),
                    "would change what the rights have judged",
                ));
            }
            Some((_, Fate::Drop)) | None => {}
        }
    }
    let encodings = if built.contains_key(RANGE) { IDENTITY } else { ENCODINGS };
    built.insert(ACCEPT_ENCODING, encodings);
    if !built.contains_key(USER_AGENT) {
        built.insert(USER_AGENT, AGENT);
    }
    Ok(built)
}

/// Takes from a response what concerns only the connection it came over.
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    for name in ["connection", "proxy-connection", "keep-alive", "te", "trailer", "upgrade", "alt-svc"] {
        headers.remove(name);
    }
    headers.remove(TRANSFER_ENCODING);
}

/// The bytes of a header section against its cap.
pub(crate) fn check_size(headers: &HeaderMap, allowed: usize, limit: Limit) -> Result<()> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + FIELD_OVERHEAD_BYTES)
        .fold(0, usize::saturating_add);
    if bytes > allowed { Err(Error::Limit { limit, allowed: allowed as u64 }) } else { Ok(()) }
}

/// A name as those servers read it that hand headers on as variables (CGI, WSGI, PHP): to them `x_api_key` is `x-api-key`.
fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect())
}

/// Takes a field away, in every spelling that some server reads as this name.
pub(crate) fn remove(headers: &mut HeaderMap, name: &str) {
    let name = folded(name);
    // What is folded keeps its length, so few are looked at.
    let is_twin = |found: &&HeaderName| found.as_str().len() == name.len() && folded(found.as_str()) == name;
    let twins: Vec<HeaderName> = headers.keys().filter(is_twin).cloned().collect();
    for twin in twins {
        headers.remove(twin);
    }
}

/// What becomes of a field of this folded name.
fn fate(name: &str) -> Fate {
    match name {
        "host" | "content-length" | "connection" | "keep-alive" | "transfer-encoding" | "te" | "trailer"
        | "upgrade" | "expect" | "accept-encoding" | "http2-settings" | "forwarded" => Fate::Drop,
        // Spellings of `X-Forwarded-Host` that some frameworks believe.
        "x-host" | "x-original-host" | "x-http-host-override" => Fate::Drop,
        // With these a granted `POST` would act as a `DELETE`; silently dropped, a wanted `GET` would act as a `POST`.
        "x-http-method" | "x-http-method-override" | "x-method-override" => Fate::Refuse,
        // With these some servers act on another path than the one that was judged.
        "x-original-url"
        | "x-rewrite-url"
        | "x-override-url"
        | "x-original-uri"
        | "x-envoy-original-path" => Fate::Refuse,
        _ if name.starts_with("proxy-") || name.starts_with("x-forwarded-") => Fate::Drop,
        _ => Fate::Keep,
    }
}

/// The fields that `Connection` declares to be about the connection. Rare, so the list is mostly empty.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(CONNECTION)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .flat_map(|value: Cow<'_, str>| {
            value.split(',').filter_map(|name| name.trim().parse().ok()).collect::<Vec<HeaderName>>()
        })
        .collect()
}
