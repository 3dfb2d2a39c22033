//! What the host said of a request that brought no answer, in the words on which the pipeline acts.

use wasip2::http::types::{ErrorCode, HeaderError};

use crate::Error;

/// The error of a request, named by its label.
pub(super) fn from_code(label: &str, code: &ErrorCode) -> Error {
    use ErrorCode as Code;
    let text = format!("{label}: {}", words(code));
    match code {
        Code::HttpRequestDenied | Code::DestinationIpProhibited => Error::denied(text),
        Code::HttpRequestLengthRequired
        | Code::HttpRequestMethodInvalid
        | Code::HttpRequestUriInvalid
        | Code::HttpRequestUriTooLong
        | Code::HttpRequestHeaderSectionSize(_)
        | Code::HttpRequestHeaderSize(_)
        | Code::HttpRequestTrailerSectionSize(_)
        | Code::HttpRequestTrailerSize(_)
        // The host's word for a request that it cannot send as it is, or not within the limits: the same one again would
        // fare no better.
        | Code::InternalError(_) => Error::bug(text),
        Code::HttpRequestBodySize(_)
        | Code::HttpResponseHeaderSectionSize(_)
        | Code::HttpResponseHeaderSize(_)
        | Code::HttpResponseBodySize(_)
        | Code::HttpResponseTrailerSectionSize(_)
        | Code::HttpResponseTrailerSize(_)
        | Code::HttpResponseTransferCoding(_)
        | Code::HttpResponseContentCoding(_)
        | Code::HttpUpgradeFailed => Error::data(text),
        _ => Error::transient(text),
    }
}

fn words(code: &ErrorCode) -> String {
    use ErrorCode as Code;
    let known = match code {
        Code::HttpRequestDenied => {
            "the host does not let this connector reach it; the run's ledger names the rule"
        }
        Code::DestinationIpProhibited => "the host refuses the address that the name stands for",
        Code::DnsTimeout => "the name was not resolved in time",
        Code::DestinationNotFound => "there is no such host",
        Code::DestinationUnavailable | Code::DestinationIpUnroutable => "the other system cannot be reached",
        Code::ConnectionRefused => "the connection was refused",
        Code::ConnectionTerminated => "the connection broke",
        Code::ConnectionTimeout => "no connection in time",
        Code::ConnectionReadTimeout | Code::HttpResponseTimeout => "no answer in time",
        Code::ConnectionWriteTimeout => "the other system took no more bytes in time",
        Code::HttpResponseIncomplete => "the answer broke off",
        Code::TlsCertificateError => "the certificate of the other system is not trusted",
        Code::InternalError(Some(reason)) => reason,
        // The name of the case and what it carries: wordy, and nothing is lost.
        other => return format!("{other:?}"),
    };
    known.to_owned()
}

/// The error of a header that the host does not take.
pub(super) fn from_header(label: &str, fault: &HeaderError) -> Error {
    match fault {
        HeaderError::Forbidden => Error::denied(format!("{label}: a header that only the host may set")),
        HeaderError::InvalidSyntax | HeaderError::Immutable => {
            Error::bug(format!("{label}: a header is malformed"))
        }
    }
}
