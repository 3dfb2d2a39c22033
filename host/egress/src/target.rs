//! Reads where a request goes, strictly: what is judged here is byte for byte what is sent.
//!
//! Spellings that parsers disagree about are refused, not repaired: a second parser behind us would repair differently.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderValue;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Uri};

use crate::credential::Identity;
use crate::gate::RequestLine;
use crate::{Caps, Error, Limit, Result};

/// The longest name that DNS can carry.
const HOST_BYTES_MAX: usize = 253;
/// The longest label that DNS can carry.
const LABEL_BYTES_MAX: usize = 63;

/// How often a path is decoded: more servers and proxies than that, each of which undoes one layer, stand in no row.
const ENCODINGS_MAX: usize = 4;

/// Where connections are shared: same scheme, host and port, same client certificate, and same credentials. Some servers
/// take a whole connection to be of whom its first request was (NTLM, Negotiate); a request outside of the audience would
/// be taken for one of the credential's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) secure: bool,
    /// Lower case, without brackets.
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
    /// Whom the connection shows itself as.
    pub(crate) identity: Option<Identity>,
    /// Under which names the credentials are kept that are placed on its requests.
    pub(crate) credentials: Option<Arc<str>>,
}

/// Where one request goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) origin: Origin,
    /// The host, when it is an address and not a name.
    pub(crate) literal: Option<IpAddr>,
    /// What `Host` or `:authority` says.
    pub(crate) authority: HeaderValue,
    pub(crate) path_and_query: PathAndQuery,
}

impl Target {
    pub(crate) fn parse(uri: &Uri, caps: &Caps) -> Result<Self> {
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            other => return Err(Error::malformed("scheme", other.unwrap_or(""), "is not `http` or `https`")),
        };
        let written = uri.authority().map_or("", Authority::as_str);
        let path_and_query = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let allowed = caps.url_bytes;
        if written.len() + path_and_query.len() > allowed {
            return Err(Error::Limit { limit: Limit::UrlBytes, allowed: allowed as u64 });
        }
        let (host, port) = split_port(written)?;
        let port = port.unwrap_or(if secure { 443 } else { 80 });
        let (host, literal) = parse_host(host)?;
        check_path(uri.path())?;
        let authority = authority(&host, literal, secure, port)?;
        let path_and_query = origin_form(uri)?;
        Ok(Self {
            origin: Origin { secure, host: host.into(), port, identity: None, credentials: None },
            literal,
            authority,
            path_and_query,
        })
    }

    pub(crate) fn line<'a>(&'a self, method: &'a Method) -> RequestLine<'a> {
        RequestLine {
            scheme: self.origin.scheme(),
            host: &self.origin.host,
            port: self.origin.port,
            method: method.as_str(),
            path: self.path_and_query.path(),
        }
    }

    /// The URL without its query, for messages.
    pub(crate) fn display(&self) -> String {
        let authority = self.authority.to_str().unwrap_or_default();
        format!("{}://{authority}{}", self.origin.scheme(), self.path_and_query.path())
    }

    /// The whole URI, which HTTP/2 needs.
    pub(crate) fn absolute(&self) -> Result<Uri> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(if self.origin.secure { Scheme::HTTPS } else { Scheme::HTTP });
        let authority = Authority::from_maybe_shared(Bytes::copy_from_slice(self.authority.as_bytes()));
        parts.authority = authority.ok();
        parts.path_and_query = Some(self.path_and_query.clone());
        Uri::from_parts(parts)
            .map_err(|_invalid| Error::malformed("URL", &self.display(), "cannot be sent over HTTP/2"))
    }
}

impl Origin {
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// Splits `host:port`. User information, empty and padded ports are refused.
fn split_port(authority: &str) -> Result<(&str, Option<u16>)> {
    let refuse = |problem| Err(Error::malformed("authority", authority, problem));
    if authority.contains('@') {
        return refuse("carries user information");
    }
    let host_end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at_checked(host_end).unwrap_or((authority, ""));
    if rest.is_empty() {
        return Ok((host, None));
    }
    let Some(digits) = rest.strip_prefix(':') else { return refuse("has no port after the host") };
    if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse("has a port that is not a plain number");
    }
    match digits.parse() {
        Ok(port) => Ok((host, Some(port))),
        Err(_too_large) => refuse("has a port above 65535"),
    }
}

