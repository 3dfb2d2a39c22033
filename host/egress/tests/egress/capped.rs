//! Every cap is reached, by its name.

use egress::{Caps, Class, Error, Limit};
use http::Request;

use crate::support::raw::{Raw, Then, ok};
use crate::support::secure::Echo;
use crate::support::{House, certain, fetch, get, post, read, send};

#[track_caller]
fn expect(error: &Error, limit: Limit, allowed: u64) {
    assert_eq!(error.to_string(), format!("limit `{limit}` of {allowed} reached"), "{}", error.full_text());
    assert_eq!((error.code(), error.class()), ("CD0302", Class::Limit));
}

fn capped(set: impl FnOnce(&mut Caps)) -> House {
    House::default().caps(set)
}

#[tokio::test]
async fn a_request_body_of_known_length_is_refused_before_anything_is_sent() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = capped(|caps| caps.request_body_bytes = 10).client();
    let error = send(&client, post(server.url("/"), egress::full("12345678901"))).await.unwrap_err();
    expect(&error, Limit::RequestBodyBytes, 10);
    assert_eq!(server.connections(), 0);
    assert_eq!(fetch(&client, post(server.url("/"), egress::full("1234567890"))).await.unwrap(), "hi");
}

#[tokio::test]
async fn a_request_body_that_streams_is_cut_at_its_cap() {
    let echo = Echo::plain().await;
    let house = capped(|caps| caps.request_body_bytes = 1 << 20);
    let error = fetch(&house.client(), post(format!("http://{}/", echo.address), certain::body(2 << 20)))
        .await
        .unwrap_err();
    expect(&error, Limit::RequestBodyBytes, 1 << 20);
}

#[tokio::test]
async fn e60_a_response_that_announces_too_much_is_refused_at_its_head() {
    let server =
        Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901", Then::Serve).await;
    let error =
        send(&capped(|caps| caps.response_body_bytes = 10).client(), get(server.url("/"))).await.unwrap_err();
    expect(&error, Limit::ResponseBodyBytes, 10);
}

#[tokio::test]
async fn e60_a_response_that_never_ends_is_cut_at_its_cap() {
    use tokio::io::AsyncWriteExt;
    let server = Raw::start(|mut stream, _heads| async move {
        crate::support::raw::read_head(&mut stream).await;
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        let chunk = format!("2000\r\n{}\r\n", "a".repeat(0x2000));
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    })
    .await;
    let house = capped(|caps| caps.response_body_bytes = 1 << 20);
    let error = fetch(&house.client(), get(server.url("/"))).await.unwrap_err();
    expect(&error, Limit::ResponseBodyBytes, 1 << 20);
    assert!(house.ledger.only().bytes_in_wire < 2 << 20);
    crate::support::eventually("the connection is closed", || server.open() == 0).await;
}

#[tokio::test]
async fn the_totals_of_a_client_are_capped_in_both_directions() {
    let server = Raw::answering(ok("12345"), Then::Serve).await;
    let client = capped(|caps| caps.total_bytes_in = 12).client();
    for _ in 0..2 {
        fetch(&client, get(server.url("/"))).await.unwrap();
    }
    expect(&fetch(&client, get(server.url("/"))).await.unwrap_err(), Limit::TotalBytesIn, 12);

    let echo = Echo::plain().await;
    let client = capped(|caps| caps.total_bytes_out = 12).client();
    let url = format!("http://{}/", echo.address);
    for _ in 0..2 {
        fetch(&client, post(&url, egress::full("12345"))).await.unwrap();
    }
    expect(&fetch(&client, post(&url, egress::full("12345"))).await.unwrap_err(), Limit::TotalBytesOut, 12);
}

#[tokio::test]
async fn requests_are_counted_denied_ones_too_and_the_ledger_does_not_grow_beyond_the_cap() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = capped(|caps| caps.requests = 3);
    let client = house.client();
    fetch(&client, get(server.url("/"))).await.unwrap();
    assert_eq!(send(&client, get("http://denied.test/")).await.unwrap_err().code(), "CD0299");
    fetch(&client, get(server.url("/"))).await.unwrap();
    for _ in 0..50 {
        expect(&send(&client, get(server.url("/"))).await.unwrap_err(), Limit::Requests, 3);
    }
    assert_eq!((server.heads().len(), house.ledger.all().len()), (2, 4));
}

#[tokio::test]
async fn h37_responses_that_are_never_read_count_as_under_way() {
    let server = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234", Then::Hold).await;
    let client = capped(|caps| caps.concurrent_requests = 2).client();
    let first = send(&client, get(server.url("/"))).await.unwrap();
    let second = send(&client, get(server.url("/"))).await.unwrap();
    expect(&send(&client, get(server.url("/"))).await.unwrap_err(), Limit::ConcurrentRequests, 2);
    drop(first);
    let third = send(&client, get(server.url("/"))).await.unwrap();
    drop((second, third));
    let usage = client.usage();
    assert_eq!((usage.requests, usage.concurrent_requests), (4, 2));
}

#[tokio::test]
async fn a_response_that_was_read_by_its_length_is_not_under_way_any_more() {
    use http_body_util::BodyExt;
    let server = Raw::answering(ok("12345"), Then::Serve).await;
    let client = capped(|caps| caps.concurrent_requests = 1).client();
    // The guest has its five bytes and never asks for an end.
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut body = send(&client, get(server.url("/"))).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "12345");
        held.push(body);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn e42_request_heads_and_urls_are_capped() {
    let client = capped(|caps| {
        caps.request_head_bytes = 1000;
        caps.url_bytes = 100;
    })
    .client();
    let request =
        Request::get("http://api.test/").header("x", "a".repeat(1000)).body(egress::empty()).unwrap();
    expect(&send(&client, request).await.unwrap_err(), Limit::RequestHeadBytes, 1000);
    let long = format!("http://api.test/?{}", "a".repeat(100));
    expect(&send(&client, get(long)).await.unwrap_err(), Limit::UrlBytes, 100);
}

#[tokio::test]
async fn e42_a_response_head_within_the_buffer_and_over_the_cap_is_refused() {
    let answer = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "a".repeat(2000));
    let server = Raw::answering(answer, Then::Serve).await;
    let error = send(&capped(|caps| caps.response_head_bytes = 1000).client(), get(server.url("/")))
        .await
        .unwrap_err();
    expect(&error, Limit::ResponseHeadBytes, 1000);
}

#[tokio::test]
async fn what_was_used_is_told() {
    let echo = Echo::plain().await;
    let client = House::default().client();
    let response =
        send(&client, post(format!("http://{}/", echo.address), egress::full("12345"))).await.unwrap();
    assert_eq!(read(response).await.unwrap(), "12345");
    let usage = client.usage();
    assert_eq!((usage.requests, usage.bytes_out, usage.bytes_in, usage.bytes_in_wire), (1, 5, 5, 5));
}
