//! Errors: each of the contract's seven arrives as itself, from every call.

use super::{Proof, append, failed};
use crate::harness::budget;
use pipeline::connector::{Destination as _, Source as _, Transform as _};
use pipeline::failure::{Cause, Failure, FieldFault, GuestError};
use runtime::Message;
use serde_json::{Value, json};

fn failing(at: &str, with: &Value) -> Value {
    json!({"fail": {"at": at, "with": with}})
}

async fn check(with: Value, expect: GuestError, code: &str) {
    let proof = Proof::new(failing("source.check", &with)).await;
    let failure = proof.source().check().await.unwrap_err();
    assert_eq!(failure.cause, Cause::Guest(expect));
    assert_eq!(
        (failure.code(), failure.call.as_str(), failure.connector.as_str()),
        (code, "source.check", "proof")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn config_names_each_field_and_its_fault() {
    let fault = |path: &str, message: &str| FieldFault { path: path.into(), message: message.into() };
    let expect = GuestError::Config(vec![fault("/a/0", "too small"), fault("", "is missing a part")]);
    check(json!({"config": [["/a/0", "too small"], ["", "is missing a part"]]}), expect, "CD0601").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unauthorized_says_so() {
    check(json!({"unauthorized": "key expired"}), GuestError::Unauthorized("key expired".into()), "CD0602")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_names_the_right() {
    check(json!({"denied": "/data"}), GuestError::Denied("/data".into()), "CD0603").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_says_for_how_long_or_not() {
    for after in [Some(u64::MAX), Some(0), Some(1500), None] {
        let expect = GuestError::RateLimited { message: "slow".into(), retry_after_ms: after };
        check(json!({"rate-limited": ["slow", after]}), expect, "CD0604").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transient_says_for_how_long_or_not() {
    for after in [Some(7), None] {
        let expect = GuestError::Transient { message: "down".into(), retry_after_ms: after };
        check(json!({"transient": ["down", after]}), expect, "CD0605").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_says_what_cannot_be_read() {
    check(json!({"data": "no CSV"}), GuestError::Data("no CSV".into()), "CD0606").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_blames_the_connector() {
    check(json!({"bug": "line 7"}), GuestError::Bug("line 7".into()), "CD0607").await;
}

/// What this call fails with, all calls before it having gone well.
async fn failure_of(call: &str, proof: &Proof) -> Failure {
    let helper = Proof::new(json!({})).await;
    let schema = helper.schema("orders").await;
    let rows = super::destination::rows("orders", &["{}"]);
    match call.split_once('.').unwrap() {
        ("source", "check") => failed(proof.source().check().await),
        ("source", "discover") => failed(proof.source().discover().await),
        ("source", _) => failed(proof.source().open(super::all_of("log", vec![schema])).await),
        ("reader", method) => {
            let mut reader = proof.reader("log", &["orders"]).await;
            match method {
                "next" => failed(reader.next(budget()).await),
                _ => failed(reader.committed("1".into()).await),
            }
        }
        ("destination", "check") => failed(proof.destination().check().await),
        ("destination", _) => failed(proof.destination().open("unit".into(), Some(1)).await),
        ("writer", "committed") => failed(proof.writer(None).await.committed().await),
        ("writer", method) => {
            let mut writer = proof.writer(Some(1)).await;
            let prepared = writer.prepare(vec![append(schema)], false).await;
            match method {
                "prepare" => failed(prepared),
                "write" => failed(writer.write(0, rows).await),
                _ => failed(writer.commit("token".into(), true).await),
            }
        }
        ("transform", "check") => failed(proof.transform().check().await),
        ("transform", "plan") => failed(proof.transform().plan(vec![schema]).await),
        ("transform", _) => failed(proof.transform().open(vec![schema.clone()], vec![schema]).await),
        ("transformer", _) => failed(proof.transformer(vec![schema]).await.apply(rows).await),
        ("webhook", "discover") => failed(proof.webhook().discover().await),
        (_, _) => failed(proof.webhook().rows(vec![message()], &[schema]).await),
    }
}

fn message() -> Message {
    Message { sequence: 1, headers: Vec::new(), body: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_may_fail_and_is_named() {
    let calls = [
        "source.check",
        "source.discover",
        "source.open",
        "reader.next",
        "reader.committed",
        "destination.check",
        "destination.open",
        "writer.committed",
        "writer.prepare",
        "writer.write",
        "writer.commit",
        "transform.check",
        "transform.plan",
        "transform.open",
        "transformer.apply",
        "webhook.discover",
        "webhook.rows",
    ];
    for call in calls {
        let proof = Proof::new(failing(call, &json!({"transient": ["for now", 250]}))).await;
        let failure = failure_of(call, &proof).await;
        let expect = GuestError::Transient { message: "for now".into(), retry_after_ms: Some(250) };
        assert_eq!((failure.call.as_str(), &failure.cause), (call, &Cause::Guest(expect)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_of_another_shape_is_a_fault_at_its_field() {
    let proof = Proof::new(json!({"steps": [{"wait": "soon"}]})).await;
    let failure = proof.source().check().await.unwrap_err();
    let Cause::Guest(GuestError::Config(faults)) = &failure.cause else { panic!("{failure}") };
    assert!(faults[0].path.starts_with("/steps/0"), "{faults:?}");
    assert!(faults[0].message.contains("expected u32"), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_error_the_instance_is_gone_and_a_fresh_one_works() {
    let proof = Proof::new(failing("writer.commit", &json!({"transient": ["for now", null]}))).await;
    let mut writer = proof.writer(Some(1)).await;
    writer.commit("token".into(), true).await.unwrap_err();
    let failure = writer.commit("token".into(), true).await.unwrap_err();
    assert!(matches!(&failure.cause, Cause::Host(text) if text.contains("gone")), "{failure}");
    proof.writer(Some(2)).await.capabilities().await.unwrap();
}
