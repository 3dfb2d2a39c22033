//! Servers that break the protocol, lie about lengths, or never end.

use std::time::Duration;

use egress::{Class, Error, GuestClass, Limit, Timeouts};
use tokio::io::AsyncWriteExt;

use crate::support::raw::{Raw, Then, read_head};
use crate::support::{House, certain, eventually, fetch, get, post, read, send};

async fn error_for(answer: impl Into<Vec<u8>>, then: Then) -> Error {
    let server = Raw::answering(answer, then).await;
    let error = fetch(&House::default().client(), get(server.url("/"))).await.unwrap_err();
    eventually("the connection is closed", || server.open() == 0).await;
    error
}

#[tokio::test]
async fn e60_bodies_that_end_early_are_errors_and_never_short() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let error = error_for(answer, Then::Close).await;
        assert!(matches!(error, Error::BodyEndedEarly { .. }), "{answer:?}: {error}");
        assert_eq!((error.class(), error.guest_class()), (Class::Transient, GuestClass::Response));
    }
}

#[tokio::test]
async fn e33_responses_with_doubtful_lengths_are_refused() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nhi!",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiXX0\r\n\r\n",
    ] {
        let error = error_for(answer, Then::Hold).await;
        assert!(matches!(error, Error::Protocol { .. }), "{answer:?}: {}", error.full_text());
        assert_eq!((error.code(), error.class()), ("CD0308", Class::Upstream));
    }
}

#[tokio::test]
async fn what_is_not_http_is_said_to_be_so() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "<html>hello</html>\r\n\r\n",
        "\0\0\0\0\0\0\0\0",
        "HTTP/9.9 200 OK\r\n\r\n",
    ] {
        let error = error_for(answer, Then::Hold).await;
        assert!(matches!(error, Error::Protocol { problem: "it is not HTTP", .. }), "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn html_where_data_was_expected_is_a_response_like_any_other() {
    let page = "<html><body>Sign in</body></html>";
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}", page.len());
    let server = Raw::answering(answer, Then::Serve).await;
    let response = send(&House::default().client(), get(server.url("/"))).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(read(response).await.unwrap(), page);
}

#[tokio::test]
async fn e42_huge_and_many_response_headers_are_a_limit_that_is_named() {
    let huge = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "a".repeat(100 << 10));
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(200));
    let sum = format!("HTTP/1.1 200 OK\r\n{}\r\n", format!("X: {}\r\n", "a".repeat(1000)).repeat(80));
    for answer in [huge, endless, many, sum] {
        let error = error_for(answer, Then::Hold).await;
        assert!(
            matches!(error, Error::Limit { limit: Limit::ResponseHeadBytes, .. }),
            "{}",
            error.full_text()
        );
    }
}

#[tokio::test]
async fn e61_a_flood_of_interim_responses_is_cut() {
    let server = Raw::start(|mut stream, _heads| async move {
        read_head(&mut stream).await;
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").await.is_ok() {}
    })
    .await;
    let error = send(&House::default().client(), get(server.url("/"))).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { problem: "too many interim responses", .. }), "{error}");
    eventually("the connection is closed", || server.open() == 0).await;
}

/// What stands around the bytes of a body is no body, so no cap on bodies ends it.
#[tokio::test]
async fn e61_extensions_of_chunks_and_trailers_without_end_are_cut() {
    for (again, caps_are_small) in [("a", false), ("X: y\r\n", false), ("0;a=b", false), ("X: y\r\n", true)] {
        let start = match again {
            "X: y\r\n" => "0\r\n",
            _ => "5;ext=",
        };
        let server = Raw::start(move |mut stream, _heads| async move {
            read_head(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{start}");
            let _sent = stream.write_all(head.as_bytes()).await;
            let many = again.repeat(1000);
            while stream.write_all(many.as_bytes()).await.is_ok() {}
        })
        .await;
        let house = House::default().caps(|caps| {
            if caps_are_small {
                caps.response_head_bytes = 8 << 10;
            }
        });
        let error = fetch(&house.client(), get(server.url("/"))).await.unwrap_err();
        let is_response = error.guest_class() == GuestClass::Response;
        assert!(is_response, "{again:?}: {}", error.full_text());
        eventually("the connection is closed", || server.open() == 0).await;
    }
}

#[tokio::test]
async fn e61_a_few_interim_responses_are_skipped() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let server = Raw::answering(answer, Then::Serve).await;
    assert_eq!(fetch(&House::default().client(), get(server.url("/"))).await.unwrap(), "hi");
}

