//! Which connections are kept for the next request, and for whose.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use egress::{Class, Error};
use futures::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

use crate::support::authority::Authority;
use crate::support::raw::{Raw, Then, ok, read_head};
use crate::support::secure::Echo;
use crate::support::{House, certain, eventually, fetch, get, post, read, send};

#[tokio::test]
async fn requests_in_turn_use_one_connection() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().client();
    for _ in 0..10 {
        assert_eq!(fetch(&client, get(server.url("/"))).await.unwrap(), "hi");
        assert_eq!(fetch(&client, post(server.url("/"), egress::empty())).await.unwrap(), "hi");
    }
    assert_eq!((server.connections(), server.heads().len()), (1, 20));
}

#[tokio::test]
async fn e57_clients_of_one_egress_never_share_a_connection() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default();
    let egress = house.egress();
    for _ in 0..3 {
        let client = egress.client(house.settings());
        fetch(&client, get(server.url("/"))).await.unwrap();
        fetch(&client.clone(), get(server.url("/"))).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
    eventually("dropped clients have closed their connections", || server.open() == 0).await;
}

#[tokio::test]
async fn kept_connections_are_closed_with_the_client_and_not_with_its_last_response() {
    let kept = Raw::answering(ok("hi"), Then::Serve).await;
    let busy = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::Hold).await;
    let client = House::default().client();
    fetch(&client, get(kept.url("/"))).await.unwrap();
    let response = send(&client, get(busy.url("/"))).await.unwrap();
    drop(client);
    eventually("the kept connection is closed", || kept.open() == 0).await;
    assert_eq!(busy.open(), 1, "a response that is still read goes on");
    drop(response);
}

#[tokio::test]
async fn a_response_that_ends_after_its_client_keeps_no_connection_though_another_goes_on() {
    let late = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf", Then::Serve).await;
    let busy = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::Hold).await;
    let client = House::default().client();
    let ends = send(&client, get(late.url("/"))).await.unwrap();
    let goes_on = send(&client, get(busy.url("/"))).await.unwrap();
    drop(client);
    assert_eq!(read(ends).await.unwrap(), "half");
    eventually("the connection of the one that ended is closed", || late.open() == 0).await;
    assert_eq!(busy.open(), 1);
    drop(goes_on);
}

