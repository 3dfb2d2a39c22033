//! The port through which egress asks what is allowed. It decides nothing itself.

use std::net::IpAddr;

/// What is judged about a request: the parts that are sent, after they were rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// `http` or `https`.
    pub scheme: &'a str,
    /// Lower case, without brackets and without a trailing dot.
    pub host: &'a str,
    /// The port that is dialed, also when the URL did not name it.
    pub port: u16,
    /// The method, upper case.
    pub method: &'a str,
    /// The path as it is sent, without the query.
    pub path: &'a str,
}

/// An answer of the [`Gate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Allowed by this rule, which the ledger names.
    Allow {
        /// The rule.
        rule: String,
    },
    /// Not allowed.
    Deny {
        /// The stable code of the reason.
        code: &'static str,
        /// Why, for the user.
        reason: String,
        /// The line that would allow it, where there is one.
        line_to_add: Option<String>,
    },
}

/// Decides what one client may reach.
///
/// Called on the task of the request: [`Gate::request`] once for each request, [`Gate::address`] once for each address
/// before a connection is dialed and again whenever a kept connection is used. It must be pure and quick: it may not
/// block, resolve names or remember what it was asked.
pub trait Gate: Send + Sync {
    /// May this request be made?
    fn request(&self, line: &RequestLine<'_>) -> Decision;

    /// May this address be dialed on this port?
    fn address(&self, address: IpAddr, port: u16) -> Decision;

    /// This machine itself has that address: may it be dialed all the same? Asked of what [`Gate::address`] has allowed,
    /// before a connection is dialed. An address that is public is no reason: behind it stand the services of the host.
    fn own_address(&self, address: IpAddr, port: u16) -> Decision;

    /// Is the address allowed as one of many, by a rule over a network? How a connection to it fails is then told late.
    fn is_one_of_many(&self, _address: IpAddr, _port: u16) -> bool {
        false
    }
}
