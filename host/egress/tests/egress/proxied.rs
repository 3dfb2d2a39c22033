//! A proxy of the operator's: told the judged address, never the name, and never trusted with what TLS protects.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egress::{Client, Error, Proxy, Revocation};
use http::HeaderValue;
use http_body_util::BodyExt;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::support::authority::Authority;
use crate::support::raw::{Raw, Then, ok, read_head};
use crate::support::secure::Echo;
use crate::support::{House, eventually, fetch, get, send};

fn through(house: &House, proxy: Proxy) -> Client {
    House { proxy: Some(proxy), ..house.clone() }.client()
}

/// A proxy that connects to what it is told and says what that was.
async fn honest() -> (Raw, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let proxy = Raw::start(move |mut stream, _heads| {
        let kept = Arc::clone(&kept);
        async move {
            let Some(head) = read_head(&mut stream).await else { return };
            let target: SocketAddr = head.split(' ').nth(1).unwrap().parse().unwrap();
            kept.lock().unwrap().push(head);
            let mut server = TcpStream::connect(target).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let _ended = copy_bidirectional(&mut stream, &mut server).await;
        }
    })
    .await;
    (proxy, heads)
}

#[tokio::test]
async fn e65_the_proxy_is_told_the_judged_address_and_never_the_name() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let (proxy, heads) = honest().await;
    let house = House::default();
    let secret = HeaderValue::from_static("Basic c2VjcmV0");
    let client = through(&house, Proxy::new(proxy.address).authorized(secret));
    assert_eq!(fetch(&client, get(format!("http://api.test:{}/x", server.port()))).await.unwrap(), "hi");
    let told = format!(
        "CONNECT {0} HTTP/1.1\r\nhost: {0}\r\nproxy-authorization: Basic c2VjcmV0\r\n\r\n",
        server.address
    );
    assert_eq!(*heads.lock().unwrap(), [told]);
    assert_eq!(house.ledger.only().address, Some(server.address));
    assert!(!server.heads()[0].contains("proxy-"), "{:?}", server.heads());
}

#[tokio::test]
async fn e65_tls_goes_through_the_proxy_to_the_server_and_is_kept() {
    let authority = Authority::new();
    let echo = Echo::secure(&authority.issue("api.test"), "h2").await;
    let (proxy, heads) = honest().await;
    let house = House::default().trusting(&authority.pem());
    let client = through(&house, Proxy::new(proxy.address));
    for _ in 0..3 {
        let response =
            send(&client, get(format!("https://api.test:{}/", echo.address.port()))).await.unwrap();
        assert_eq!(response.headers()["x-version"], "HTTP/2.0");
    }
    assert_eq!((heads.lock().unwrap().len(), echo.connections()), (1, 1));
    drop(client);
    eventually("the connection through the proxy is closed", || proxy.open() == 0).await;
}

#[tokio::test]
async fn e65_a_denied_address_reaches_no_proxy() {
    let (proxy, heads) = honest().await;
    let house = House::default().name("inside.test", &[&["10.0.0.1"]]);
    let client = through(&house, Proxy::new(proxy.address));
    for url in ["http://inside.test/", "http://169.254.169.254/", "http://denied.test/"] {
        assert!(send(&client, get(url)).await.is_err());
    }
    assert!(heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_proxy_that_refuses_lies_or_says_nothing_is_a_failed_connection() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(1 << 20));
    for (answer, then, said) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Then::Hold, "answered with 403 Forbidden"),
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Then::Hold, "answered with 407"),
        ("SSH-2.0-OpenSSH\r\n", Then::Hold, "invalid HTTP"),
        (endless.as_str(), Then::Hold, "too large"),
        ("", Then::Close, "connection closed"),
    ] {
        let proxy = Raw::answering(answer, then).await;
        let error = send(&through(&House::default(), Proxy::new(proxy.address)), get("http://api.test/"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Connect { .. }) && error.full_text().contains(said),
            "{said}: {}",
            error.full_text()
        );
        eventually("the connection to the proxy is closed", || proxy.open() == 0).await;
    }
    let silent = Raw::answering("", Then::Hold).await;
    let house = House::default().caps(|caps| caps.connect_timeout = Duration::from_millis(200));
    let error =
        send(&through(&house, Proxy::new(silent.address)), get("http://api.test/")).await.unwrap_err();
    assert_eq!(error.to_string(), "limit `connect-timeout` of 200 ms reached");
    eventually("the connection to the proxy is closed", || silent.open() == 0).await;
}

/// How long what was revoked may go on.
const CUT_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test]
async fn e64_a_response_that_comes_through_the_proxy_is_cut_when_its_client_is_revoked() {
    let server = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::Hold).await;
    let (proxy, _heads) = honest().await;
    let client = through(&House::default(), Proxy::new(proxy.address));
    let mut body = send(&client, get(server.url("/"))).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    client.revoker().revoke(Revocation::default());
    let since = Instant::now();
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Revoked { .. }), "{error}");
    eventually("both connections are closed", || (proxy.open(), server.open()) == (0, 0)).await;
    assert!(since.elapsed() < CUT_WITHIN);
}

#[tokio::test]
async fn e64_a_connection_for_which_the_proxy_is_asked_is_cut_when_its_client_is_revoked() {
    let silent = Raw::answering("", Then::Hold).await;
    let client = through(&House::default(), Proxy::new(silent.address));
    let revoker = client.revoker();
    let waiting = tokio::spawn(async move { send(&client, get("http://api.test/")).await.map(drop) });
    eventually("the proxy is asked", || silent.heads().len() == 1).await;
    revoker.revoke(Revocation::default());
    let since = Instant::now();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Revoked { .. }), "{}", error.full_text());
    eventually("the connection to the proxy is closed", || silent.open() == 0).await;
    assert!(since.elapsed() < CUT_WITHIN);
}
