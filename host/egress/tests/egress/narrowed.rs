//! E64: what a connection still may do whose rights were narrowed: what is left of them, and nothing more, at once.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use egress::{
    Body, Client, ClientSettings, Decision, Error, Gate, Ledger, Narrowing, Outcome, RequestLine, Revocation,
    Revoker,
};
use futures::{FutureExt, StreamExt};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::support::authority::Authority;
use crate::support::raw::{Raw, Then, ok};
use crate::support::secure::Echo;
use crate::support::{House, LOOPBACK, TestGate, eventually, get, post, send};

const CUT_WITHIN: Duration = Duration::from_secs(1);
const LINE: &str = "path_prefix = \"/left\"";
/// A response that never ends.
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";

/// What is left of the rights.
struct Left {
    path: &'static str,
    address: Option<IpAddr>,
}

impl Gate for Left {
    fn request(&self, line: &RequestLine<'_>) -> Decision {
        if line.path.starts_with(self.path) {
            return Decision::Allow { rule: "left".to_owned() };
        }
        let line_to_add = Some(LINE.to_owned());
        Decision::Deny { code: "CD0202", reason: "it was taken back".to_owned(), line_to_add }
    }

    fn address(&self, address: IpAddr, _: u16) -> Decision {
        if self.address == Some(address) {
            return Decision::Allow { rule: "left".to_owned() };
        }
        Decision::Deny { code: "CD0207", reason: "it was taken back".to_owned(), line_to_add: None }
    }

    fn own_address(&self, address: IpAddr, port: u16) -> Decision {
        self.address(address, port)
    }
}

/// A client whose rights can be narrowed.
struct Narrowed {
    client: Client,
    gate: Arc<Narrowing>,
    revoker: Revoker,
}

impl Narrowed {
    fn new(house: &House) -> Self {
        let gate = Arc::new(Narrowing::new(Arc::new(TestGate::default())));
        let (rights, ledger) = (Arc::clone(&gate), Arc::clone(&house.ledger));
        let settings =
            ClientSettings::new(rights as Arc<dyn Gate>, ledger as Arc<dyn Ledger>, house.caps.clone());
        let client = house.egress().client(settings);
        Self { revoker: client.revoker(), gate, client }
    }

    fn to(&self, left: Left) -> usize {
        self.gate.narrow(Arc::new(left));
        self.revoker.rejudge()
    }

    fn to_paths_below(&self, path: &'static str) -> usize {
        self.to(Left { path, address: Some(LOOPBACK) })
    }
}

async fn first_part(client: &Client, request: http::Request<Body>) -> Body {
    let mut body = send(client, request).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    body
}

fn is_denied(error: &Error) -> bool {
    matches!(error, Error::RequestDenied { code: "CD0202", line_to_add: Some(line), .. } if line == LINE)
}

#[tokio::test]
async fn e64_what_is_denied_now_is_cut_and_what_is_left_goes_on() {
    let server = Raw::answering(ENDLESS, Then::Hold).await;
    let house = House::default();
    let narrowed = Narrowed::new(&house);
    let mut gone = first_part(&narrowed.client, get(server.url("/gone"))).await;
    let mut left = first_part(&narrowed.client, get(server.url("/left"))).await;
    assert_eq!(narrowed.to_paths_below("/left"), 1);
    let since = Instant::now();
    let error = gone.frame().await.unwrap().unwrap_err();
    assert!(is_denied(&error), "{}", error.full_text());
    eventually("its connection is closed", || server.open() == 1).await;
    assert!(since.elapsed() < CUT_WITHIN);
    let outcome = house.ledger.only().outcome;
    assert!(matches!(outcome, Outcome::Denied { code: "CD0202", .. }), "{outcome:?}");
    assert!(left.frame().now_or_never().is_none(), "what is left was cut too");
}

#[tokio::test]
async fn e64_a_request_that_is_cut_is_counted_once() {
    let server = Raw::answering(ENDLESS, Then::Hold).await;
    let narrowed = Narrowed::new(&House::default());
    let held = [
        first_part(&narrowed.client, get(server.url("/gone"))).await,
        first_part(&narrowed.client, get(server.url("/left"))).await,
    ];
    assert_eq!([narrowed.to_paths_below("/left"), narrowed.revoker.rejudge()], [1, 0]);
    let revoke = || narrowed.revoker.revoke(Revocation::default());
    assert_eq!([revoke(), revoke()], [1, 0], "one was cut already");
    drop(held);
}

