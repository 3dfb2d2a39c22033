//! Token endpoints that do what they should not. No error holds what they wrote, and the guest sees nothing of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use egress::credential::Error as Fault;
use egress::{Class, Error, GuestClass, Outcome};

use crate::support::authority::{Authority, self_signed};
use crate::support::kept_credentials::{Keeper, placed};
use crate::support::raw::{Raw, Then};
use crate::support::served::{Served, reply};
use crate::support::{House, get, send};

fn answer(status: &str, headers: &str, body: &str) -> (Vec<u8>, Then) {
    let length = body.len();
    (
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes(),
        Then::Serve,
    )
}

fn keeper() -> Arc<Keeper> {
    Keeper::with(
        "acme.api",
        &[
            ("client_id", "c"),
            ("client_secret", "canary-client-secret"),
            ("refresh_token", "canary-refresh-token"),
            ("access_token", "canary-access-token"),
        ],
    )
}

/// Sends one request whose token must be renewed at this endpoint.
async fn renew(endpoint: &str, keeper: &Arc<Keeper>) -> (House, Error) {
    let api = Served::plain(|_| reply(401, "")).await;
    let settings = format!("kind = \"oauth2\"\ngrant = \"refresh-token\"\ntoken_url = \"{endpoint}\"");
    let house = House::placing(keeper.settings(placed(&api.url(""), &settings)));
    let error = send(&house.client(), get(api.url("/v1"))).await.unwrap_err();
    (house, error)
}

