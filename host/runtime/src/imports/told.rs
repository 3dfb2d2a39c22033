//! What a guest is told of a request that failed, and the run's report beside it: the same whether it happens or is told again.

use crate::meter::Meter;
use cassette::{Failure, Limited, Told};
use egress::{Class, GuestClass, Limit};
use scrub::{Place, Watch};
use serde::de::value::{Error as NoName, StrDeserializer};
use serde::de::{Deserialize as _, IntoDeserializer as _};
use wasmtime_wasi_http::Error;

/// A limit as a manifest's `[limits]` knows it, its unit, and what ran into it. Caps that no manifest changes are spelled
/// alike; those on time never come here, since a slow server is no use of a budget.
fn manifest_limit(limit: Limit) -> (&'static str, &'static str, &'static str) {
    match limit {
        Limit::Requests => ("requests", "requests", "one request more"),
        Limit::RequestBodyBytes => ("request_bytes", "bytes", "the body of one request"),
        Limit::ResponseBodyBytes => ("response_bytes", "bytes", "the body of one response"),
        Limit::TotalBytesOut => ("bytes_out", "bytes", "the bodies of all requests"),
        Limit::TotalBytesIn => ("bytes_in", "bytes", "the bodies of all responses"),
        Limit::KeptBodyBytes => ("kept_body_bytes", "bytes", "a body that must be read before it is signed"),
        Limit::KeptBodiesBytes => {
            ("kept_bodies_bytes", "bytes", "the bodies that must be read before they are signed")
        }
        Limit::AllKeptBodiesBytes => (
            "all_kept_bodies_bytes",
            "bytes",
            "the bodies of all connections that must be read before they are signed",
        ),
        Limit::ConcurrentRequests => ("concurrent_requests", "requests", "one request more at the same time"),
        Limit::RequestHeadBytes => ("request_head_bytes", "bytes", "the headers of one request"),
        Limit::ResponseHeadBytes => ("response_head_bytes", "bytes", "the headers of one response"),
        Limit::UrlBytes => ("url_bytes", "bytes", "one URL"),
        Limit::HostNames => ("host_names", "names", "one host name more"),
        Limit::HostNameBytes => ("host_name_bytes", "bytes", "the names of all hosts"),
        Limit::ConnectTimeout
        | Limit::FirstByteTimeout
        | Limit::BetweenBytesTimeout
        | Limit::TotalTimeout => (limit.name(), "ms", "one request"),
    }
}

/// What is told of an error. It may be kept: what was placed as a secret is not in it.
pub(super) fn failure(error: &egress::Error, secrets: &Watch) -> Failure {
    let scrubbed = |text: &str| secrets.text(Place::Message, text).into_owned();
    let told = match error.guest_class() {
        GuestClass::Denied => Told::Denied,
        GuestClass::Invalid | GuestClass::Limit => Told::Invalid,
        GuestClass::Unreachable => Told::Unreachable,
        GuestClass::Timeout => Told::Timeout,
        GuestClass::Response => Told::Incomplete,
    };
    let limit = match error {
        egress::Error::Limit { limit, allowed } => {
            Some(Limited { name: limit.name().to_owned(), allowed: *allowed })
        }
        _ => None,
    };
    Failure {
        code: error.code().to_owned(),
        told,
        text: (told == Told::Invalid).then(|| scrubbed(&error.guest_text())),
        denied: denied(error).map(|text| scrubbed(&text)),
        limit,
    }
}

/// What the host refused, with the line that would allow it.
fn denied(error: &egress::Error) -> Option<String> {
    match error {
        egress::Error::RequestDenied { line_to_add, .. }
        | egress::Error::AddressDenied { line_to_add, .. } => {
            let line =
                line_to_add.as_ref().map_or(String::new(), |line| format!("\nto allow it, add\n{line}"));
            Some(format!("{error}{line}"))
        }
        egress::Error::Credential(fault) if matches!(error.class(), Class::Denied | Class::Host) => {
            Some(format!("{fault}\n{}", fault.hint()))
        }
        egress::Error::Revoked { to_allow, .. } => Some(format!("{error}\n{to_allow}")),
        _ => (error.class() == Class::Host).then(|| error.to_string()),
    }
}

/// Tell the guest what it may know, and the run's report all of it.
pub(super) fn to_guest(failure: Failure, meter: &Meter) -> Error {
    let Failure { told, text, denied, limit, .. } = failure;
    if let Some(denied) = denied {
        meter.denied(denied);
    }
    if let Some(Limited { name, allowed }) = limit
        && let Some(limit) = limit_named(&name)
    {
        let (name, unit, what) = manifest_limit(limit);
        meter.hit(name, format!("{allowed} {unit}"), what.to_owned());
    }
    match told {
        Told::Denied => Error::HttpRequestDenied,
        Told::Invalid => Error::InternalError(text),
        Told::Unreachable => Error::DestinationUnavailable,
        Told::Timeout => Error::HttpResponseTimeout,
        Told::Incomplete => Error::HttpResponseIncomplete,
    }
}

fn limit_named(name: &str) -> Option<Limit> {
    let name: StrDeserializer<'_, NoName> = name.into_deserializer();
    Limit::deserialize(name).ok()
}
