//! What arrives at the server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use egress::{Class, Error, GuestClass, Outcome};
use futures::StreamExt;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::support::authority::Authority;
use crate::support::raw::{Raw, Then, ok, read_to_end};
use crate::support::secure::Echo;
use crate::support::{House, certain, eventually, fetch, get, post, read, send};

#[tokio::test]
async fn host_is_always_sent_and_is_the_one_that_was_judged() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().client();
    let plain = get(server.url("/a"));
    let lying = Request::get(server.url("/b")).header("host", "evil.test").body(egress::empty()).unwrap();
    let named = get(format!("http://api.test:{}/c", server.port()));
    for request in [plain, lying, named] {
        assert_eq!(fetch(&client, request).await.unwrap(), "hi");
    }
    let expected =
        [server.address.to_string(), server.address.to_string(), format!("api.test:{}", server.port())];
    for (head, host) in server.heads().iter().zip(expected) {
        let hosts: Vec<_> =
            head.lines().filter(|line| line.to_ascii_lowercase().starts_with("host:")).collect();
        assert_eq!(hosts, [format!("host: {host}")], "{head}");
    }
    assert_eq!(server.heads().len(), 3);
}

#[tokio::test]
async fn e35_a_url_without_a_path_asks_for_the_root_whatever_follows_in_it() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().client();
    for (url, line) in [
        ("", "GET / HTTP/1.1"),
        ("#a", "GET / HTTP/1.1"),
        ("#", "GET / HTTP/1.1"),
        ("#/v1?b", "GET / HTTP/1.1"),
        ("?b=c", "GET /?b=c HTTP/1.1"),
        ("?b=c#/v1", "GET /?b=c HTTP/1.1"),
        ("?", "GET /? HTTP/1.1"),
        ("/v1#a", "GET /v1 HTTP/1.1"),
    ] {
        fetch(&client, get(server.url(url))).await.unwrap();
        assert_eq!(server.heads().pop().unwrap().lines().next(), Some(line), "{url}");
    }
}

#[tokio::test]
async fn e33_e34_e38_e40_the_head_on_the_wire_is_the_hosts() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let request = Request::get(server.url("/v1/items?page=2"))
        .header("host", "evil.test")
        .header("connection", "upgrade, x-hop")
        .header("upgrade", "websocket")
        .header("x-hop", "1")
        .header("transfer-encoding", "chunked")
        .header("expect", "100-continue")
        .header("te", "trailers")
        .header("x-forwarded-host", "evil.test")
        .header("proxy-authorization", "Basic eA==")
        .header("accept", "application/json")
        .body(egress::empty())
        .unwrap();
    fetch(&House::default().client(), request).await.unwrap();
    let expected = format!(
        "GET /v1/items?page=2 HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n\
         accept-encoding: gzip, br, zstd, deflate\r\nuser-agent: cofferdam/{}\r\n\r\n",
        server.address,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(server.heads(), [expected]);
}

