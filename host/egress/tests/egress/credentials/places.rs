//! What arrives: the host's value once, and nothing of what the guest put in its place.

use egress::credential::Placed;
use http::Request;

use crate::support::kept_credentials::{Keeper, asks, placed};
use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, fetch};

/// Sends a request with these headers and says what arrived.
async fn arrived(settings: &str, fields: &[(&str, &str)], path: &str, headers: &[(&str, &str)]) -> String {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let keeper = Keeper::with("acme.api", fields);
    let house = House::placing(keeper.settings(placed(&server.url(""), settings)));
    let mut request = Request::get(server.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    fetch(&house.client(), request.body(egress::empty()).unwrap()).await.unwrap();
    assert_eq!(house.ledger.only().credential.as_deref(), Some("acme.api"));
    server.heads().remove(0)
}

/// The values of a header in the head of a request.
fn values(head: &str, name: &str) -> Vec<String> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).collect()
}

#[tokio::test]
async fn e40_e41_a_header_is_the_hosts_alone_whatever_the_guest_wrote() {
    let twins: &[&[(&str, &str)]] = &[
        &[],
        &[("authorization", "Bearer mine")],
        &[("Authorization", "Basic bWluZQ==")],
        &[("AUTHORIZATION", "mine"), ("authorization", "mine too")],
        &[("connection", "authorization")],
        &[("connection", "close, Authorization, x-api-key"), ("authorization", "mine")],
        &[("connection", "X-Api-Key"), ("x-api-key", "mine"), ("X-API-KEY", "mine")],
        &[("proxy-authorization", "Basic bWluZQ=="), ("x-api-key", "")],
        &[("x_api_key", "mine"), ("X.Api-Key", "mine"), ("x-api_key", "mine")],
    ];
    let header = "kind = \"header\"\nheader = \"X-Api-Key\"\nprefix = \"Token \"";
    for (settings, fields, name, expected) in [
        (
            "kind = \"bearer\"",
            &[("token", "canary-of-bearer")][..],
            "authorization",
            "Bearer canary-of-bearer",
        ),
        (header, &[("value", "canary-of-header")], "x-api-key", "Token canary-of-header"),
        (
            "kind = \"basic\"",
            &[("username", "Aladdin"), ("password", "open sesame")],
            "authorization",
            // RFC 7617 §2
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        ("kind = \"basic\"", &[("username", "key"), ("password", "")], "authorization", "Basic a2V5Og=="),
    ] {
        for headers in twins {
            let head = arrived(settings, fields, "/v1", headers).await;
            assert_eq!(values(&head, name), [expected], "{headers:?}");
            // A server that makes variables of headers reads `x_api_key` as the same name.
            assert!(name != "x-api-key" || !head.to_lowercase().contains("api_key"), "{head}");
            assert!(name != "x-api-key" || !head.to_lowercase().contains("x.api"), "{head}");
            assert!(
                values(&head, "connection").is_empty() && values(&head, "proxy-authorization").is_empty()
            );
        }
    }
}

#[tokio::test]
async fn e41_a_parameter_is_the_hosts_alone_whatever_the_guest_wrote() {
    let settings = "kind = \"query\"\nparameter = \"api_key\"";
    let fields = &[("value", "canary of/query")][..];
    for (path, target) in [
        ("/v1", "/v1?api_key=canary%20of%2Fquery"),
        ("/v1?page=2", "/v1?page=2&api_key=canary%20of%2Fquery"),
        ("/v1?api_key=mine&page=2", "/v1?page=2&api_key=canary%20of%2Fquery"),
        ("/v1?page=2&api%5Fkey=mine&API_KEY=mine", "/v1?page=2&api_key=canary%20of%2Fquery"),
        ("/v1?%61pi_key[]=mine", "/v1?api_key=canary%20of%2Fquery"),
    ] {
        let head = arrived(settings, fields, path, &[]).await;
        assert_eq!(head.lines().next(), Some(format!("GET {target} HTTP/1.1").as_str()));
    }
}

#[tokio::test]
async fn e51_e52_e53_a_guest_can_name_neither_a_credential_nor_a_place() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let keeper = Keeper::with("acme.api", &[("token", "canary-of-bearer")]);
    keeper.enter("other.api", &[("token", "canary-of-another")]);
    let house = House::placing(keeper.settings(placed(&server.url(""), "kind = \"bearer\"")));
    let request = Request::get(server.url("/v1/$other.api/~token~?credential=other.api&token=$acme.api"))
        .header("x-wanted", "${credentials.api.token} {{ credentials['other.api'] }}")
        .header("x-cofferdam-credential", "other.api")
        .body(egress::empty())
        .unwrap();
    fetch(&house.client(), request).await.unwrap();
    let head = server.heads().remove(0);
    assert!(head.matches("canary-of-bearer").count() == 1 && !head.contains("canary-of-another"), "{head}");
    assert_eq!(values(&head, "x-wanted"), ["${credentials.api.token} {{ credentials['other.api'] }}"]);
}

#[tokio::test]
async fn two_credentials_of_one_audience_are_both_placed_and_both_told() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let url = server.url("");
    let body = format!(
        "[[asks.credentials]]\nname = \"app\"\nkind = \"header\"\nheader = \"x-app\"\naudience = [{{ url = \"{url}\" }}]\n\
         [[asks.credentials]]\nname = \"key\"\nkind = \"query\"\nparameter = \"key\"\naudience = [{{ url = \"{url}\" }}]\n"
    );
    let placed =
        asks(&[&url], &body).into_iter().map(|ask| Placed { stored: format!("acme.{}", ask.name), ask });
    let keeper = Keeper::with("acme.app", &[("value", "canary-of-app")]);
    keeper.enter("acme.key", &[("value", "canary-of-key")]);
    let house = House::placing(keeper.settings(placed.collect()));
    fetch(&house.client(), crate::support::get(server.url("/"))).await.unwrap();
    let head = server.heads().remove(0);
    assert!(head.starts_with("GET /?key=canary-of-key HTTP/1.1"), "{head}");
    assert_eq!(values(&head, "x-app"), ["canary-of-app"]);
    assert_eq!(house.ledger.only().credential.as_deref(), Some("acme.app, acme.key"));
}

#[tokio::test]
async fn what_is_entered_anew_counts_from_the_next_request_on() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let keeper = Keeper::with("acme.api", &[("token", "canary-one")]);
    let house = House::placing(keeper.settings(placed(&server.url(""), "kind = \"bearer\"")));
    let client = house.client();
    fetch(&client, crate::support::get(server.url("/"))).await.unwrap();
    keeper.enter("acme.api", &[("token", "canary-two")]);
    fetch(&client, crate::support::get(server.url("/"))).await.unwrap();
    let sent: Vec<String> = server.heads().iter().flat_map(|head| values(head, "authorization")).collect();
    assert_eq!(sent, ["Bearer canary-one", "Bearer canary-two"]);
}
