//! The wish to stop: a flag that a busy guest sees, and a pollable that wakes a waiting one.

use super::{Proof, next_page};
use crate::harness::eventually;
use runtime::Stopper;
use serde_json::json;
use std::time::{Duration, Instant};

/// Let a guest run into `act`, raise the wish once it said so, and see its page long before the grace ends.
async fn stops(act: &str, begin: &str) -> Vec<String> {
    let (stopper, stop) = Stopper::new();
    let proof = Proof::stoppable(json!({ "steps": [act] }), stop).await;
    let mut reader = proof.reader("values", &["values"]).await;
    let page = tokio::spawn(async move { next_page(&mut reader).await });
    eventually(begin, || proof.said_of(begin).len() == 1).await;
    assert!(!page.is_finished());
    let began = Instant::now();
    stopper.stop();
    assert_eq!(page.await.unwrap().checkpoint.as_deref(), Some("\"stopped\""));
    assert!(began.elapsed() < Duration::from_secs(4), "only the grace of 5 s ended it");
    proof.said()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pollable_wakes_a_guest_that_waits() {
    let said = stops("poll-for-stop", "waiting").await;
    let expect = ["waiting, stop requested: false", "woken by [1], stop requested: true"];
    assert_eq!(said[said.len() - 2..], expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_is_seen_by_a_guest_that_works() {
    let said = stops("look-for-stop", "looking").await;
    let expect = ["looking, time to come back: false", "seen, time to come back: true"];
    assert_eq!(said[said.len() - 2..], expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_was_raised_before_is_seen_at_once() {
    let (stopper, stop) = Stopper::new();
    stopper.stop();
    let proof = Proof::stoppable(json!({ "steps": ["poll-for-stop", "look-for-stop"] }), stop).await;
    let mut reader = proof.reader("values", &["values"]).await;
    next_page(&mut reader).await;
    next_page(&mut reader).await;
    assert_eq!(proof.said_of("waiting"), ["waiting, stop requested: true"]);
}
