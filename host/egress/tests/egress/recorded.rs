//! Every request is in the ledger once, however it ended.

use egress::Outcome;
use http_body_util::BodyExt;

use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, fetch, get, post, send};

#[tokio::test]
async fn a_completed_request_is_told_with_its_address_rule_and_bytes_and_without_its_query() {
    let server = Raw::answering(ok("12345"), Then::Serve).await;
    let house = House::default();
    let request = post(format!("http://api.test:{}/v1/items?key=secret", server.port()), egress::full("123"));
    fetch(&house.client(), request).await.unwrap();
    let entry = house.ledger.only();
    assert_eq!(
        (entry.method.as_str(), entry.scheme.as_str(), entry.host.as_str()),
        ("POST", "http", "api.test")
    );
    assert_eq!((entry.port, entry.path.as_str(), entry.status), (server.port(), "/v1/items", Some(200)));
    assert_eq!((entry.bytes_out, entry.bytes_in, entry.bytes_in_wire), (3, 5, 5));
    assert_eq!(entry.address, Some(server.address));
    assert_eq!(entry.rule, Some(format!("api.test:{}", server.port())));
    assert_eq!((entry.credential.as_ref(), entry.opaque, &entry.outcome), (None, false, &Outcome::Completed));
    assert!(!entry.duration.is_zero());
    let json = serde_json::to_string(&entry).unwrap();
    assert!(json.contains(r#""outcome":{"kind":"completed"}"#) && !json.contains("secret"), "{json}");
}

#[tokio::test]
async fn a_failed_request_is_told_with_its_cause() {
    let server = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Then::Close).await;
    let house = House::default();
    fetch(&house.client(), get(server.url("/"))).await.unwrap_err();
    let entry = house.ledger.only();
    let Outcome::Failed { code: "CD0309", message } = &entry.outcome else { panic!("{entry:?}") };
    assert!(message.starts_with("response body ended early after 4 bytes: "), "{message}");
    assert_eq!((entry.status, entry.bytes_in), (Some(200), 4));
}

#[tokio::test]
async fn a_malformed_request_is_told_with_what_could_be_read_of_it() {
    let house = House::default();
    send(&house.client(), get("ftp://user:pass@files.test/x?key=secret")).await.unwrap_err();
    let entry = house.ledger.only();
    assert_eq!(
        (entry.scheme.as_str(), entry.host.as_str(), entry.path.as_str()),
        ("ftp", "files.test", "/x")
    );
    assert!(matches!(entry.outcome, Outcome::Failed { code: "CD0301", .. }));
    assert!(!format!("{entry:?}").contains("pass"), "{entry:?}");
}

#[tokio::test]
async fn a_response_that_the_caller_drops_is_told_as_abandoned_with_what_it_read() {
    let server = Raw::answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::Hold).await;
    let house = House::default();
    let mut body = send(&house.client(), get(server.url("/"))).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    assert_eq!(house.ledger.all().len(), 0, "the request is still under way");
    drop(body);
    let entry = house.ledger.only();
    assert_eq!((&entry.outcome, entry.bytes_in), (&Outcome::Abandoned, 4));
}

#[tokio::test]
async fn a_denied_address_is_told_as_denied() {
    let house = House::default().name("inside.test", &[&["10.0.0.1"]]);
    send(&house.client(), get("http://inside.test/")).await.unwrap_err();
    assert!(matches!(house.ledger.only().outcome, Outcome::Denied { code: "CD0298", .. }));
}
