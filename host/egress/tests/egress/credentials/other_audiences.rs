//! A request that is not in the audience never carries the credential, whoever sent the guest there.

use egress::credential::Placed;
use http::Request;

use crate::support::kept_credentials::{Keeper, placed_for};
use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, fetch, get, send};

const CANARY: &str = "canary-of-bearer";

fn house(placed: Vec<Placed>) -> House {
    House::placing(Keeper::with("acme.api", &[("token", CANARY)]).settings(placed))
}

#[tokio::test]
async fn only_scheme_host_port_path_and_method_together_are_the_audience() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let other = Raw::answering(ok("hi"), Then::Serve).await;
    let (port, elsewhere) = (server.port(), other.port());
    let api = format!("http://api.test:{port}");
    let audience = format!("{{ url = \"{api}\", methods = [\"GET\"], path_prefix = \"/v1\" }}");
    let hosts = [api.as_str()];
    let house = house(placed_for(&audience, &hosts, "kind = \"bearer\""));
    let client = house.client();
    for (method, url, carries) in [
        ("GET", format!("{api}/v1"), true),
        ("GET", format!("{api}/v1/items?q=/v2"), true),
        ("GET", format!("http://API.test:{port}/v1/x"), true),
        ("POST", format!("{api}/v1"), false),
        ("HEAD", format!("{api}/v1"), false),
        ("GET", format!("{api}/"), false),
        ("GET", format!("{api}/v1x"), false),
        ("GET", format!("{api}/V1/items"), false),
        ("GET", format!("{api}/v2/v1"), false),
        ("GET", format!("{api}/v2?x=/v1"), false),
        ("GET", format!("http://www.api.test:{port}/v1"), false),
        ("GET", format!("http://api.test.evil.test:{port}/v1"), false),
        ("GET", format!("http://evil.test:{port}/v1?host=api.test"), false),
        ("GET", format!("http://127.0.0.1:{port}/v1"), false),
        ("GET", format!("http://api.test:{elsewhere}/v1"), false),
    ] {
        let before = (server.heads().len(), other.heads().len());
        let request = Request::builder().method(method).uri(&url).body(egress::empty()).unwrap();
        send(&client, request).await.unwrap();
        let heads = [&server.heads()[before.0..], &other.heads()[before.1..]].concat();
        assert_eq!((heads.len(), heads[0].contains(CANARY)), (1, carries), "{method} {url}");
        let told = house.ledger.all().pop().map(|entry| entry.credential.is_some());
        assert_eq!(told, Some(carries), "{method} {url}");
    }
}

#[tokio::test]
async fn e46_a_credential_of_https_never_goes_out_in_the_clear() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let port = server.port();
    let (secure, plain) = (format!("https://api.test:{port}"), format!("http://api.test:{port}"));
    let audience = format!("{{ url = \"{secure}\" }}");
    let house = house(placed_for(&audience, &[&secure, &plain], "kind = \"bearer\""));
    fetch(&house.client(), get(format!("{plain}/v1"))).await.unwrap();
    assert!(!server.heads()[0].contains(CANARY));
}

#[tokio::test]
async fn e46_a_credential_does_not_follow_a_redirect() {
    let elsewhere = Raw::answering(ok("hi"), Then::Serve).await;
    let port = elsewhere.port();
    for status in [301, 302, 303, 307, 308] {
        for to in [
            format!("http://evil.test:{port}/v1"),
            format!("//evil.test:{port}/v1"),
            format!("http://api.test:{port}/v1"),
            format!("http://api.test.evil.test:{port}/v1"),
        ] {
            let answer = format!("HTTP/1.1 {status} x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            let server = Raw::answering(answer, Then::Serve).await;
            let api = format!("http://api.test:{}", server.port());
            let audience = format!("{{ url = \"{api}\" }}");
            let house = house(placed_for(&audience, &[&api], "kind = \"bearer\""));
            let client = house.client();
            let response = send(&client, get(format!("{api}/v1"))).await.unwrap();
            assert_eq!(response.status(), status);
            assert!(server.heads()[0].contains(CANARY), "{to}");
            // The guest follows.
            let before = elsewhere.heads().len();
            let location = response.headers()["location"].to_str().unwrap();
            let next =
                if location.starts_with("//") { format!("http:{location}") } else { location.to_owned() };
            fetch(&client, get(&next)).await.unwrap();
            let head = &elsewhere.heads()[before];
            assert!(!head.contains(CANARY) && !head.contains("authorization"), "{status} {to}: {head}");
        }
    }
}

/// As a server does that takes a connection for whoever its first request was of.
#[tokio::test]
async fn e57_a_connection_that_carried_a_credential_carries_no_request_without_it() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let api = server.url("");
    let audience = format!("{{ url = \"{api}\", path_prefix = \"/v1\" }}");
    let house = house(placed_for(&audience, &[&api], "kind = \"bearer\""));
    let client = house.client();
    for (path, connections) in [("/v1/a", 1), ("/public", 2), ("/v1/b", 2), ("/public", 2), ("/v1/c", 2)] {
        fetch(&client, get(server.url(path))).await.unwrap();
        assert_eq!(server.connections(), connections, "{path}");
        assert_eq!(server.heads().pop().unwrap().contains(CANARY), path.starts_with("/v1"), "{path}");
    }
}

#[tokio::test]
async fn what_is_revealed_is_the_guests_to_place() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let url = server.url("");
    let audience = format!("{{ url = \"{url}\" }}");
    let house = house(placed_for(&audience, &[&url], "kind = \"bearer\"\nreveal = true"));
    fetch(&house.client(), get(server.url("/"))).await.unwrap();
    assert!(!server.heads()[0].contains("authorization"));
}
