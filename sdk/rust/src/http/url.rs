//! Takes an absolute URL apart as far as `wasi:http` wants it. What is wrong inside the parts the host says.

use crate::{Error, Result};

/// The parts of an `http` or `https` URL, without a fragment.
#[derive(Debug, PartialEq)]
pub(super) struct Url<'a> {
    pub(super) secure: bool,
    pub(super) authority: &'a str,
    /// Empty or beginning with `/`.
    pub(super) path: &'a str,
    /// Without the `?`.
    pub(super) query: &'a str,
}

impl<'a> Url<'a> {
    pub(super) fn parse(url: &'a str) -> Result<Self> {
        let fault = || Error::config("", format!("`{url}` is not an absolute URL of http or https"));
        let (scheme, rest) = url.split_once("://").ok_or_else(fault)?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return Err(fault());
        }
        let rest = rest.split('#').next().unwrap_or(rest);
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // A user and a password in a URL are a credential, and credentials are placed by the host.
        if authority.is_empty()
            || authority.contains('@')
            || url.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return Err(fault());
        }
        Ok(Self { secure, authority, path, query })
    }

    /// The path and the query together with more query parameters that are encoded already.
    pub(super) fn target(&self, more: &str) -> String {
        let path = if self.path.is_empty() { "/" } else { self.path };
        let parts: Vec<&str> = [self.query, more].into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
    }
}