#[tokio::test]
async fn e54_an_endpoint_that_misbehaves_is_told_apart_and_never_shown_to_the_guest() {
    let canary = "canary-of-the-endpoint";
    let html = format!("<html>{canary}</html>");
    let dpop = format!(r#"{{"access_token":"{canary}","token_type":"DPoP"}}"#);
    let later = "Date: Fri, 01 Jan 2038 00:00:00 GMT\r\n";
    let grant = format!(r#"{{"error":"invalid_grant","error_description":"{canary}"}}"#);
    let own = format!(r#"{{"error":"{canary}"}}"#);
    let kind = "Content-Type: text/html; charset=utf-8\r\n";
    for ((bytes, then), code, class, said) in [
        (answer("200 OK", kind, &html), "CD0324", Class::Upstream, "answers a page of HTML instead of JSON"),
        (answer("500 x", kind, &html), "CD0323", Class::Transient, "it answers 500"),
        (answer("200 OK", "", &dpop), "CD0324", Class::Upstream, "another type than `bearer`"),
        (
            answer("200 OK", "", "{\"token_type\":\"bearer\"}"),
            "CD0324",
            Class::Upstream,
            "gives no `access_token`",
        ),
        (answer("302 x", "Location: http://evil.test/\r\n", ""), "CD0324", Class::Upstream, "redirects"),
        (answer("400 x", "", &grant), "CD0325", Class::Denied, "`invalid_grant`"),
        (answer("400 x", later, &grant), "CD0325", Class::Denied, "its clock differs from this machine's by"),
        (answer("400 x", "", &own), "CD0325", Class::Denied, "`an error of its own`"),
        ((b"garbage\r\n\r\n".to_vec(), Then::Close), "CD0323", Class::Transient, "breaks the protocol"),
        ((Vec::new(), Then::Close), "CD0323", Class::Transient, "ended before a response"),
    ] {
        let endpoint = Raw::answering(bytes, then).await;
        let (house, error) = renew(&endpoint.url("/token?tenant=1"), &keeper()).await;
        assert_eq!((error.code(), error.class()), (code, class), "{error}");
        assert!(error.to_string().contains(said), "{error}");
        let mut told =
            format!("{error:?} {} {} {:?}", error.full_text(), error.guest_text(), house.ledger.all());
        told.push_str(&serde_json::to_string(&house.ledger.all()).unwrap());
        assert!(!told.contains("canary") && !told.contains("tenant"), "{told}");
        let guest = error.guest_text();
        assert!(!guest.contains("token") && !guest.contains("127.0.0.1"), "{guest}");
        let calls: Vec<_> = house.ledger.all().into_iter().filter(|entry| entry.path == "/token").collect();
        assert_eq!(
            calls[0].credential.as_deref(),
            Some("acme.api"),
            "the ledger tells of the host's calls too"
        );
    }
}

#[tokio::test]
async fn e58_an_endpoint_that_cannot_be_trusted_gets_nothing_and_the_message_says_why() {
    let authority = Authority::new();
    for (name, identity, said) in [
        ("auth.test", authority.issue_expired("auth.test"), "expired"),
        ("auth.test", authority.issue("other.test"), "not valid for"),
        ("auth.test", self_signed("auth.test"), "UnknownIssuer"),
        ("auth.test", Authority::new().issue("auth.test"), "BadSignature"),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&asked);
        let endpoint = Served::secure(&identity, "http/1.1", move |_| {
            counting.fetch_add(1, Ordering::SeqCst);
            reply(200, "{}")
        })
        .await;
        let api = Served::plain(|_| reply(401, "")).await;
        let url = format!("https://{name}:{}/token", endpoint.address.port());
        let settings = format!("kind = \"oauth2\"\ngrant = \"refresh-token\"\ntoken_url = \"{url}\"");
        let keeper = keeper();
        let house =
            House::placing(keeper.settings(placed(&api.url(""), &settings))).trusting(&authority.pem());
        let error = send(&house.client(), get(api.url("/v1"))).await.unwrap_err();
        let text = error.to_string();
        assert_eq!((error.code(), error.guest_class()), ("CD0323", GuestClass::Unreachable), "{text}");
        assert!(text.contains("credential `api`") && text.contains(&url) && text.contains(said), "{text}");
        assert_eq!(error.guest_text(), "connection failed", "{text}");
        assert_eq!(asked.load(Ordering::SeqCst), 0, "{said}: the secret was sent");
    }
}

#[tokio::test]
async fn an_endless_answer_ends_at_the_limit() {
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(2 << 20, b' ');
    let endpoint = Raw::answering(endless, Then::Hold).await;
    let (_, error) = renew(&endpoint.url("/token"), &keeper()).await;
    assert_eq!((error.code(), error.class()), ("CD0323", Class::Transient));
    assert!(error.to_string().contains("`response-body-bytes` of 1048576"), "{error}");
}

#[tokio::test]
async fn an_endpoint_on_an_address_that_is_not_granted_is_not_called() {
    let api = Served::plain(|_| reply(401, "")).await;
    let settings = "kind = \"oauth2\"\ngrant = \"refresh-token\"\ntoken_url = \"https://auth.test/token\"";
    let house = House::placing(keeper().settings(placed(&api.url(""), settings)));
    let house = house.name("auth.test", &[&["169.254.169.254"]]);
    let error = send(&house.client(), get(api.url("/"))).await.unwrap_err();
    assert_eq!((error.code(), error.guest_class()), ("CD0323", GuestClass::Unreachable));
    assert!(error.to_string().contains("address `169.254.169.254:443`"), "{error}");
    assert!(!error.guest_text().contains("169"), "{}", error.guest_text());
    let denied = house.ledger.all().iter().any(|entry| matches!(entry.outcome, Outcome::Denied { .. }));
    assert!(denied, "{:?}", house.ledger.all());
}

#[tokio::test]
async fn a_provider_that_rotates_and_fails_half_way_costs_no_token_that_it_gave() {
    let endpoint = Raw::scripted(|number| match number {
        0 => answer("200 OK", "", r#"{"refresh_token":"the-next-one","token_type":"bearer"}"#),
        1 => answer("500 x", "", ""),
        2 => answer("401 x", "", r#"{"error":"invalid_client"}"#),
        _ => answer("400 x", "", r#"{"error":"invalid_grant"}"#),
    })
    .await;
    let keeper = keeper();
    let (_, error) = renew(&endpoint.url("/token"), &keeper).await;
    assert_eq!(error.code(), "CD0324");
    assert_eq!(keeper.field("acme.api", "refresh_token").as_deref(), Some("the-next-one"));
    assert!(!keeper.is_marked("acme.api"));
    let (_, error) = renew(&endpoint.url("/token"), &keeper).await;
    assert_eq!(error.code(), "CD0323");
    assert!(keeper.is_marked("acme.api"), "nobody knows whether the provider has spent it");
    let (_, error) = renew(&endpoint.url("/token"), &keeper).await;
    assert!(
        matches!(&error, Error::Credential(fault) if matches!(**fault, Fault::Refused { answer: "invalid_client", .. }))
    );
    assert!(!keeper.is_marked("acme.api"), "the client is wrong, the token is not spent");
    let (_, error) = renew(&endpoint.url("/token"), &keeper).await;
    assert_eq!(error.code(), "CD0325");
}

#[tokio::test]
async fn waiting_requests_share_the_failure_of_a_redemption() {
    let endpoint = Raw::answering(answer("500 x", "", "").0, Then::Serve).await;
    let api = Served::plain(|_| reply(401, "")).await;
    let settings =
        format!("kind = \"oauth2\"\ngrant = \"refresh-token\"\ntoken_url = \"{}\"", endpoint.url("/t"));
    let keeper = keeper();
    let house = House::placing(keeper.settings(placed(&api.url(""), &settings)));
    let client = house.client();
    let requests = (0..16).map(|_| send(&client, get(api.url("/"))));
    for outcome in futures::future::join_all(requests).await {
        assert_eq!(outcome.unwrap_err().code(), "CD0323");
    }
    assert!(
        endpoint.heads().len() < 16,
        "each of 16 asked an endpoint that is down: {}",
        endpoint.heads().len()
    );
    let redeemed = keeper.redeemed();
    assert!(!redeemed.is_empty() && redeemed.iter().all(|is_renewed| !is_renewed), "{redeemed:?}");
}
