//! Time: the guest's own timeouts are kept, and a request does not outlive the instance that made it.

use super::servers::{Raw, Then};
use super::{Never, Plan};
use crate::harness::{budget, eventually, neighbour_works};
use egress::Outcome;
use pipeline::failure::{Cause, GuestError};
use pipeline::model::{Page, Step};
use serde_json::json;
use std::time::{Duration, Instant};

/// Far below every timeout of the host, and far above what a loaded machine needs for the guest's.
const SOON: Duration = Duration::from_secs(8);

/// What a guest that waits for 200 ms says, and that it did not wait for much longer.
async fn impatient(plan: Plan) -> String {
    let began = Instant::now();
    let failure = plan.read().await.unwrap_err();
    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    match failure.cause {
        Cause::Guest(GuestError::Transient { message, .. }) => message,
        other => panic!("not transient: {other:?}"),
    }
}

fn get() -> serde_json::Value {
    json!({"act": "get", "timeout_ms": 200})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeout_to_the_first_byte_is_the_guests() {
    let server = Raw::answering("", Then::Hold).await;
    let said = impatient(Plan::to(server.address, "wire", get())).await;
    assert!(said.ends_with("no answer in time"), "{said}");
    eventually("the connection is closed", || server.open() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeout_between_bytes_is_the_guests() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it";
    let server = Raw::answering(half, Then::Hold).await;
    let said = impatient(Plan::to(server.address, "wire", get())).await;
    assert!(said.ends_with("no answer in time"), "{said}");
    eventually("the connection is closed", || server.open() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeout_to_connect_is_the_guests() {
    let said = impatient(Plan::named("http://api.test", "wire", get()).resolver(Never)).await;
    assert!(said.ends_with("the other system cannot be reached"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_with_the_instance_that_ran_into_a_limit() {
    let server = Raw::answering("", Then::Hold).await;
    let plan = Plan::to(server.address, "wire", json!({"act": "get"}));
    let wired = plan.limits(|limits| limits.host_call_ms = 300).start().await;
    let failure = wired.read(None).await.unwrap_err();
    assert!(matches!(&failure.cause, Cause::Limit { name, .. } if name == "host_call_ms"), "{failure}");
    eventually("the connection is closed", || server.open() == 0).await;
    eventually("the ledger knows", || wired.ledger.all().len() == 1).await;
    assert_eq!(wired.ledger.all()[0].outcome, Outcome::Abandoned);
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_with_the_call_that_nobody_waits_for() {
    let server = Raw::answering("", Then::Hold).await;
    let wired = Plan::to(server.address, "wire", json!({"act": "get"})).start().await;
    let mut reader = wired.reader(None).await;
    let call = tokio::spawn(async move { reader.next(budget()).await });
    eventually("the request is there", || server.heads().len() == 1).await;
    call.abort();
    eventually("the connection is closed", || server.open() == 0).await;
    eventually("the ledger knows", || wired.ledger.all().len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h37_a_request_that_the_guest_left_behind_ends_with_its_reader() {
    let server = Raw::answering("", Then::Hold).await;
    let wired = Plan::to(server.address, "wire", json!({"act": "leave"})).start().await;
    let mut reader = wired.reader(None).await;
    assert_eq!(reader.next(budget()).await.unwrap(), Step::Page(Page::default()));
    eventually("the request is there", || server.heads().len() == 1).await;
    assert_eq!(server.open(), 1);
    drop(reader);
    eventually("the connection is closed", || server.open() == 0).await;
}
