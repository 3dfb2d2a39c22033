//! Answers that are no rows: each reaches the guest as what it is, and the host as the error on which it can act.

use super::Plan;
use super::servers::{Raw, Then, answer};
use pipeline::failure::{Cause, GuestError};
use serde_json::json;
use std::net::SocketAddr;

async fn read_from(server: SocketAddr) -> GuestError {
    let plan = Plan::to(server, "example-source", json!({"streams": ["movies"], "page_size": 100}));
    let failure = plan.read().await.unwrap_err();
    assert_eq!(failure.call, "reader.next");
    match failure.cause {
        Cause::Guest(error) => error,
        other => panic!("no error of the guest: {other:?}"),
    }
}

/// What a source makes of this answer.
async fn answered(text: impl Into<Vec<u8>>) -> GuestError {
    read_from(Raw::answering(text, Then::Close).await.address).await
}

fn transient(error: &GuestError) -> (&str, Option<u64>) {
    match error {
        GuestError::Transient { message, retry_after_ms } => (message, *retry_after_ms),
        other => panic!("not transient: {other:?}"),
    }
}

fn data(error: &GuestError) -> &str {
    match error {
        GuestError::Data(message) => message,
        other => panic!("not about data: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_is_a_wish_for_fewer_calls_with_its_wait() {
    let error = answered(answer("429 Too Many Requests", "retry-after: 7\r\n", "slow down")).await;
    let GuestError::RateLimited { message, retry_after_ms } = &error else { panic!("{error:?}") };
    assert_eq!(*retry_after_ms, Some(7_000));
    assert!(message.ends_with("/movies answered 429: slow down"), "{message}");
    assert!(!message.contains("_page"), "the query is nobody's business: {message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_500_is_a_failure_for_now() {
    let error = answered(answer("500 Internal Server Error", "", "oops")).await;
    let (message, after) = transient(&error);
    assert!(message.ends_with("answered 500: oops") && after.is_none(), "{message} {after:?}");
    let error = answered(answer("503 Service Unavailable", "retry-after: 3\r\n", "")).await;
    assert_eq!(transient(&error).1, Some(3_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_401_is_a_refused_credential_and_a_404_is_about_data() {
    let error = answered(answer("401 Unauthorized", "", "")).await;
    assert!(matches!(error, GuestError::Unauthorized(_)), "{error:?}");
    data(&answered(answer("404 Not Found", "", "")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_a_failure_for_now() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"next\":null,\"data\":[{\"id\":1},";
    assert!(transient(&answered(cut).await).0.contains("the answer broke off"));
    let cut = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{\"next\":null,\"da\r\n";
    assert!(transient(&answered(cut).await).0.contains("the answer broke off"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_length_that_is_too_short_cuts_the_json_and_nothing_else() {
    let short =
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n{\"next\":null,\"data\":[]}";
    data(&answered(short).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lengths_or_none_that_is_a_number_are_refused() {
    let body = "{\"next\":null,\"data\":[]}";
    for lengths in [
        "content-length: 23\r\ncontent-length: 5\r\n",
        "content-length: -1\r\n",
        "content-length: 23\r\ntransfer-encoding: chunked\r\n",
    ] {
        let error = answered(format!("HTTP/1.1 200 OK\r\n{lengths}\r\n{body}")).await;
        transient(&error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn html_where_json_was_promised_is_about_data() {
    let error =
        answered(answer("200 OK", "content-type: text/html\r\n", "<!DOCTYPE html><h1>Sign in</h1>")).await;
    assert!(data(&error).contains("/movies"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_ends_in_its_middle_or_means_something_else_is_about_data() {
    for body in
        ["{\"next\":null,\"data\":[{\"id\":1}", "[]", "{\"next\":\"two\",\"data\":[]}", "", "\u{feff}{}"]
    {
        data(&answered(answer("200 OK", "", body)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_at_all_is_a_failure_for_now() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "",
        "HTTP/1.1 99999 What\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbroken header\r\n\r\n",
    ] {
        transient(&answered(bytes).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_home_is_a_failure_for_now() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert!(transient(&read_from(address).await).0.contains("cannot be reached"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_that_comes_before_all_of_an_upload_was_taken_is_none() {
    let server = Raw::answering(answer("200 OK", "", "thanks"), Then::Close).await;
    let plan = Plan::to(server.address, "wire", json!({"act": "upload", "count": 64 << 20}));
    let failure = plan.start().await.read(None).await.unwrap_err();
    let Cause::Guest(error) = &failure.cause else { panic!("{failure}") };
    transient(error);
}
