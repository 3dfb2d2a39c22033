//! What one client may use, and the names of those limits. Counting is done elsewhere.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The caps of one client: of each of its requests, and of all of them together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of one request body.
    pub request_body_bytes: u64,
    /// Bytes of one response body, counted both as sent by the server and as decompressed.
    pub response_body_bytes: u64,
    /// Bytes of a request body that are kept, to sign it whole and to send it again with a renewed credential.
    pub kept_body_bytes: u64,
    /// Bytes of all request bodies together that are kept at one time. One more is sent without being kept, or refused where
    /// it must be signed whole.
    pub kept_bodies_bytes: u64,
    /// Bytes of the header fields of one request.
    pub request_head_bytes: usize,
    /// Bytes of the header fields of one response.
    pub response_head_bytes: usize,
    /// Bytes of one URL.
    pub url_bytes: usize,
    /// Body bytes that all requests together may send.
    pub total_bytes_out: u64,
    /// Body bytes that all responses together may bring, counted as sent and as decompressed.
    pub total_bytes_in: u64,
    /// Requests, denied ones included.
    pub requests: u64,
    /// Requests whose response has not ended.
    pub concurrent_requests: u64,
    /// Requests that may begin in one second; more of them wait for their turn, which is no failure.
    pub requests_per_second: u64,
    /// Different host names that may be looked up: under a rule such as `*.example.com` each one is a message to
    /// whoever answers for `example.com`.
    pub host_names: u64,
    /// Bytes of all those names.
    pub host_name_bytes: u64,
    /// Names that may be looked up for the first time in one second; more of them wait for their turn.
    pub host_names_per_second: u64,
    /// Time for name lookup, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Time without progress until the head of the response is there.
    pub first_byte_timeout: Duration,
    /// Time without progress between two parts of the response body.
    pub between_bytes_timeout: Duration,
    /// Time for one request from its start to the end of its response.
    pub total_timeout: Duration,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            request_body_bytes: 256 << 20,
            response_body_bytes: 256 << 20,
            kept_body_bytes: 8 << 20,
            kept_bodies_bytes: 64 << 20,
            request_head_bytes: 64 << 10,
            response_head_bytes: 64 << 10,
            url_bytes: 16 << 10,
            total_bytes_out: 16 << 30,
            total_bytes_in: 16 << 30,
            requests: 100_000,
            concurrent_requests: 32,
            requests_per_second: 1_000,
            host_names: 1_000,
            host_name_bytes: 32 << 10,
            host_names_per_second: 20,
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(60),
            between_bytes_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(600),
        }
    }
}

/// The name of one cap, as errors and the budget report say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name is the field of `Caps` that is documented there")]
pub enum Limit {
    RequestBodyBytes,
    ResponseBodyBytes,
    KeptBodyBytes,
    KeptBodiesBytes,
    /// Of the process: [`Settings::all_kept_bodies_bytes`](crate::Settings).
    AllKeptBodiesBytes,
    RequestHeadBytes,
    ResponseHeadBytes,
    UrlBytes,
    TotalBytesOut,
    TotalBytesIn,
    Requests,
    ConcurrentRequests,
    HostNames,
    HostNameBytes,
    ConnectTimeout,
    FirstByteTimeout,
    BetweenBytesTimeout,
    TotalTimeout,
}

impl Limit {
    /// The name, as in the manifest and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestBodyBytes => "request-body-bytes",
            Self::ResponseBodyBytes => "response-body-bytes",
            Self::KeptBodyBytes => "kept-body-bytes",
            Self::KeptBodiesBytes => "kept-bodies-bytes",
            Self::AllKeptBodiesBytes => "all-kept-bodies-bytes",
            Self::RequestHeadBytes => "request-head-bytes",
            Self::ResponseHeadBytes => "response-head-bytes",
            Self::UrlBytes => "url-bytes",
            Self::TotalBytesOut => "total-bytes-out",
            Self::TotalBytesIn => "total-bytes-in",
            Self::Requests => "requests",
            Self::ConcurrentRequests => "concurrent-requests",
            Self::HostNames => "host-names",
            Self::HostNameBytes => "host-name-bytes",
            Self::ConnectTimeout => "connect-timeout",
            Self::FirstByteTimeout => "first-byte-timeout",
            Self::BetweenBytesTimeout => "between-bytes-timeout",
            Self::TotalTimeout => "total-timeout",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Timeouts that the caller wants for one request, put into the request's extensions.
///
/// They can only shorten those of [`Caps`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// See [`Caps::connect_timeout`].
    pub connect: Option<Duration>,
    /// See [`Caps::first_byte_timeout`].
    pub first_byte: Option<Duration>,
    /// See [`Caps::between_bytes_timeout`].
    pub between_bytes: Option<Duration>,
}

/// The timeouts that hold for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) between_bytes: Duration,
}

impl Timeouts {
    /// The shorter of what was asked and what is allowed. Zero would fail every request, so a millisecond is the least.
    pub(crate) fn within(self, caps: &Caps) -> Allowed {
        let shorter = |asked: Option<Duration>, cap: Duration| {
            asked
                .map_or(cap, |asked| asked.clamp(Duration::from_millis(1), cap.max(Duration::from_millis(1))))
        };
        Allowed {
            connect: shorter(self.connect, caps.connect_timeout),
            first_byte: shorter(self.first_byte, caps.first_byte_timeout),
            between_bytes: shorter(self.between_bytes, caps.between_bytes_timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{Caps, Timeouts};

    #[test]
    fn e43_zero_and_huge_timeouts_are_clamped() {
        let caps = Caps::default();
        let asked =
            Timeouts { connect: Some(Duration::ZERO), first_byte: Some(Duration::MAX), between_bytes: None };
        let allowed = asked.within(&caps);
        assert_eq!(allowed.connect, Duration::from_millis(1));
        assert_eq!(allowed.first_byte, caps.first_byte_timeout);
        assert_eq!(allowed.between_bytes, caps.between_bytes_timeout);
    }
}
