//! Amazon's signature, version 4, over exactly what is sent.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};

use super::material::Material;
use super::query;
use crate::headers;
use crate::rebuild::Head;

/// Parameters of a signature in the query. Beside one in the headers they make the request ambiguous, and a guest could
/// only mean to have its own signature read.
const QUERY_SIGNATURE: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-security-token",
];

/// What is known of the body when the request is signed.
pub(super) enum Body {
    /// Its SHA-256 in hexadecimal digits.
    Hashed(String),
    /// Nothing: the connection's encryption alone protects it.
    Unsigned,
}

/// Where and when a signature holds.
pub(super) struct Scope<'a> {
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) now: SystemTime,
}

/// Signs the head in place; the error says what is wrong with the credential.
pub(super) fn place(
    head: &mut Head,
    scope: &Scope<'_>,
    material: &Material,
    body: Body,
) -> Result<(), &'static str> {
    let key_id = material.get("access_key_id").ok_or("has no access key id")?;
    let secret = material.get("secret_access_key").ok_or("has no secret access key")?;
    let token = material.get("session_token").map(ToOwned::to_owned);
    clear(head)?;
    let identity = Credentials::new(key_id, secret, token, None, "cofferdam").into();
    let signed = signature(head, scope, &identity, body)?;
    for (name, value) in signed {
        let mut value = HeaderValue::from_str(&value).map_err(|_| "cannot stand in a header")?;
        value.set_sensitive(name == AUTHORIZATION || name.as_str() == "x-amz-security-token");
        head.headers.insert(name, value);
    }
    Ok(())
}

/// Takes away what the guest put where a signature goes.
fn clear(head: &mut Head) -> Result<(), &'static str> {
    for name in ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"] {
        headers::remove(&mut head.headers, name);
    }
    let target = query::without(&head.target.path_and_query, |name| QUERY_SIGNATURE.contains(&name));
    let target = http::uri::PathAndQuery::from_maybe_shared(bytes::Bytes::from(target));
    head.target.path_and_query = target.map_err(|_| "cannot be signed: its path and query are not sound")?;
    Ok(())
}

fn signature(
    head: &Head,
    scope: &Scope<'_>,
    identity: &Identity,
    body: Body,
) -> Result<Vec<(HeaderName, String)>, &'static str> {
    let params = SigningParams::builder()
        .identity(identity)
        .region(scope.region)
        .name(scope.service)
        .time(scope.now)
        .settings(settings(scope.service))
        .build()
        .map_err(|_| "cannot be signed: a setting is missing")?
        .into();
    let body = match body {
        Body::Hashed(digest) => SignableBody::Precomputed(digest),
        Body::Unsigned => SignableBody::UnsignedPayload,
    };
    let uri = head.target.absolute().map_err(|_| "cannot be signed: its URL is not sound")?.to_string();
    let request = SignableRequest::new(head.method.as_str(), uri, signed_headers(&head.headers), body)
        .map_err(|_| "cannot be signed: its URL is not sound")?;
    let (instructions, _signature) =
        sign(request, &params).map_err(|_| "cannot be signed: a header is not text")?.into_parts();
    let (headers, _none_in_the_query) = instructions.into_parts();
    headers
        .into_iter()
        .map(|header| {
            let name = HeaderName::from_bytes(header.name().as_bytes()).map_err(|_| "cannot be signed")?;
            Ok((name, header.value().to_owned()))
        })
        .collect()
}

/// Services that take a body which is not part of the signature.
pub(super) fn takes_unsigned(service: &str) -> bool {
    matches!(service, "s3" | "s3-object-lambda" | "s3express" | "s3-outposts")
}

/// `s3` alone reads paths as they are; every other service normalises them and decodes twice.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if matches!(service, "s3" | "s3-object-lambda" | "s3express") {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

/// What must be signed, and what changes the meaning of a request. The rest may be changed by a proxy on the way, and
/// the request would be refused for nothing.
fn signed_headers(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .filter(|(name, _)| {
            [HOST, CONTENT_TYPE].contains(name)
                || matches!(name.as_str(), "content-md5" | "range")
                || name.as_str().starts_with("x-amz-")
        })
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

#[cfg(test)]
#[path = "aws_tests.rs"]
mod tests;
