//! What comes too fast waits, what is too much ends, and what a server says about it is passed on.

use std::time::{Duration, Instant};

use egress::{Class, Error, Limit, SlowDown};

use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, fetch, get, send};

#[tokio::test]
async fn requests_beyond_the_rate_wait_for_their_turn_and_none_is_refused() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().caps(|caps| caps.requests_per_second = 20).client();
    let since = Instant::now();
    for _ in 0..30 {
        fetch(&client, get(server.url("/"))).await.unwrap();
    }
    // The first twenty fill their second, the other ten are of the next.
    assert!(since.elapsed() >= Duration::from_secs(1), "{:?}", since.elapsed());
    let used = client.usage();
    assert_eq!(used.requests, 30);
    assert!((1..=20).contains(&used.requests_per_second), "{used:?}");
}

#[tokio::test]
async fn a_wait_for_the_turn_is_part_of_the_requests_time() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default().caps(|caps| {
        caps.requests_per_second = 1;
        caps.total_timeout = Duration::from_millis(300);
    });
    let client = house.client();
    fetch(&client, get(server.url("/"))).await.unwrap();
    let error = send(&client, get(server.url("/"))).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Limit::TotalTimeout, .. }), "{error}");
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn e63_denied_requests_are_paced_as_well() {
    let client = House::default().caps(|caps| caps.requests_per_second = 10).client();
    let since = Instant::now();
    for _ in 0..15 {
        assert!(send(&client, get("http://denied.test/")).await.is_err());
    }
    assert!(since.elapsed() >= Duration::from_secs(1), "{:?}", since.elapsed());
}

#[track_caller]
fn expect(error: &Error, limit: Limit, allowed: u64) {
    assert_eq!(error.to_string(), format!("limit `{limit}` of {allowed} reached"), "{}", error.full_text());
    assert_eq!((error.code(), error.class()), ("CD0302", Class::Limit));
}

#[tokio::test]
async fn e63_names_that_carry_data_to_a_name_server_are_few() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default().caps(|caps| caps.host_names = 5);
    let client = house.client();
    let url = |name: &str| format!("http://{name}.corp.test:{}/", server.port());
    for number in 0..5 {
        fetch(&client, get(url(&format!("secret-{number}")))).await.unwrap();
    }
    for number in 5..10 {
        let error = send(&client, get(url(&format!("secret-{number}")))).await.unwrap_err();
        expect(&error, Limit::HostNames, 5);
    }
    // What was told once tells nothing new.
    fetch(&client, get(url("secret-0"))).await.unwrap();
    assert_eq!(house.names.looked_up().len(), 5, "no name server has heard of the others");
}

#[tokio::test]
async fn e63_long_names_use_up_what_may_be_told_sooner() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().caps(|caps| caps.host_name_bytes = 200).client();
    let url = |letter: &str| format!("http://{}.corp.test:{}/", letter.repeat(60), server.port());
    for letter in ["a", "b"] {
        fetch(&client, get(url(letter))).await.unwrap();
    }
    expect(&send(&client, get(url("c"))).await.unwrap_err(), Limit::HostNameBytes, 200);
}

#[tokio::test]
async fn e63_new_names_beyond_the_rate_wait_for_their_turn() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().caps(|caps| caps.host_names_per_second = 10).client();
    let since = Instant::now();
    for number in 0..15 {
        fetch(&client, get(format!("http://n{number}.corp.test:{}/", server.port()))).await.unwrap();
    }
    assert!(since.elapsed() >= Duration::from_secs(1), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_server_that_asks_to_slow_down_is_heard_in_the_response_the_ledger_and_the_client() {
    let server = Raw::answering(
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n",
        Then::Serve,
    )
    .await;
    let house = House::default();
    let client = house.client();
    assert_eq!(client.slow_down(), None);
    let response = send(&client, get(server.url("/"))).await.unwrap();
    let said = SlowDown { status: 429, retry_after: Some(Duration::from_secs(30)) };
    assert_eq!(response.extensions().get::<SlowDown>(), Some(&said));
    assert_eq!(house.ledger.only().slow_down, Some(said));
    let left = client.slow_down().unwrap();
    assert!(left > Duration::from_secs(20) && left <= Duration::from_secs(30), "{left:?}");
}
