//! Where a server is. Other machines are asked over TLS only: a password or a token goes there.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::Uri;

use super::Error;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |reason| Error::BadAddress { address: text.to_owned(), reason };
        let uri: Uri = text.trim().parse().map_err(|_| bad("it is no URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad("it begins with `https://`")),
        };
        let authority = uri.authority().ok_or_else(|| bad("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("a name or a password has no place in it"));
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err(bad("nothing stands behind host and port"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(bad("it names no host"));
        }
        if !is_tls && !is_here(&host) {
            return Err(bad("another machine is asked over `https://` only"));
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self { is_tls, host, port })
    }
}

impl Address {
    /// What a request names as its host.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.is_tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether what the host's name stands for may be dialed: without TLS only this machine, whatever a name server says.
    pub(super) fn may_dial(&self, address: &SocketAddr) -> bool {
        self.is_tls || address.ip().to_canonical().is_loopback()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(formatter, "{scheme}://{}", self.authority())
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_has_one_spelling() {
        for (said, meant) in [
            ("https://Cofferdam.Example.com", "https://cofferdam.example.com"),
            ("https://cofferdam.example.com:443/", "https://cofferdam.example.com"),
            ("https://cofferdam.example.com:8443", "https://cofferdam.example.com:8443"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.9", "http://127.0.0.9"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(said.parse::<Address>().unwrap().to_string(), meant);
        }
    }

    #[test]
    fn no_secret_goes_to_another_machine_in_the_clear() {
        for said in [
            "http://cofferdam.example.com",
            "http://192.0.2.1:8080",
            "http://0.0.0.0:8080",
            "http://localhost.example.com",
            "http://[::ffff:192.0.2.1]:80",
            "ftp://localhost",
            "localhost:8080",
            "https://",
            "https://user:word@cofferdam.example.com",
            "https://cofferdam.example.com/v1",
            "https://cofferdam.example.com?a=b",
            "",
        ] {
            assert!(said.parse::<Address>().is_err(), "{said}");
        }
        let here: Address = "http://localhost:8080".parse().unwrap();
        assert!(here.may_dial(&"127.0.0.1:8080".parse().unwrap()));
        assert!(!here.may_dial(&"192.0.2.1:8080".parse().unwrap()), "whatever a name server says");
    }
}
