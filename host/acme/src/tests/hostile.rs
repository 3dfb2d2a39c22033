//! Whatever the other side answers: an error that says what it is, nothing shown, and no other attempt before its time.

use super::world::{Answer, Script, World, authorization, directory_of, order};
use rcgen::generate_simple_self_signed;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;

const HOUR_MS: u64 = 60 * 60 * 1_000;
const PROBLEM: &str = "content-type: application/problem+json\r\n";

/// Answers otherwise than an honest directory does where it is asked for this path.
fn at(path: &'static str, answer: impl Fn(SocketAddr) -> Answer + Send + Sync + 'static) -> Script {
    Arc::new(move |asked, address| (asked == path).then(|| answer(address)))
}

pub(super) fn problem(path: &'static str, status: u16, kind: &'static str, headers: &'static str) -> Script {
    let body =
        json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": "canary\u{1b}[31m words"});
    at(path, move |_| (status, format!("{PROBLEM}{headers}"), body.to_string()))
}

fn text(path: &'static str, status: u16, body: &'static str) -> Script {
    at(path, move |_| (status, String::new(), body.to_owned()))
}

/// The order waits for a proof, which can be given in these ways.
fn pending(kinds: &'static [&'static str]) -> Script {
    Arc::new(move |asked, address| match asked {
        "/order" => {
            let location = format!("location: https://{address}/order/1\r\n");
            Some((201, location, order(address, "pending").to_string()))
        }
        "/authorization" => Some((200, String::new(), authorization(address, "pending", kinds).to_string())),
        _ => None,
    })
}

fn cases() -> Vec<(&'static str, Script, &'static str)> {
    vec![
        ("a page", text("/dir", 200, "<html>canary</html>"), "CD1502"),
        ("nothing", text("/dir", 404, ""), "CD1502"),
        ("an endless directory", at("/dir", |_| (200, String::new(), "x".repeat(2 << 20))), "CD1501"),
        (
            "a directory without encryption",
            at("/dir", |address| {
                (200, String::new(), directory_of(address).to_string().replace("https", "http"))
            }),
            "CD1502",
        ),
        (
            "a directory that points into our network",
            at("/dir", |address| {
                (200, String::new(), directory_of(address).to_string().replace("127.0.0.1", "127.0.0.2"))
            }),
            "CD1501",
        ),
        (
            "another time",
            at("/account", |address| {
                let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
                let location = format!("{date}location: https://{address}/account/1\r\n");
                (201, location, json!({"status": "valid"}).to_string())
            }),
            "CD1509",
        ),
        ("no nonce", at("/nonce", |_| (200, "replay-nonce-not: x\r\n".to_owned(), String::new())), "CD1502"),
        ("an account without a place", text("/account", 201, "{}"), "CD1502"),
        ("an account that is revoked", problem("/account", 403, "unauthorized", ""), "CD1505"),
        ("terms that changed", problem("/order", 403, "userActionRequired", ""), "CD1505"),
        ("a page instead of an order", text("/order", 500, "<html>canary</html>"), "CD1502"),
        ("an order that is none", text("/order", 201, r#"{"status": "canary"}"#), "CD1502"),
        ("a name that is not taken", problem("/order", 400, "rejectedIdentifier", ""), "CD1503"),
        ("an unknown kind", problem("/order", 400, "canary", ""), "CD1503"),
        ("limits", problem("/order", 429, "rateLimited", "retry-after: 86400\r\n"), "CD1504"),
        ("nonces that are never taken", problem("/order", 400, "badNonce", ""), "CD1503"),
        ("an account that is never known", problem("/order", 400, "accountDoesNotExist", ""), "CD1505"),
        ("no proof that we can give", pending(&["http-01", "dns-01"]), "CD1507"),
        ("a proof that is not asked for", pending(&["tls-alpn-01"]), "CD1502"),
        ("a certificate for another name", Arc::new(|_: &str, _: SocketAddr| None), "CD1510"),
        ("no certificate", text("/certificate", 200, "canary"), "CD1510"),
        (
            "a certificate of another key",
            at("/certificate", |_| {
                let other = generate_simple_self_signed(["a.example".to_owned()]).unwrap();
                (200, String::new(), other.cert.pem())
            }),
            "CD1510",
        ),
    ]
}

#[tokio::test]
async fn whatever_is_answered_is_told_shown_to_nobody_and_not_asked_again_at_once() {
    for (what, script, code) in cases() {
        let world = World::new(script).await;
        let error = world.renewal().await.attempt().await.unwrap_err();
        assert_eq!(error.code(), code, "{what}: {error:?}");
        let said = error.to_string();
        assert!(!said.contains('\u{1b}') && said.len() < 600, "{what}: {said}");
        assert_eq!(*world.shown.shown.lock().unwrap(), 0, "{what}");
        assert!(
            world.shown.proofs.lock().unwrap().is_empty(),
            "{what}: proofs are shown no longer than needed"
        );
        // The next process knows it.
        let now_ms = storage::Clock::now_ms(&storage::SystemClock);
        let next_ms = world.renewal().await.next_ms(now_ms).await.unwrap();
        let least_ms = if code == "CD1504" { 23 * HOUR_MS } else { 60 * 1_000 };
        assert!(next_ms > now_ms + least_ms, "{what}");
        assert!(world.asked.lock().unwrap().len() < 60, "{what}: {:?}", world.asked.lock().unwrap());
    }
}

#[tokio::test]
async fn an_account_that_is_not_known_any_more_is_made_anew_and_no_oftener_than_a_few_times() {
    let world = World::new(problem("/order", 400, "accountDoesNotExist", "")).await;
    world.renewal().await.attempt().await.unwrap_err();
    assert_eq!(world.count("/account"), 4);
    // One that is good is used again.
    let world = World::new(problem("/order", 400, "rejectedIdentifier", "")).await;
    for _ in 0..3 {
        world.renewal().await.attempt().await.unwrap_err();
    }
    assert_eq!((world.count("/account"), world.count("/order")), (1, 3));
}