#[tokio::test]
async fn e46_redirects_are_handed_back_and_not_followed() {
    let elsewhere = Raw::answering(ok("secret"), Then::Serve).await;
    for status in [301, 302, 303, 307, 308] {
        for location in [elsewhere.url("/"), "//evil.test/".to_owned(), "/again".to_owned()] {
            let answer = format!("HTTP/1.1 {status} x\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let server = Raw::answering(answer, Then::Serve).await;
            let response = send(&House::default().client(), get(server.url("/"))).await.unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["location"], location.as_str());
            assert_eq!(server.heads().len(), 1);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_denied_request_reaches_nobody_and_says_which_line_to_add() {
    let house = House::default();
    let error = send(&house.client(), get("https://denied.test/v1?key=secret")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "request to `GET https://denied.test/v1` is denied: no grant names the host"
    );
    assert_eq!((error.code(), error.line_to_add()), ("CD0299", Some("host = \"denied.test\"")));
    assert_eq!(error.guest_class(), GuestClass::Denied);
    assert_eq!(house.names.asked.load(Ordering::SeqCst), 0);
    assert!(matches!(house.ledger.only().outcome, Outcome::Denied { code: "CD0299", .. }));
}

#[tokio::test]
async fn a_body_of_known_length_is_sent_with_its_length_and_an_unknown_one_in_chunks() {
    let server = Raw::answering(ok("hi"), Then::Close).await;
    let client = House::default().client();
    fetch(&client, post(server.url("/"), egress::full("12345"))).await.unwrap();
    fetch(&client, post(server.url("/"), certain::body(5))).await.unwrap();
    fetch(&client, post(server.url("/"), egress::empty())).await.unwrap();
    let heads = server.heads();
    let framing = |head: &String| {
        let lines =
            head.lines().filter(|line| line.starts_with("content-length") || line.starts_with("transfer"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(framing(&heads[0]), ["content-length: 5"]);
    assert_eq!(framing(&heads[1]), ["transfer-encoding: chunked"]);
    assert_eq!(framing(&heads[2]), ["content-length: 0"]);
}

#[tokio::test]
async fn a_get_with_a_streaming_body_is_sent_whole_or_without_a_body() {
    let echo = Echo::plain().await;
    let client = House::default().client();
    let url = format!("http://{}/", echo.address);
    let with = |body| Request::get(&url).body(body).unwrap();
    assert_eq!(fetch(&client, with(certain::body(100_000))).await.unwrap().len(), 100_000);
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let empty = Request::get(server.url("/")).body(certain::body(0)).unwrap();
    fetch(&client, empty).await.unwrap();
    assert!(!server.heads()[0].contains("transfer-encoding"), "{:?}", server.heads());
}

#[tokio::test]
async fn a_body_that_is_not_as_long_as_declared_is_an_error_and_never_a_short_upload() {
    // The server answers only what it has read to the end, so it never answers these.
    let server = Raw::start(|mut stream, _heads| async move { read_to_end(&mut stream).await }).await;
    let client = House::default().client();
    for (declared, given) in [(10, 5), (100_000, 99_999), (5, 10)] {
        let request = Request::post(server.url("/"))
            .header("content-length", declared)
            .body(certain::body(given))
            .unwrap();
        let error = fetch(&client, request).await.unwrap_err();
        assert!(matches!(&error, Error::RequestBody { problem } if problem.contains("declared")), "{error}");
        assert_eq!((error.code(), error.class()), ("CD0311", Class::Invalid));
    }
}

#[tokio::test]
async fn whoever_makes_a_body_can_say_that_this_was_all_when_the_answer_is_there() {
    let authority = Authority::new();
    let secure = Echo::secure(&authority.issue("api.test"), "h2").await;
    let plain = Echo::plain().await;
    let house = House::default().trusting(&authority.pem());
    for url in [format!("http://{}/", plain.address), format!("https://api.test:{}/", secure.address.port())]
    {
        let (maker, body) = futures::channel::mpsc::unbounded();
        let kept = Arc::new(());
        let with_body = Arc::clone(&kept);
        let body = body.inspect(move |_| drop(Arc::clone(&with_body)));
        maker.unbounded_send(Ok(Frame::data(Bytes::from_static(b"12345")))).unwrap();
        let request = Request::post(&url)
            .header("content-length", 5)
            .body(StreamBody::new(body).boxed_unsync())
            .unwrap();
        assert_eq!(fetch(&house.client(), request).await.unwrap(), "12345", "{url}");
        assert!(!maker.is_closed(), "{url}: it would take this for a request that was given up");
        drop(maker);
        eventually("the body goes with its maker", || Arc::strong_count(&kept) == 1).await;
    }
}

#[tokio::test]
async fn a_body_that_goes_on_behind_its_declared_length_is_refused_also_where_that_is_zero() {
    let echo = Echo::plain().await;
    for (declared, parts) in [("0", &["12345"][..]), ("5", &["12345", "6"]), ("5", &["123456"])] {
        let parts: Vec<_> =
            parts.iter().map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes())))).collect();
        let request = Request::post(format!("http://{}/", echo.address))
            .header("content-length", declared)
            .body(StreamBody::new(futures::stream::iter(parts)).boxed_unsync())
            .unwrap();
        let error = fetch(&House::default().client(), request).await.unwrap_err();
        let expected = format!("request body failed: longer than its declared {declared} bytes");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn whoever_makes_a_body_of_no_bytes_can_say_so_late() {
    let echo = Echo::plain().await;
    let (maker, body) = futures::channel::mpsc::unbounded::<Result<Frame<Bytes>, Error>>();
    let request = Request::post(format!("http://{}/", echo.address))
        .header("content-length", 0)
        .body(StreamBody::new(body).boxed_unsync())
        .unwrap();
    assert_eq!(fetch(&House::default().client(), request).await.unwrap(), "");
    assert!(!maker.is_closed(), "it would take this for a request that was given up");
}

#[tokio::test]
async fn the_callers_own_failure_in_a_body_comes_back_as_it_was() {
    let server = Raw::start(|mut stream, _heads| async move { read_to_end(&mut stream).await }).await;
    let parts = futures::stream::iter([
        Ok(Frame::data(Bytes::from_static(b"first"))),
        Err(Error::RequestBody { problem: "the guest dropped it".to_owned() }),
    ]);
    let error =
        fetch(&House::default().client(), post(server.url("/"), StreamBody::new(parts).boxed_unsync()))
            .await
            .unwrap_err();
    assert_eq!(error.to_string(), "request body failed: the guest dropped it");
}

#[tokio::test]
async fn e39_trailers_of_the_guest_are_not_sent() {
    let echo = Echo::plain().await;
    let mut trailers = http::HeaderMap::new();
    trailers.insert("authorization", http::HeaderValue::from_static("Bearer x"));
    let parts = [Ok(Frame::data(Bytes::from_static(b"data"))), Ok(Frame::trailers(trailers))];
    let request = Request::post(format!("http://{}/", echo.address))
        .header("trailer", "authorization")
        .body(StreamBody::new(futures::stream::iter(parts)).boxed_unsync())
        .unwrap();
    let response = send(&House::default().client(), request).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers(), None);
    assert_eq!(collected.to_bytes(), "data");
}

#[tokio::test]
async fn responses_without_a_body_are_whole() {
    let answers = [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\nContent-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Encoding: gzip\r\n\r\n",
    ];
    for answer in answers {
        let server = Raw::answering(answer, Then::Serve).await;
        let response = send(&House::default().client(), get(server.url("/"))).await.unwrap();
        assert_eq!(read(response).await.unwrap(), "", "{answer}");
    }
    let server = Raw::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nContent-Encoding: gzip\r\n\r\n",
        Then::Serve,
    )
    .await;
    let request = Request::head(server.url("/")).body(egress::empty()).unwrap();
    let response = send(&House::default().client(), request).await.unwrap();
    assert_eq!(response.headers()["content-length"], "50");
    assert_eq!(read(response).await.unwrap(), "");
}

#[tokio::test]
async fn headers_about_the_connection_do_not_reach_the_guest() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
                  Alt-Svc: h3=\":443\"\r\nX-Kept: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let server = Raw::answering(answer, Then::Serve).await;
    let response = send(&House::default().client(), get(server.url("/"))).await.unwrap();
    let names: Vec<_> = response.headers().keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["x-kept"]);
    assert_eq!(read(response).await.unwrap(), "hi");
}
