//! E64: what a revoked connection still may do: nothing, at once.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use egress::{Class, Error, GuestClass, Outcome, Revocation};
use http_body_util::BodyExt;

use crate::support::authority::Authority;
use crate::support::raw::{Raw, Then, ok};
use crate::support::secure::Echo;
use crate::support::{House, eventually, get, send};

/// How long what was revoked may go on.
const CUT_WITHIN: Duration = Duration::from_secs(1);

fn why() -> Revocation {
    Revocation { what: "the credential `shop.api`".to_owned(), to_allow: "enter it again".to_owned() }
}

fn is_why(error: &Error) -> bool {
    let Revocation { what: said, to_allow: hint } = why();
    matches!(error, Error::Revoked { what, to_allow } if *what == said && *to_allow == hint)
}

#[tokio::test]
async fn e64_a_response_that_is_being_read_is_cut() {
    for framing in
        ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "\r\nhalf"]
    {
        let server = Raw::answering(format!("HTTP/1.1 200 OK\r\n{framing}"), Then::Hold).await;
        let house = House::default();
        let client = house.client();
        let mut body = send(&client, get(server.url("/"))).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
        client.revoker().revoke(why());
        let since = Instant::now();
        let error = body.frame().await.unwrap().unwrap_err();
        assert!(is_why(&error), "{framing}: {}", error.full_text());
        assert!(!error.guest_text().contains("shop.api"), "not the guest's to know");
        assert_eq!(
            (error.code(), error.class(), error.guest_class()),
            ("CD0313", Class::Denied, GuestClass::Denied)
        );
        eventually("the connection is closed", || server.open() == 0).await;
        assert!(since.elapsed() < CUT_WITHIN);
        let told = house.ledger.only().outcome;
        let Outcome::Denied { code: "CD0313", reason, .. } = &told else { panic!("{told:?}") };
        assert!(reason.contains("`shop.api`") && reason.contains("enter it again"), "{reason}");
    }
}

#[tokio::test]
async fn e64_a_response_that_nobody_reads_is_cut_too() {
    let server = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::Hold).await;
    let client = House::default().client();
    let held = send(&client, get(server.url("/"))).await.unwrap();
    client.revoker().revoke(why());
    let since = Instant::now();
    eventually("the connection is closed", || server.open() == 0).await;
    assert!(since.elapsed() < CUT_WITHIN);
    drop(held);
}

#[tokio::test]
async fn e64_requests_that_wait_for_an_answer_end_over_both_versions_of_http() {
    let authority = Authority::new();
    let two = Echo::secure(&authority.issue("api.test"), "h2").await;
    let one = Echo::plain().await;
    for (echo, url) in [
        (&two, format!("https://api.test:{}/hold", two.address.port())),
        (&one, format!("http://{}/hold", one.address)),
    ] {
        let client = House::default().trusting(&authority.pem()).client();
        let revoker = client.revoker();
        let waiting = tokio::spawn(async move { send(&client, get(url)).await.map(drop) });
        eventually("the request is there", || echo.held() == 1).await;
        revoker.revoke(why());
        let since = Instant::now();
        assert!(is_why(&waiting.await.unwrap().unwrap_err()));
        eventually("the connection is closed", || echo.open() == 0).await;
        assert!(since.elapsed() < CUT_WITHIN);
    }
}

#[tokio::test]
async fn e64_the_next_request_is_refused_before_anything_is_looked_up() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default();
    let client = house.client();
    let url = format!("http://api.test:{}/", server.port());
    crate::support::fetch(&client, get(&url)).await.unwrap();
    client.revoker().revoke(why());
    eventually("the kept connection is closed", || server.open() == 0).await;
    for client in [client.clone(), client] {
        assert!(is_why(&send(&client, get(&url)).await.unwrap_err()));
    }
    assert_eq!((server.heads().len(), house.names.asked.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn e64_another_client_of_the_same_process_is_not_touched() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default();
    let egress = house.egress();
    let (revoked, other) = (egress.client(house.settings()), egress.client(house.settings()));
    crate::support::fetch(&other, get(server.url("/"))).await.unwrap();
    revoked.revoker().revoke(why());
    assert!(send(&revoked, get(server.url("/"))).await.is_err());
    crate::support::fetch(&other, get(server.url("/"))).await.unwrap();
    assert_eq!(server.connections(), 1, "its kept connection is still there");
}
