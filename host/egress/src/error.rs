//! What can go wrong with a request, whose fault it is, and how much of it the guest may know.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::transport::Cause;
use crate::{Limit, credential};

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request, or its body, failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rights do not allow the request.
    #[error("request to `{target}` is denied: {reason}")]
    RequestDenied {
        /// The gate's code.
        code: &'static str,
        /// Method and URL without the query.
        target: String,
        /// Why.
        reason: String,
        /// The line that would allow it.
        line_to_add: Option<String>,
    },
    /// The rights do not allow one of the addresses behind the name, so the name is refused as a whole.
    #[error("address `{address}` of host `{host}` is denied: {reason}")]
    AddressDenied {
        /// The gate's code.
        code: &'static str,
        /// The host that was asked for.
        host: String,
        /// The address that was refused.
        address: SocketAddr,
        /// Why.
        reason: String,
        /// The line that would allow it.
        line_to_add: Option<String>,
    },
    /// The request itself is not one that may be sent.
    #[error("{part} `{value}` of the request {problem}")]
    Malformed {
        /// Which part.
        part: &'static str,
        /// Its value, shortened and escaped.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A cap on amounts was reached.
    #[error("limit `{limit}` of {allowed} reached")]
    Limit {
        /// Which.
        limit: Limit,
        /// Its value.
        allowed: u64,
    },
    /// A cap on time was reached.
    #[error("limit `{limit}` of {} ms reached", allowed.as_millis())]
    Timeout {
        /// Which.
        limit: Limit,
        /// Its value.
        allowed: Duration,
    },
    /// The name has no addresses.
    #[error("failed to resolve host `{host}`")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// None of the addresses answered.
    #[error("failed to connect to `{host}` port {port}")]
    Connect {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What the last address said.
        source: io::Error,
    },
    /// No TLS session could be made, mostly because the certificate is not trusted.
    #[error("failed to make a TLS session with `{host}`")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The connection ended before the head of a response was there.
    #[error("connection to `{host}` ended before a response")]
    ConnectionLost {
        /// The host.
        host: String,
        /// Why.
        source: Cause,
    },
    /// The server does not speak HTTP as it should.
    #[error("response breaks the protocol: {problem}")]
    Protocol {
        /// What it did.
        problem: &'static str,
        /// What the parser said.
        source: Option<Cause>,
    },
    /// The response body ended before it was whole.
    #[error("response body ended early after {received} bytes")]
    BodyEndedEarly {
        /// Bytes that came, as the server sent them.
        received: u64,
        /// Why.
        source: io::Error,
    },
    /// The response body is not what its content encoding says.
    #[error("failed to decode response body as `{encoding}`")]
    Decode {
        /// The encoding.
        encoding: &'static str,
        /// What the decoder said.
        source: io::Error,
    },
    /// The caller's body is not what was declared, or failed.
    #[error("request body failed: {problem}")]
    RequestBody {
        /// What is wrong.
        problem: String,
    },
    /// The request could not carry its credential, and was not sent.
    #[error(transparent)]
    Credential(#[from] Arc<credential::Error>),
    /// The connection's right to be connected was taken back.
    #[error("the connection was revoked: {what}")]
    Revoked {
        /// What was taken back.
        what: String,
        /// What would allow it again.
        to_allow: String,
    },
    /// The authority of a connection's own cannot be used.
    #[error("failed to read the authority of the connection: {problem}")]
    Authority {
        /// What is wrong.
        problem: String,
    },
    /// A root certificate given by the operator cannot be used.
    #[error("failed to read root certificate {number} of the operator: {problem}")]
    RootCertificate {
        /// Its place in the settings, from 1.
        number: usize,
        /// What is wrong.
        problem: String,
    },
}

/// Whose fault an error is, and so what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Not granted. An administrator can change that.
    Denied,
    /// The connector asked for something that no one may send.
    Invalid,
    /// A cap was reached.
    Limit,
    /// Trying again later could help.
    Transient,
    /// The server is at fault, and trying again will not help.
    Upstream,
    /// The host's own settings are at fault.
    Host,
}

/// What a guest may know about an error: it must not learn from it what lies behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuestClass {
    /// The request is not granted.
    Denied,
    /// The request is malformed, or its body failed.
    Invalid,
    /// A cap on amounts was reached.
    Limit,
    /// No connection: unknown name, denied address, refused, filtered or untrusted, all alike.
    Unreachable,
    /// The server accepted the connection and did not answer in time.
    Timeout,
    /// The server's answer is broken or incomplete.
    Response,
}

