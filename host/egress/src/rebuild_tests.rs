use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request};
use http_body_util::{BodyExt, StreamBody};

use super::{Outgoing, rebuild};
use crate::{Body, Caps, Error, Limit, empty, full};

fn request(method: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri("https://api.test/v1");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body).unwrap()
}

fn streamed() -> Body {
    let frames = futures::stream::iter([Ok(http_body::Frame::data(Bytes::from_static(b"12345")))]);
    StreamBody::new(frames).boxed_unsync()
}

fn built(method: &str, headers: &[(&str, &str)], body: Body) -> Outgoing {
    rebuild(request(method, headers, body), &Caps::default()).unwrap()
}

fn problem(method: &str, headers: &[(&str, &str)], body: Body) -> String {
    rebuild(request(method, headers, body), &Caps::default()).err().unwrap().to_string()
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
}

#[test]
fn a_plain_request_gets_host_encodings_and_an_agent() {
    let outgoing = built("GET", &[("accept", "text/csv")], empty());
    let agent = format!("user-agent: cofferdam/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines(&outgoing.head.headers),
        ["host: api.test", "accept: text/csv", "accept-encoding: gzip, br, zstd, deflate", &agent]
    );
    assert_eq!(outgoing.length, Some(0));
}

#[test]
fn e33_e34_e38_what_belongs_to_the_connection_or_the_host_is_dropped() {
    for (name, value) in [
        ("host", "evil.test"),
        ("connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic eA=="),
        ("transfer-encoding", "chunked"),
        ("te", "trailers"),
        ("trailer", "authorization"),
        ("upgrade", "websocket"),
        ("http2-settings", "AAMAAABk"),
        ("expect", "100-continue"),
        ("forwarded", "for=10.0.0.1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-anything", "xyz"),
        ("x-host", "evil.test"),
        ("x-original-host", "evil.test"),
        ("x-http-host-override", "evil.test"),
        // To a server behind a gateway that makes variables of headers these are the same names.
        ("content_length", "11"),
        ("transfer_encoding", "chunked"),
        ("x_forwarded_host", "evil.test"),
        ("x.forwarded.for", "10.0.0.1"),
        ("proxy_authorization", "Basic eA=="),
    ] {
        let outgoing = built("GET", &[(name, value)], empty());
        let sent = lines(&outgoing.head.headers).join("\n");
        assert!(!sent.contains(value), "{name} passed: {sent}");
    }
    let outgoing = built("GET", &[("accept-encoding", "compress")], empty());
    assert_eq!(outgoing.head.headers["accept-encoding"], "gzip, br, zstd, deflate");
}

#[test]
fn e34_host_is_the_judged_authority_whatever_the_guest_says() {
    for host in ["evil.test", "api.test:80", "API.TEST", ""] {
        let outgoing = built("GET", &[("host", host), ("Host", "second.test")], empty());
        let sent: Vec<_> = outgoing.head.headers.get_all("host").iter().collect();
        assert_eq!(sent, ["api.test"]);
    }
}

#[test]
fn e40_headers_named_by_connection_are_dropped() {
    let headers = [
        ("x-hop", "1"),
        ("connection", "X-Hop, close"),
        ("connection", "x-other"),
        ("x-other", "2"),
        ("x-kept", "3"),
    ];
    let outgoing = built("GET", &headers, empty());
    assert!(!outgoing.head.headers.contains_key("x-hop") && !outgoing.head.headers.contains_key("x-other"));
    assert_eq!(outgoing.head.headers["x-kept"], "3");
}

#[test]
fn values_of_one_name_keep_their_order() {
    let outgoing = built("GET", &[("x-a", "1"), ("x-b", "2"), ("x-a", "3")], empty());
    let sent: Vec<_> = outgoing.head.headers.get_all("x-a").iter().collect();
    assert_eq!(sent, ["1", "3"]);
}