#[tokio::test]
async fn e64_what_was_revoked_is_told_as_revoked_though_it_is_denied_too() {
    let server = Raw::answering(ENDLESS, Then::Hold).await;
    let narrowed = Narrowed::new(&House::default());
    let mut gone = first_part(&narrowed.client, get(server.url("/gone"))).await;
    narrowed.gate.narrow(Arc::new(Left { path: "/left", address: Some(LOOPBACK) }));
    narrowed.revoker.revoke(Revocation::default());
    let error = gone.frame().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Revoked { .. }), "{}", error.full_text());
}

#[tokio::test]
async fn e64_of_many_requests_that_go_on_none_is_forgotten() {
    let server = Raw::answering(ENDLESS, Then::Hold).await;
    let narrowed = Narrowed::new(&House::default());
    let mut held = Vec::new();
    for _request in 0..20 {
        held.push(first_part(&narrowed.client, get(server.url("/gone"))).await);
    }
    assert_eq!(narrowed.to_paths_below("/left"), held.len());
    eventually("all connections are closed", || server.open() == 0).await;
}

#[tokio::test]
async fn e64_a_response_that_nobody_reads_is_cut_when_it_is_denied() {
    let server = Raw::answering(ENDLESS, Then::Hold).await;
    let narrowed = Narrowed::new(&House::default());
    let held = send(&narrowed.client, get(server.url("/gone"))).await.unwrap();
    narrowed.to_paths_below("/left");
    let since = Instant::now();
    eventually("the connection is closed", || server.open() == 0).await;
    assert!(since.elapsed() < CUT_WITHIN);
    drop(held);
}

#[tokio::test]
async fn e64_a_request_that_waits_for_an_answer_ends_when_its_address_is_denied() {
    let echo = Echo::plain().await;
    let narrowed = Narrowed::new(&House::default());
    let (client, url) = (narrowed.client.clone(), format!("http://{}/hold", echo.address));
    let waiting = tokio::spawn(async move { send(&client, get(url)).await.map(drop) });
    eventually("the request is there", || echo.held() == 1).await;
    assert_eq!(narrowed.to(Left { path: "/", address: None }), 1);
    let since = Instant::now();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::AddressDenied { code: "CD0207", .. }), "{}", error.full_text());
    eventually("the connection is closed", || echo.open() == 0).await;
    assert!(since.elapsed() < CUT_WITHIN);
}

#[tokio::test]
async fn e64_the_next_request_over_a_kept_connection_is_judged_by_what_is_left() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let narrowed = Narrowed::new(&House::default());
    let fetch = |path: &str| {
        let (client, request) = (narrowed.client.clone(), get(server.url(path)));
        async move { crate::support::fetch(&client, request).await }
    };
    fetch("/gone").await.unwrap();
    assert_eq!(narrowed.to_paths_below("/left"), 0, "nothing goes on");
    assert!(is_denied(&fetch("/gone").await.unwrap_err()));
    fetch("/left").await.unwrap();
    assert_eq!((server.heads().len(), server.connections()), (2, 1));
    // What is wider now is not given: the client began without it.
    narrowed.to_paths_below("/");
    fetch("/gone").await.unwrap();
    let denied = get(format!("http://denied.test:{}/", server.port()));
    assert!(send(&narrowed.client, denied).await.is_err());
}

/// A body that begins and does not end.
fn endless() -> Body {
    let first = futures::stream::iter([Ok(Frame::data(Bytes::from_static(b"half")))]);
    StreamBody::new(first.chain(futures::stream::pending())).boxed_unsync()
}

#[tokio::test]
async fn e64_what_shares_a_connection_with_a_request_that_is_cut_is_never_taken_for_whole() {
    let authority = Authority::new();
    let echo = Echo::secure(&authority.issue("api.test"), "h2").await;
    let house = House::default().trusting(&authority.pem());
    let narrowed = Narrowed::new(&house);
    let url = |path: &str| format!("https://api.test:{}{path}", echo.address.port());
    let mut gone = first_part(&narrowed.client, post(url("/gone"), endless())).await;
    let mut left = first_part(&narrowed.client, post(url("/left"), endless())).await;
    assert_eq!(echo.connections(), 1, "both go over one connection");
    assert_eq!(narrowed.to_paths_below("/left"), 1);
    assert!(is_denied(&gone.frame().await.unwrap().unwrap_err()));
    let lost = left.frame().await.expect("it looks like a whole response").unwrap_err();
    assert_eq!(lost.class(), egress::Class::Transient, "{}", lost.full_text());
    eventually("the connection is closed", || echo.open() == 0).await;
    crate::support::fetch(&narrowed.client, post(url("/left"), egress::full("again"))).await.unwrap();
}