impl Error {
    /// The stable code; `cofferdam explain` shows its page.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RequestDenied { code, .. } | Self::AddressDenied { code, .. } => code,
            Self::Malformed { .. } => "CD0301",
            Self::Limit { .. } => "CD0302",
            Self::Timeout { .. } => "CD0303",
            Self::Resolve { .. } => "CD0304",
            Self::Connect { .. } => "CD0305",
            Self::Tls { .. } => "CD0306",
            Self::ConnectionLost { .. } => "CD0307",
            Self::Protocol { .. } => "CD0308",
            Self::BodyEndedEarly { .. } => "CD0309",
            Self::Decode { .. } => "CD0310",
            Self::RequestBody { .. } => "CD0311",
            Self::RootCertificate { .. } => "CD0312",
            Self::Credential(error) => error.code(),
            Self::Revoked { .. } => "CD0313",
            Self::Authority { .. } => "CD0314",
        }
    }

    /// Whose fault it is.
    pub fn class(&self) -> Class {
        match self {
            Self::RequestDenied { .. } | Self::AddressDenied { .. } | Self::Revoked { .. } => Class::Denied,
            Self::Malformed { .. } | Self::RequestBody { .. } => Class::Invalid,
            Self::Limit { .. } => Class::Limit,
            Self::Tls { source, .. } if is_certificate(source) => Class::Upstream,
            Self::Timeout { .. }
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::ConnectionLost { .. }
            | Self::BodyEndedEarly { .. } => Class::Transient,
            Self::Protocol { .. } | Self::Decode { .. } => Class::Upstream,
            Self::RootCertificate { .. } | Self::Authority { .. } => Class::Host,
            Self::Credential(error) => class_of(error),
        }
    }

    /// The line that would allow what was denied, for the user.
    pub fn line_to_add(&self) -> Option<&str> {
        match self {
            Self::RequestDenied { line_to_add, .. } | Self::AddressDenied { line_to_add, .. } => {
                line_to_add.as_deref()
            }
            _ => None,
        }
    }

    /// What the guest may know. The exact error is for the user and the ledger.
    pub fn guest_class(&self) -> GuestClass {
        match self {
            Self::RequestDenied { .. } | Self::Revoked { .. } => GuestClass::Denied,
            Self::Malformed { .. } | Self::RequestBody { .. } => GuestClass::Invalid,
            Self::Limit { .. } => GuestClass::Limit,
            Self::Timeout { limit: Limit::ConnectTimeout, .. }
            | Self::AddressDenied { .. }
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::ConnectionLost { .. }
            | Self::RootCertificate { .. }
            | Self::Authority { .. } => GuestClass::Unreachable,
            Self::Credential(error) => guest_class_of(error),
            Self::Timeout { .. } => GuestClass::Timeout,
            Self::Protocol { .. } | Self::BodyEndedEarly { .. } | Self::Decode { .. } => GuestClass::Response,
        }
    }

    /// The text for the guest: exact where it can only tell what the guest itself did, coarse elsewhere.
    pub fn guest_text(&self) -> String {
        match self.guest_class() {
            GuestClass::Unreachable => "connection failed".to_owned(),
            GuestClass::Response => "response failed".to_owned(),
            GuestClass::Denied if matches!(self, Self::Credential(_)) => {
                "a credential of the request must be connected again".to_owned()
            }
            // By which name a credential is kept is not the guest's to know.
            GuestClass::Denied if matches!(self, Self::Revoked { .. }) => {
                "the connection was revoked".to_owned()
            }
            GuestClass::Denied | GuestClass::Invalid | GuestClass::Limit | GuestClass::Timeout => {
                self.to_string()
            }
        }
    }

    /// The error and its causes in one line, for the ledger.
    pub fn full_text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// A malformed part; the value is shortened and escaped, because it comes from the guest.
    pub(crate) fn malformed(part: &'static str, value: &str, problem: &'static str) -> Self {
        let value = value.chars().take(80).flat_map(char::escape_debug).collect();
        Self::Malformed { part, value, problem }
    }
}

fn class_of(error: &credential::Error) -> Class {
    match error {
        credential::Error::Endpoint { .. } | credential::Error::BodyNotKept { .. } => Class::Transient,
        credential::Error::Answer { .. } => Class::Upstream,
        error if error.needs_connecting() => Class::Denied,
        _ => Class::Host,
    }
}

/// What lies behind a token endpoint is as little the guest's to know as what lies behind a name.
fn guest_class_of(error: &credential::Error) -> GuestClass {
    match class_of(error) {
        Class::Denied => GuestClass::Denied,
        Class::Transient if matches!(error, credential::Error::BodyNotKept { .. }) => GuestClass::Response,
        _ => GuestClass::Unreachable,
    }
}

impl From<credential::Error> for Error {
    fn from(error: credential::Error) -> Self {
        Self::Credential(Arc::new(error))
    }
}

/// Did TLS itself refuse, rather than the connection break?
fn is_certificate(source: &io::Error) -> bool {
    source.get_ref().is_some_and(|inner| inner.is::<tokio_rustls::rustls::Error>())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use crate::{Class, Error, GuestClass, Limit};

    #[test]
    fn every_code_has_a_page_that_begins_with_it() {
        let errors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
        let source = include_str!("error.rs");
        let codes: std::collections::BTreeSet<&str> = source
            .match_indices("CD03")
            .filter_map(|(at, _)| source.get(at..at + 6))
            .filter(|code| code.ends_with(|last: char| last.is_ascii_digit()))
            .collect();
        assert_eq!(codes.len(), 14);
        for code in codes {
            let page = std::fs::read_to_string(errors.join(format!("{code}.md"))).unwrap();
            assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        }
    }

    #[test]
    fn the_guest_learns_nothing_about_what_lies_behind_a_name() {
        let source = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let (host, port) = ("api.test".to_owned(), 443);
        let address = ([10, 0, 0, 1], 443).into();
        let connect = Error::Timeout { limit: Limit::ConnectTimeout, allowed: Duration::from_secs(1) };
        let errors = [
            Error::AddressDenied {
                code: "CD0207",
                host: host.clone(),
                address,
                reason: String::new(),
                line_to_add: None,
            },
            Error::Resolve { host: host.clone(), source: source() },
            Error::Connect { host: host.clone(), port, source: source() },
            Error::Tls { host, source: source() },
            connect,
        ];
        for error in &errors {
            assert_eq!(error.guest_class(), GuestClass::Unreachable, "{error}");
            assert_eq!(error.guest_text(), "connection failed", "{error}");
        }
        assert!(errors.iter().skip(1).all(|error| error.class() == Class::Transient));
    }
}