#[test]
fn e45_headers_that_override_what_was_judged_are_refused() {
    for name in [
        "x-http-method-override",
        "X-HTTP-Method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        "x-override-url",
        "x-original-uri",
        "x-envoy-original-path",
        "X_HTTP_Method_Override",
        "x_original_url",
    ] {
        assert!(problem("POST", &[(name, "DELETE")], empty()).contains("rights have judged"), "{name}");
    }
}

#[test]
fn e37_methods_that_are_not_known_are_refused() {
    for method in ["CONNECT", "TRACE", "TRACK", "get", "DEBUG", "PURGE"] {
        assert!(problem(method, &[], empty()).contains("is not supported"), "{method}");
    }
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT"] {
        assert_eq!(built(method, &[], empty()).head.method, method);
    }
    assert!(Method::from_bytes(b"GET /x HTTP/1.1\r\n").is_err());
}

#[test]
fn e32_line_breaks_and_nuls_cannot_be_in_a_header() {
    // The types of `http` guarantee it; the rebuild relies on that.
    for bytes in [&b"a\r\nb"[..], b"a\nb", b"a\rb", b"a\0b", b"\x7f"] {
        assert!(HeaderValue::from_bytes(bytes).is_err(), "{bytes:?}");
        assert!(HeaderName::from_bytes(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn e33_a_length_is_one_plain_number_and_true() {
    for value in ["+5", "5, 5", "0x5", " 5 5", "", "-5", "99999999999999999999"] {
        let said = problem("POST", &[("content-length", value)], full("12345"));
        assert!(said.contains("plain number") || said.contains("too large"), "{value}: {said}");
    }
    let twice = [("content-length", "5"), ("content-length", "5")];
    assert!(problem("POST", &twice, full("12345")).contains("is there twice"));
    assert!(
        problem("POST", &[("content-length", "6")], full("12345")).contains("is not the length of the body")
    );
    assert!(problem("GET", &[("content-length", "6")], empty()).contains("is not the length of the body"));
}

#[test]
fn the_length_is_declared_or_known_and_never_sent_as_the_guest_wrote_it() {
    assert_eq!(built("POST", &[("content-length", "5")], full("12345")).length, Some(5));
    assert_eq!(built("POST", &[], full("12345")).length, Some(5));
    assert_eq!(built("POST", &[("content-length", "5")], streamed()).length, Some(5));
    assert_eq!(built("POST", &[], streamed()).length, None);
    assert!(
        !built("POST", &[("content-length", "5")], full("12345")).head.headers.contains_key("content-length")
    );
    // Servers answer 411 to an empty POST that does not say so.
    assert_eq!(built("POST", &[], empty()).head.headers["content-length"], "0");
    assert!(!built("GET", &[], empty()).head.headers.contains_key("content-length"));
}

#[test]
fn a_part_of_a_resource_is_asked_for_unencoded() {
    let outgoing = built("GET", &[("range", "bytes=0-9")], empty());
    assert_eq!(outgoing.head.headers["accept-encoding"], "identity");
}

#[test]
fn e42_large_and_many_headers_are_a_limit_that_is_named() {
    let large = "a".repeat(64 << 10);
    let error = rebuild(request("GET", &[("x-large", &large)], empty()), &Caps::default()).err().unwrap();
    assert!(matches!(error, Error::Limit { limit: Limit::RequestHeadBytes, .. }), "{error}");
    let mut many = request("GET", &[], empty());
    for _ in 0..2_000 {
        many.headers_mut().append("x", HeaderValue::from_static("y"));
    }
    let error = rebuild(many, &Caps::default()).err().unwrap();
    assert!(matches!(error, Error::Limit { limit: Limit::RequestHeadBytes, .. }), "{error}");
}

#[test]
fn only_requests_that_may_arrive_twice_are_idempotent() {
    for (method, expected) in
        [("GET", true), ("PUT", true), ("DELETE", true), ("POST", false), ("PATCH", false)]
    {
        assert_eq!(built(method, &[], empty()).head.is_idempotent(), expected, "{method}");
    }
}
