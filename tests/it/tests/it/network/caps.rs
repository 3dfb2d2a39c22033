//! Limits on requests and bodies end in a failure that names them as the manifest does, and says how much is allowed.

use super::servers::{serve_bytes, serve_nobody};
use super::{Plan, Wired};
use crate::harness::{eventually, neighbour_works};
use egress::Outcome;
use pipeline::failure::Cause;
use runtime::Limits;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Which limit this runs into at a server that answers with so many bytes, and how much is allowed.
async fn hits(
    config: Value,
    answer_bytes: usize,
    told: bool,
    set: impl FnOnce(&mut Limits),
) -> (String, String) {
    let server = serve_bytes(answer_bytes, told).await;
    let wired = Plan::to(server, "wire", config).limits(set).start().await;
    let failure = wired.read(None).await.unwrap_err();
    stands_in_the_ledger(&wired, server);
    let Cause::Limit { name, allowed, .. } = failure.cause else { panic!("no limit: {failure}") };
    let mut keys = manifest::Limits::KEYS.iter();
    assert!(keys.any(|(key, _)| *key == name), "a manifest does not know `{name}`");
    neighbour_works().await;
    (name, allowed)
}

/// Each of its requests, the last of which ran into the limit, and none to anybody else.
fn stands_in_the_ledger(wired: &Wired, server: SocketAddr) {
    let entries = wired.ledger.all();
    let last = entries.last().expect("it asked for something");
    assert!(matches!(last.outcome, Outcome::Failed { code: "CD0302", .. }), "{last:?}");
    for entry in &entries {
        assert_eq!((entry.host.as_str(), entry.port), ("127.0.0.1", server.port()));
        assert!(entry.address.is_none_or(|address| address == server), "{entry:?}");
    }
}

fn limit(name: &str, allowed: &str) -> (String, String) {
    (name.to_owned(), allowed.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted() {
    let found = hits(json!({"act": "get", "count": 5}), 10, true, |limits| limits.requests = 3).await;
    assert_eq!(found, limit("requests", "3 requests"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_one_response_is_bounded_whether_its_length_is_told_or_not() {
    for told in [true, false] {
        let found =
            hits(json!({"act": "get"}), 100_001, told, |limits| limits.response_bytes = 100_000).await;
        assert_eq!(found, limit("response_bytes", "100000 bytes"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_one_request_is_bounded() {
    let config = json!({"act": "upload", "count": 100_001});
    let found = hits(config, 10, true, |limits| limits.request_bytes = 100_000).await;
    assert_eq!(found, limit("request_bytes", "100000 bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bodies_of_all_responses_are_bounded() {
    let found =
        hits(json!({"act": "get", "count": 5}), 30_000, true, |limits| limits.bytes_in = 100_000).await;
    assert_eq!(found, limit("bytes_in", "100000 bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bodies_of_all_requests_are_bounded() {
    let config = json!({"act": "upload", "count": 100_001});
    let found = hits(config, 10, true, |limits| limits.bytes_out = 100_000).await;
    assert_eq!(found, limit("bytes_out", "100000 bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_what_is_allowed_goes_through() {
    let server = serve_bytes(1000, true).await;
    let plan = Plan::to(server, "wire", json!({"act": "get", "count": 3}));
    let wired = plan.limits(|limits| {
        (limits.requests, limits.response_bytes, limits.bytes_in) = (3, 1000, 3000);
    });
    wired.read().await.unwrap();
    let plan = Plan::to(server, "wire", json!({"act": "upload", "count": 1000}));
    plan.limits(|limits| (limits.request_bytes, limits.bytes_out) = (1000, 1000)).read().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn h38_an_upload_that_never_ends_is_cut_at_its_limit() {
    let config = json!({"act": "upload", "count": u64::MAX});
    let found = hits(config, 10, true, |limits| limits.request_bytes = 8 << 20).await;
    assert_eq!(found, limit("request_bytes", "8388608 bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn h38_an_upload_to_a_server_that_never_reads_waits_no_longer_than_a_call_may() {
    let server = serve_nobody().await;
    let plan = Plan::to(server.address(), "wire", json!({"act": "upload", "count": 64 << 20}));
    let wired = plan.limits(|limits| limits.host_call_ms = 300).start().await;
    let failure = wired.read(None).await.unwrap_err();
    assert!(matches!(&failure.cause, Cause::Limit { name, .. } if name == "host_call_ms"), "{failure}");
    // It is told once the request is let go, with the instance.
    eventually("the request is in the ledger", || !wired.ledger.all().is_empty()).await;
    let asked = wired.ledger.all();
    assert_eq!((asked.len(), &asked[0].outcome), (1, &Outcome::Abandoned), "{asked:?}");
    assert!(asked[0].bytes_out < 64 << 20, "{asked:?}");
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h38_zero_length_writes_forever_are_charged_as_work() {
    let config = json!({"act": "upload-nothing"});
    let server = serve_bytes(10, true).await;
    let plan = Plan::to(server, "wire", config).limits(|limits| limits.cpu_ms = 300);
    let failure = plan.read().await.unwrap_err();
    assert!(matches!(&failure.cause, Cause::Limit { name, .. } if name == "cpu_ms"), "{failure}");
    neighbour_works().await;
}