#[tokio::test]
async fn e38_a_switch_of_protocol_that_nobody_asked_for_is_refused() {
    let error = error_for(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        Then::Hold,
    )
    .await;
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn e60_a_server_that_accepts_and_says_nothing_runs_into_the_first_byte_timeout() {
    let server = Raw::answering("", Then::Hold).await;
    let client = House::default().caps(|caps| caps.first_byte_timeout = Duration::from_millis(50)).client();
    let error = send(&client, get(server.url("/"))).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Limit::FirstByteTimeout, .. }), "{error}");
    assert_eq!(error.to_string(), "limit `first-byte-timeout` of 50 ms reached");
    assert_eq!((error.class(), error.guest_class()), (Class::Transient, GuestClass::Timeout));
    eventually("the connection is closed", || server.open() == 0).await;
}

#[tokio::test]
async fn the_caller_can_shorten_a_timeout_for_one_request() {
    let server = Raw::answering("", Then::Hold).await;
    let mut request = get(server.url("/"));
    request
        .extensions_mut()
        .insert(Timeouts { first_byte: Some(Duration::from_millis(30)), ..Timeouts::default() });
    let error = send(&House::default().client(), request).await.unwrap_err();
    assert_eq!(error.to_string(), "limit `first-byte-timeout` of 30 ms reached");
}

#[tokio::test]
async fn e60_a_body_that_stops_flowing_runs_into_the_between_bytes_timeout() {
    let server = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::Hold).await;
    let client =
        House::default().caps(|caps| caps.between_bytes_timeout = Duration::from_millis(50)).client();
    let error = fetch(&client, get(server.url("/"))).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Limit::BetweenBytesTimeout, .. }), "{error}");
    eventually("the connection is closed", || server.open() == 0).await;
}

#[tokio::test]
async fn e60_a_slow_drip_runs_into_the_total_timeout() {
    let server = Raw::start(|mut stream, _heads| async move {
        read_head(&mut stream).await;
        let mut drops = tokio::time::interval(Duration::from_millis(5));
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            drops.tick().await;
        }
    })
    .await;
    let client = House::default().caps(|caps| caps.total_timeout = Duration::from_millis(300)).client();
    let error = fetch(&client, get(server.url("/"))).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Limit::TotalTimeout, .. }), "{error}");
}

#[tokio::test]
async fn e60_an_upload_that_the_server_does_not_read_runs_into_the_first_byte_timeout() {
    let server = Raw::start(|stream, _heads| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let house = House::default().caps(|caps| caps.first_byte_timeout = Duration::from_millis(100));
    let error = send(&house.client(), post(server.url("/"), certain::body(64 << 20))).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Limit::FirstByteTimeout, .. }), "{error}");
    assert!(house.ledger.only().bytes_out < 64 << 20);
}

#[tokio::test]
async fn a_caller_that_is_slow_to_give_its_body_is_not_the_servers_fault() {
    use bytes::Bytes;
    use http_body_util::{BodyExt, StreamBody};
    let echo = crate::support::secure::Echo::plain().await;
    let parts = futures::stream::unfold(0_u8, |number| async move {
        tokio::time::sleep(Duration::from_millis(150)).await;
        (number < 3).then(|| (Ok(http_body::Frame::data(Bytes::from(vec![number]))), number + 1))
    });
    let house = House::default().caps(|caps| {
        caps.first_byte_timeout = Duration::from_millis(50);
        caps.between_bytes_timeout = Duration::from_millis(50);
    });
    let request = post(format!("http://{}/", echo.address), StreamBody::new(parts).boxed_unsync());
    assert_eq!(fetch(&house.client(), request).await.unwrap(), &[0, 1, 2][..]);
}
