//! Signatures are over what arrives. The server computes them anew from the bytes it was sent.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use egress::credential::Placed;
use egress::{Class, Error, Limit, WallClock};
use http::Request;
use ring::{digest, hmac};
use tracing::instrument::WithSubscriber;

use super::quiet::Everything;
use crate::support::authority::Authority;
use crate::support::kept_credentials::{Keeper, asks, placed};
use crate::support::raw::{Raw, Then};
use crate::support::served::{Answer, Served, only_header, reply};
use crate::support::{House, certain, fetch, get, post, read, send};

const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const AWS: &str = "kind = \"aws-sigv4\"\nservice = \"s3\"\nregion = \"eu-central-1\"";
const HMAC: &str = "kind = \"hmac\"\nsign = \"${timestamp}.${method}.${target}.${body}\"\nhash = \"sha256\"\n\
                    encoding = \"hex\"\nheader = \"x-signature\"\nprefix = \"v1=\"\ntimestamp_header = \"x-time\"";
const MIB: u64 = 1 << 20;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

fn header(request: &Request<Bytes>, name: &str) -> String {
    only_header(request, name).unwrap_or_default()
}

/// Amazon's "Create a signed AWS API request", step by step, over what arrived.
fn aws_signature(request: &Request<Bytes>) -> String {
    let authorization = header(request, "authorization");
    let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
    let (names, _) = rest.split_once(',').unwrap();
    let signed: String = names.split(';').map(|name| format!("{name}:{}\n", header(request, name))).collect();
    let mut query: Vec<&str> = request.uri().query().unwrap_or_default().split('&').collect();
    query.sort_unstable();
    let (path, query) = (request.uri().path(), query.join("&"));
    let payload = header(request, "x-amz-content-sha256");
    let canonical = format!("{}\n{path}\n{query}\n{signed}\n{names}\n{payload}", request.method());
    let date = header(request, "x-amz-date");
    let day = date.split('T').next().unwrap().to_owned();
    let scope = format!("{day}/eu-central-1/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let start = format!("AWS4{KEY}").into_bytes();
    let parts = [day.as_str(), "eu-central-1", "s3", "aws4_request"];
    let key = parts.iter().fold(start, |key, part| keyed(&key, part.as_bytes()));
    hex(&keyed(&key, text.as_bytes()))
}

/// Does the signature hold, and the body's hash, if it says one?
fn aws_holds(request: &Request<Bytes>) -> bool {
    let payload = header(request, "x-amz-content-sha256");
    let body_holds = payload == "UNSIGNED-PAYLOAD" || payload == sha256(request.body());
    body_holds && header(request, "authorization").ends_with(&format!("Signature={}", aws_signature(request)))
}

fn hmac_holds(request: &Request<Bytes>) -> bool {
    let target = request.uri().path_and_query().unwrap();
    let mut text = format!("{}.{}.{target}.", header(request, "x-time"), request.method()).into_bytes();
    text.extend_from_slice(request.body());
    header(request, "x-signature") == format!("v1={}", hex(&keyed(KEY.as_bytes(), &text)))
}

fn judge(request: &Request<Bytes>) -> Answer {
    let holds =
        if request.headers().contains_key("x-signature") { hmac_holds(request) } else { aws_holds(request) };
    let payload = header(request, "x-amz-content-sha256");
    reply(if holds { 200 } else { 403 }, format!("{} {payload}", request.body().len()))
}

fn keeper() -> Arc<Keeper> {
    Keeper::with("acme.api", &[("access_key_id", "AKIDEXAMPLE"), ("secret_access_key", KEY), ("key", KEY)])
}

#[tokio::test]
async fn signatures_hold_for_every_form_of_body() {
    let server = Served::plain(|request| judge(&request)).await;
    for settings in [AWS, HMAC] {
        let house = House::placing(keeper().settings(placed(&server.url(""), settings)));
        let client = house.client();
        for (request, bytes) in [
            (get(server.url("/bucket?list-type=2&prefix=a%2Fb&delimiter=%20")), 0),
            (get(server.url("/a%20key/with~some_parts.txt")), 0),
            (post(server.url("/x"), egress::full("hello")), 5),
            (post(server.url("/x"), certain::body(3 * MIB)), 3 * MIB),
            (post(server.url("/x"), certain::body(8 * MIB)), 8 * MIB),
        ] {
            let response = send(&client, request).await.unwrap();
            assert_eq!(response.status(), 200, "{settings} {bytes}");
            let told = read(response).await.unwrap();
            assert!(told.starts_with(format!("{bytes} ").as_bytes()), "{told:?}");
        }
    }
}

#[tokio::test]
async fn signatures_hold_over_http_2() {
    let authority = Authority::new();
    let server = Served::secure(&authority.issue("api.test"), "h2", |request| {
        // `Host` is what `:authority` says there.
        let authority = request.uri().authority().unwrap().to_string();
        let (mut head, body) = request.into_parts();
        head.headers.insert("host", authority.parse().unwrap());
        judge(&Request::from_parts(head, body))
    })
    .await;
    let url = format!("https://api.test:{}", server.address.port());
    for settings in [AWS, HMAC] {
        let house = House::placing(keeper().settings(placed(&url, settings))).trusting(&authority.pem());
        let request = post(format!("{url}/x?b=1&a=2"), egress::full("hello"));
        assert_eq!(send(&house.client(), request).await.unwrap().status(), 200, "{settings}");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_sent_unsigned_over_https_and_refused_elsewhere() {
    let authority = Authority::new();
    let secure = Served::secure(&authority.issue("api.test"), "http/1.1", |request| judge(&request)).await;
    let url = format!("https://api.test:{}", secure.address.port());
    let house = House::placing(keeper().settings(placed(&url, AWS))).trusting(&authority.pem());
    for (body, told) in [
        (egress::full(vec![7; 9 << 20]), "9437184 UNSIGNED-PAYLOAD"),
        // How much comes is not known, and S3 need not know it either.
        (certain::body(3), "3 UNSIGNED-PAYLOAD"),
    ] {
        let response = send(&house.client(), post(format!("{url}/x"), body)).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(read(response).await.unwrap(), told);
    }
    let plain = Served::plain(|request| judge(&request)).await;
    for (settings, is_known) in [(AWS, true), (AWS, false), (HMAC, true), (HMAC, false)] {
        let house = House::placing(keeper().settings(placed(&plain.url(""), settings)));
        let body = if is_known { egress::full(vec![7; (8 << 20) + 1]) } else { certain::body(8 * MIB + 1) };
        let error = send(&house.client(), post(plain.url("/x"), body)).await.unwrap_err();
        let named = matches!(error, Error::Limit { limit: Limit::KeptBodyBytes, allowed: 8_388_608 });
        assert!(named && error.class() == Class::Limit, "{settings}: {error}");
        assert!(error.guest_text().contains("`kept-body-bytes` of 8388608"), "{}", error.guest_text());
    }
    assert_eq!(plain.connections(), 0);
}

#[tokio::test]
async fn a_signature_is_over_what_other_credentials_put_into_the_request() {
    let server = Served::plain(|request| judge(&request)).await;
    let url = server.url("");
    // The signature stands first in the manifest, and is placed last.
    let body = format!(
        "[[asks.credentials]]\nname = \"signed\"\naudience = [{{ url = \"{url}\" }}]\n{HMAC}\n\
         [[asks.credentials]]\nname = \"key\"\naudience = [{{ url = \"{url}\" }}]\nkind = \"query\"\nparameter = \"key\"\n"
    );
    let keeper = Keeper::with("acme.signed", &[("key", KEY)]);
    keeper.enter("acme.key", &[("value", "canary")]);
    let placed =
        asks(&[&url], &body).into_iter().map(|ask| Placed { stored: format!("acme.{}", ask.name), ask });
    let house = House::placing(keeper.settings(placed.collect()));
    let response = send(&house.client(), post(server.url("/x?a=1"), egress::full("b"))).await.unwrap();
    assert_eq!(response.status(), 200);
    read(response).await.unwrap();
    assert_eq!(house.ledger.only().credential.as_deref(), Some("acme.key, acme.signed"));
}

/// A clock that a test sets.
fn clock(at_s: u64) -> (Arc<Mutex<SystemTime>>, WallClock) {
    let now = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(at_s)));
    let read = Arc::clone(&now);
    (now, Arc::new(move || *read.lock().unwrap()))
}

#[tokio::test]
async fn e66_each_request_is_signed_at_the_time_when_it_is_sent() {
    for (settings, name, times) in [
        (AWS, "x-amz-date", ["20150830T123600Z", "20150830T133601Z"]),
        (HMAC, "x-time", ["1440938160", "1440941761"]),
    ] {
        let server = Served::plain(move |request| {
            let time = header(&request, name);
            let status = judge(&request).status().as_u16();
            reply(status, time)
        })
        .await;
        let (now, clock) = clock(1_440_938_160);
        let mut house = House::placing(keeper().settings(placed(&server.url(""), settings)));
        house.clock = Some(clock);
        let client = house.client();
        for time in times {
            let response = send(&client, get(server.url("/"))).await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(read(response).await.unwrap(), time);
            *now.lock().unwrap() += Duration::from_secs(3601);
        }
    }
}

#[tokio::test]
async fn e66_a_refusal_by_a_server_whose_clock_differs_is_told_to_the_operator() {
    for (date, is_told) in [("Fri, 01 Jan 2038 00:00:00 GMT", true), ("Tue, 14 Nov 2023 22:17:00 GMT", false)]
    {
        let answer = format!("HTTP/1.1 403 x\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n");
        let server = Raw::answering(answer, Then::Serve).await;
        let mut house = House::placing(keeper().settings(placed(&server.url(""), AWS)));
        house.clock = Some(clock(1_700_000_000).1);
        let everything = Everything::default();
        let client = house.client();
        let response = send(&client, get(server.url("/"))).with_subscriber(everything.clone()).await.unwrap();
        assert_eq!(response.status(), 403);
        assert_eq!(
            everything.text().contains("the server's clock differs from this machine's"),
            is_told,
            "{date}"
        );
    }
}

#[tokio::test]
async fn e67_a_signature_holds_for_nothing_but_what_was_signed() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let server = Served::plain(move |request| {
        kept.lock().unwrap().push(request);
        reply(200, "")
    })
    .await;
    for settings in [AWS, HMAC] {
        let house = House::placing(keeper().settings(placed(&server.url(""), settings)));
        fetch(&house.client(), post(server.url("/a?b=c"), egress::full("body"))).await.unwrap();
    }
    let tamper: [fn(&mut Request<Bytes>); 5] = [
        |request| *request.method_mut() = http::Method::PUT,
        |request| *request.uri_mut() = "/A?b=c".parse().unwrap(),
        |request| *request.uri_mut() = "/a?b=d".parse().unwrap(),
        |request| *request.body_mut() = Bytes::from_static(b"Body"),
        |request| {
            for name in ["x-amz-date", "x-time"] {
                request.headers_mut().insert(name, "20150830T123600Z".parse().unwrap());
            }
        },
    ];
    for request in seen.lock().unwrap().iter() {
        assert_eq!(judge(request).status(), 200);
        for change in tamper {
            let mut other = Request::new(request.body().clone());
            *other.method_mut() = request.method().clone();
            *other.uri_mut() = request.uri().clone();
            *other.headers_mut() = request.headers().clone();
            change(&mut other);
            assert_eq!(judge(&other).status(), 403);
        }
    }
    let mut moved = seen.lock().unwrap().remove(0);
    moved.headers_mut().insert("host", "evil.test".parse().unwrap());
    assert_eq!(judge(&moved).status(), 403, "the host is signed too");
}