/// The host in its one spelling, and its address when it is one.
fn parse_host(host: &str) -> Result<(String, Option<IpAddr>)> {
    let refuse = |problem| Err(Error::malformed("host", host, problem));
    if host.is_empty() {
        return refuse("is empty");
    }
    if let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // The parser of the standard library takes no zone and no percent sign.
        return match inside.parse::<Ipv6Addr>() {
            Ok(address) => Ok((address.to_string(), Some(IpAddr::V6(address)))),
            Err(_invalid) => refuse("is not an IPv6 address"),
        };
    }
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return refuse("has a character that no host name has; names in other scripts are written as `xn--`");
    }
    if host.len() > HOST_BYTES_MAX || host.split('.').any(|label| label.len() > LABEL_BYTES_MAX) {
        return refuse("is longer than a name can be");
    }
    if host.split('.').any(str::is_empty) {
        return refuse("has an empty label or a trailing dot");
    }
    if ends_in_number(host) {
        // `127.1`, `0x7f000001`, `0177.0.0.1` and `2130706433` are addresses to some parsers and names to others.
        return match host.parse::<Ipv4Addr>() {
            Ok(address) => Ok((host.to_owned(), Some(IpAddr::V4(address)))),
            Err(_invalid) => refuse("is not an IPv4 address in its plain spelling"),
        };
    }
    Ok((host.to_ascii_lowercase(), None))
}

fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn authority(host: &str, literal: Option<IpAddr>, secure: bool, port: u16) -> Result<HeaderValue> {
    let mut text = String::with_capacity(host.len() + 8);
    match literal {
        Some(IpAddr::V6(_)) => {
            text.push('[');
            text.push_str(host);
            text.push(']');
        }
        _ => text.push_str(host),
    }
    if port != if secure { 443 } else { 80 } {
        text.push(':');
        text.push_str(&port.to_string());
    }
    HeaderValue::from_maybe_shared(Bytes::from(text))
        .map_err(|_invalid| Error::malformed("host", host, "cannot be sent"))
}

/// What is sent, and signed. A URL may leave its path out, and end there or go on with a query or a fragment.
fn origin_form(uri: &Uri) -> Result<PathAndQuery> {
    let Some(written) = uri.path_and_query() else { return Ok(PathAndQuery::from_static("/")) };
    match written.as_str() {
        // Written so before a fragment it is nothing at all, and a request without a target would go out.
        "/" => Ok(PathAndQuery::from_static("/")),
        query if query.starts_with('?') => PathAndQuery::from_maybe_shared(Bytes::from(format!("/{query}")))
            .map_err(|_invalid| Error::malformed("query", query, "cannot be sent")),
        _ => Ok(written.clone()),
    }
}

/// A path that every server reads alike: origin form, ASCII, no segment that climbs.
fn check_path(path: &str) -> Result<()> {
    let refuse = |problem| Err(Error::malformed("path", path, problem));
    if !path.starts_with('/') {
        return refuse("does not begin with `/`");
    }
    if path.starts_with("//") {
        return refuse("begins with `//`, which some servers read as a host");
    }
    if path.contains('\\') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("has a character that must be percent-encoded");
    }
    if climbs(path) {
        return refuse("has a segment `.` or `..`");
    }
    Ok(())
}

/// Finds dot segments in every spelling that a server may undo: percent-encoded, encoded again and again, overlong, with parameters.
fn climbs(path: &str) -> bool {
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if !path.contains('%') {
        return path.contains("/.") && path.split('/').any(is_dots);
    }
    let mut once = path.to_ascii_lowercase();
    for _layer in 1..ENCODINGS_MAX {
        once = once.replace("%25", "%");
    }
    let decoded = once
        // Two bytes for one, which no encoder writes and some decoders read.
        .replace("%c0%ae", ".")
        .replace("%c0%af", "/")
        .replace("%2e", ".")
        .replace("%3b", ";")
        .replace("%2f", "/")
        .replace("%5c", "/");
    decoded.split('/').any(is_dots)
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