#[tokio::test]
async fn a_connection_is_kept_for_its_name_and_not_for_its_address() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().client();
    for host in ["one.test", "two.test", "one.test", "two.test"] {
        fetch(&client, get(format!("http://{host}:{}/", server.port()))).await.unwrap();
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_an_idempotent_request_one_retry() {
    // Every second request finds its connection closed in its face.
    let server =
        Raw::scripted(
            |number| if number % 2 == 0 { (ok("hi"), Then::Serve) } else { (Vec::new(), Then::Close) },
        )
        .await;
    let house = House::default();
    let client = house.client();
    assert_eq!(fetch(&client, get(server.url("/1"))).await.unwrap(), "hi");
    assert_eq!(fetch(&client, get(server.url("/2"))).await.unwrap(), "hi");
    assert_eq!((server.connections(), server.heads().len()), (2, 3));
    assert_eq!(house.ledger.all().len(), 2, "a retry is not a second request");
}

#[tokio::test]
async fn a_request_that_may_have_had_an_effect_is_not_sent_twice() {
    let server =
        Raw::scripted(|number| if number == 0 { (ok("hi"), Then::Serve) } else { (Vec::new(), Then::Close) })
            .await;
    let client = House::default().client();
    fetch(&client, get(server.url("/"))).await.unwrap();
    let error = send(&client, post(server.url("/"), egress::full("x"))).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    assert_eq!((error.code(), error.class()), ("CD0307", Class::Transient));
    assert_eq!(server.heads().len(), 2);
}

#[tokio::test]
async fn a_fresh_connection_that_closes_is_not_tried_again() {
    let server = Raw::answering("", Then::Close).await;
    let error = send(&House::default().client(), get(server.url("/"))).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn bytes_that_follow_a_response_are_never_read_as_the_next_one() {
    let mut answer = ok("hi");
    answer.extend(ok("injected"));
    let server =
        Raw::scripted(move |number| (if number == 0 { answer.clone() } else { ok("honest") }, Then::Serve))
            .await;
    let client = House::default().client();
    assert_eq!(fetch(&client, get(server.url("/"))).await.unwrap(), "hi");
    assert_eq!(fetch(&client, get(server.url("/"))).await.unwrap(), "honest");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_response_that_is_not_read_to_its_end_closes_its_connection() {
    let server = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::Hold).await;
    let house = House::default();
    let response = send(&house.client(), get(server.url("/"))).await.unwrap();
    assert_eq!(server.open(), 1);
    drop(response);
    eventually("the connection is closed", || server.open() == 0).await;
}

#[tokio::test]
async fn a_request_that_is_dropped_closes_its_connection() {
    let server = Raw::answering("", Then::Hold).await;
    let house = House::default();
    let client = house.client();
    let request = tokio::spawn({
        let url = server.url("/");
        async move { client.send(get(url)).await.map(drop) }
    });
    eventually("the request has arrived", || server.heads().len() == 1).await;
    request.abort();
    eventually("the connection is closed", || server.open() == 0).await;
    eventually("the ledger is told", || house.ledger.all().len() == 1).await;
}

#[tokio::test]
async fn requests_at_once_share_one_http_2_connection() {
    let authority = Authority::new();
    let echo = Echo::secure(&authority.issue("api.test"), "h2").await;
    let client = House::default().trusting(&authority.pem()).client();
    let url = format!("https://api.test:{}/", echo.address.port());
    fetch(&client, get(&url)).await.unwrap();
    let bodies =
        join_all((0..16).map(|number| fetch(&client, post(&url, egress::full(format!("{number}")))))).await;
    for (number, body) in bodies.into_iter().enumerate() {
        assert_eq!(body.unwrap(), number.to_string());
    }
    assert_eq!(echo.connections(), 1);
}

#[tokio::test]
async fn sixteen_requests_at_once_keep_at_most_sixteen_connections() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().client();
    for _ in 0..5 {
        for body in join_all((0..16).map(|_| fetch(&client, get(server.url("/"))))).await {
            assert_eq!(body.unwrap(), "hi");
        }
    }
    assert!(server.connections() <= 16, "{}", server.connections());
    assert_eq!(server.heads().len(), 80);
}

#[tokio::test]
async fn a_dropped_request_ends_its_upload_over_http_1() {
    let (read_on, received) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (told, counted) = (Arc::clone(&read_on), Arc::clone(&received));
    let server = Raw::start(move |mut stream, heads| {
        let (told, counted) = (Arc::clone(&told), Arc::clone(&counted));
        async move {
            let head = read_head(&mut stream).await;
            heads.lock().unwrap().extend(head);
            told.notified().await;
            let mut part = [0; 64 << 10];
            while let Ok(bytes @ 1..) = stream.read(&mut part).await {
                counted.fetch_add(bytes, Ordering::SeqCst);
            }
        }
    })
    .await;
    let (client, url) = (House::default().client(), server.url("/"));
    let request =
        tokio::spawn(async move { client.send(post(url, certain::body(64 << 20))).await.map(drop) });
    eventually("the request has arrived", || server.heads().len() == 1).await;
    request.abort();
    read_on.notify_one();
    eventually("the connection is closed", || server.open() == 0).await;
    assert!(received.load(Ordering::SeqCst) < 64 << 20);
}

#[tokio::test]
async fn a_dropped_request_ends_its_upload_over_http_2() {
    let authority = Authority::new();
    let echo = Echo::secure(&authority.issue("api.test"), "h2").await;
    let client = House::default().trusting(&authority.pem()).client();
    let url = format!("https://api.test:{}/hold", echo.address.port());
    let request =
        tokio::spawn(async move { client.send(post(url, certain::body(64 << 20))).await.map(drop) });
    eventually("the request has arrived", || echo.held() == 1).await;
    request.abort();
    eventually("the connection is closed", || echo.open() == 0).await;
}