#[tokio::test]
async fn a_token_that_the_host_signed_is_used_until_it_is_old() {
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&tokens);
    let server = Served::plain(move |request| {
        kept.lock().unwrap().push(header(&request, "authorization"));
        reply(200, "")
    })
    .await;
    let key = include_str!("../../keys/ec.pem");
    let keeper = Keeper::with("acme.api", &[("private_key", key), ("issuer", "service@acme.test")]);
    let settings = "kind = \"jwt-bearer\"\nalgorithm = \"ES256\"\nlifetime = \"20 min\"";
    let (now, clock) = clock(1_700_000_000);
    let mut house = House::placing(keeper.settings(placed(&server.url(""), settings)));
    house.clock = Some(clock);
    let client = house.client();
    for wait_s in [0, 60, 14 * 60, 2 * 60] {
        *now.lock().unwrap() += Duration::from_secs(wait_s);
        fetch(&client, get(server.url("/"))).await.unwrap();
    }
    let tokens = tokens.lock().unwrap();
    assert!(tokens[0].starts_with("Bearer ey") && tokens[0].split('.').count() == 3, "{}", tokens[0]);
    assert_eq!((&tokens[0], &tokens[0]), (&tokens[1], &tokens[2]));
    assert_ne!(tokens[2], tokens[3], "three quarters of its life are over");
}

#[tokio::test]
async fn a_key_that_is_entered_anew_signs_the_next_token() {
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&tokens);
    let server = Served::plain(move |request| {
        kept.lock().unwrap().push(header(&request, "authorization"));
        reply(200, "")
    })
    .await;
    let authority = Authority::new();
    let keeper = Keeper::new("acme");
    let enter =
        || keeper.enter("acme.api", &[("private_key", &authority.issue("any").key), ("issuer", "app")]);
    let settings = "kind = \"jwt-bearer\"\nalgorithm = \"ES256\"\nlifetime = \"20 min\"";
    let client = House::placing(keeper.settings(placed(&server.url(""), settings))).client();
    for _key in 0..2 {
        enter();
        for _request in 0..2 {
            fetch(&client, get(server.url("/"))).await.unwrap();
        }
    }
    let tokens = tokens.lock().unwrap();
    assert_eq!((&tokens[0], &tokens[2]), (&tokens[1], &tokens[3]));
    assert_ne!(tokens[1], tokens[2], "the former key still signs");
}
