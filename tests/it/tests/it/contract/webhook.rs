//! A webhook: rows of messages, at the host's own position, and challenges that are answered in a world that stands still.

use super::Proof;
use crate::harness::eventually;
use async_trait::async_trait;
use egress::{Body, Usage};
use http::{Request, Response};
use pipeline::model::{Rows, StreamSchema};
use runtime::{Answer, Challenge, ChallengeAnswer, Directory, Grants, HttpOut, Message};
use scrub::Watch;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn message(sequence: u64, event: &str, body: &str) -> Message {
    Message { sequence, headers: vec![("x-event".into(), event.into())], body: body.into() }
}

async fn schemas(proof: &Proof) -> Vec<StreamSchema> {
    let catalog = proof.webhook().discover().await.unwrap();
    catalog.streams.into_iter().map(|info| info.schema).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_reach_it_whole_and_the_last_sequence_number_is_the_checkpoint() {
    let proof = Proof::new(json!({})).await;
    let schemas = schemas(&proof).await;
    let messages = vec![message(7, "a", "{\"one\":1}"), message(u64::MAX - 1, "b", "\u{e4}")];
    let page = proof.webhook().rows(messages, &schemas).await.unwrap();
    let said = [
        r#"message 7 [("x-event", "a")] {"one":1}"#,
        "message 18446744073709551614 [(\"x-event\", \"b\")] \u{e4}",
    ];
    assert_eq!(proof.said_of("message"), said);
    // The guest gave a checkpoint of its own, which counts for nothing.
    assert_eq!(page.checkpoint.as_deref(), Some("18446744073709551614"));
    assert_eq!(page.batches[0].row_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_to_the_streams_that_the_messages_name_and_what_is_no_row_is_rejected() {
    let config = json!({"events": ["paid", "sent"]});
    let proof = Proof::of("example-webhook", config, Grants::none()).await;
    let schemas = schemas(&proof).await;
    let messages = vec![
        message(1, "paid", "{\"sum\":3}"),
        message(2, "unwanted", "{}"),
        message(3, "sent", "{}"),
        message(4, "paid", "no JSON"),
    ];
    let page = proof.webhook().rows(messages, &schemas).await.unwrap();
    let text = |at: usize| {
        let Rows::JsonLines(lines) = &page.batches[at].rows else { panic!("no lines") };
        (page.batches[at].stream.clone(), String::from_utf8(lines.data.clone()).unwrap())
    };
    assert_eq!(text(0), ("paid".into(), "{\"sequence\":1,\"sum\":3}\n".into()));
    assert_eq!(text(1), ("sent".into(), "{\"sequence\":3}\n".into()));
    assert_eq!((page.rejects.len(), page.rejects[0].stream.as_str()), (1, "paid"));
    assert_eq!(page.checkpoint.as_deref(), Some("4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_not_chosen_may_not_come() {
    let proof = Proof::new(json!({})).await;
    let failure = proof.webhook().rows(vec![message(1, "a", "")], &[]).await.unwrap_err();
    assert!(failure.to_string().contains("the stream `messages` was not asked for"), "{failure}");
}

/// A way out that answers, and counts how often it was used.
#[derive(Default)]
struct Counted(AtomicU64);

#[async_trait]
impl HttpOut for Counted {
    async fn answer(&self, _: Request<Body>, _: &Watch) -> Answer {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Response::default())
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

fn challenge(path: &str) -> Challenge {
    Challenge {
        method: "GET".into(),
        path: path.into(),
        headers: vec![("accept".into(), "text/plain".into())],
        body: b"https://api.example.com/".to_vec(),
    }
}

fn text(answer: &ChallengeAnswer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_answered_the_same_twice_and_reaches_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let way_out = Arc::new(Counted::default());
    let data =
        Directory { name: "data".into(), path: directory.path().to_owned(), writable: true, root: None };
    let grants = Grants { http: way_out.clone(), directories: vec![data], ..Grants::none() };
    let proof = Proof::of("proof", json!({}), grants).await;
    let first = proof.webhook().answer_challenge(challenge("/hook?a=1")).await.unwrap();
    let began = Instant::now();
    eventually("real clocks move on", || began.elapsed() > Duration::from_millis(5)).await;
    let second = proof.webhook().answer_challenge(challenge("/hook?a=1")).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(first.status, 207);
    assert_eq!(first.headers, [("x-one".into(), "1".into()), ("x-two".into(), String::new())]);
    let text = text(&first);
    assert!(text.starts_with("GET /hook?a=1 [(\"accept\", \"text/plain\")]\n"), "{text}");
    assert!(text.contains("wall Ok(0)\nmonotonic 0\n"), "{text}");
    assert!(text.contains("directories 0\nhttp Err(Denied("), "{text}");
    assert_eq!(way_out.0.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_a_status_that_is_none_is_refused() {
    let proof = Proof::new(json!({})).await;
    let failure = proof.webhook().answer_challenge(challenge("/no-status")).await.unwrap_err();
    assert!(failure.to_string().contains("99 is no status of an answer"), "{failure}");
    assert_eq!(failure.call, "webhook.answer-challenge");
}
