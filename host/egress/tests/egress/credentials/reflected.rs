//! A server that sends the secret back, in every form that the scrubber knows: the guest gets none of it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::BodyExt;
use scrub::Place;

use crate::encodings::encode;
use crate::support::kept_credentials::{Keeper, placed};
use crate::support::raw::{Raw, Then};
use crate::support::{House, get, read, send};

/// With characters that each encoding spells in its own way.
const CANARY: &str = "ca/na+ry\"Q7xZ~2kP9 vL";
const HIDDEN: &str = "*********************";

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "%{byte:02X}").unwrap();
        all
    })
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The secret as servers may send it back.
fn spellings() -> Vec<(&'static str, String)> {
    vec![
        ("raw", CANARY.to_owned()),
        ("base64", STANDARD.encode(CANARY)),
        ("base64 at another offset", STANDARD.encode(format!("x{CANARY}"))),
        ("base64 at the third offset", STANDARD.encode(format!("xy{CANARY}z"))),
        ("base64url", URL_SAFE_NO_PAD.encode(CANARY)),
        ("percent", percent(CANARY)),
        ("JSON", serde_json::to_string(CANARY).unwrap().trim_matches('"').to_owned()),
        ("hex", hex(CANARY)),
    ]
}

fn house(server: &Raw) -> (House, scrub::Watch) {
    let keeper = Keeper::with("acme.api", &[("value", CANARY)]);
    let settings = placed(&server.url(""), "kind = \"header\"\nheader = \"x-key\"");
    (House::placing(keeper.settings(settings)), keeper.watch.clone())
}

/// What the guest gets of such an answer: head, body and trailers.
async fn reflected(answer: Vec<u8>) -> (String, scrub::Watch) {
    let server = Raw::answering(answer, Then::Serve).await;
    let (house, watch) = house(&server);
    let response = send(&house.client(), get(server.url("/"))).await.unwrap();
    let mut told = format!("{:?}\n", response.headers());
    let body = response.into_body().collect().await.unwrap();
    let trailers = format!("{:?}", body.trailers());
    told.push_str(std::str::from_utf8(&body.to_bytes()).unwrap());
    told.push_str(&trailers);
    (told, watch)
}

fn with_length(body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// One byte in each chunk.
fn in_chunks(body: &[u8]) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for byte in body {
        answer.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

#[tokio::test]
async fn e48_a_secret_in_a_body_is_blanked_in_every_form() {
    for (name, spelled) in spellings() {
        let body = format!("{{\"you sent\": \"{spelled}\", \"more\": true}}");
        for answer in [with_length(body.as_bytes()), in_chunks(body.as_bytes())] {
            let (told, watch) = reflected(answer).await;
            // The edges of base64 share a character with their neighbours.
            let middle = &spelled[2..spelled.len() - 4];
            assert!(!told.contains(middle), "{name}: {told}");
            assert!(
                told.contains("{\"you sent\": \"") && told.contains("\", \"more\": true}"),
                "{name}: {told}"
            );
            let hits = watch.hits();
            assert_eq!(
                (&*hits[0].credential, hits[0].place, hits.len()),
                ("acme.api", Place::Body, 1),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn e48_a_secret_in_a_compressed_body_is_blanked() {
    let body = format!("{{\"you sent\": \"{CANARY}\"}}");
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let packed = encode(coding, body.as_bytes()).await;
        let length = packed.len();
        let mut answer =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n")
                .into_bytes();
        answer.extend_from_slice(&packed);
        let (told, watch) = reflected(answer).await;
        assert!(told.contains(&format!("\"{HIDDEN}\"")) && !told.contains(CANARY), "{coding}: {told}");
        assert_eq!(watch.hits().len(), 1, "{coding}");
    }
}

#[tokio::test]
async fn e48_a_secret_in_a_field_of_the_head_or_of_the_trailers_is_blanked() {
    let spelled = [hex(CANARY), percent(CANARY), STANDARD.encode(CANARY)];
    for spelled in spelled {
        let head = format!(
            "HTTP/1.1 200 OK\r\nLocation: https://evil.test/?key={spelled}\r\nSet-Cookie: key={spelled}; Secure\r\n\
             Link: <{spelled}>\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Echo: {spelled}\r\n\r\n"
        );
        let (told, watch) = reflected(head.into_bytes()).await;
        assert!(!told.contains(&spelled[2..spelled.len() - 4]), "{told}");
        assert!(told.contains("; Secure") && told.contains("https://evil.test/?key=*"), "{told}");
        let found: u64 =
            watch.hits().iter().filter(|hit| hit.place == Place::Header).map(|hit| hit.count).sum();
        assert_eq!(found, 4, "{told}");
    }
    let reason = format!("HTTP/1.1 200 {CANARY}\r\nContent-Length: 0\r\n\r\n");
    let server = Raw::answering(reason, Then::Serve).await;
    let response = send(&house(&server).0.client(), get(server.url("/"))).await.unwrap();
    assert!(response.extensions().get::<hyper::ext::ReasonPhrase>().is_none(), "the words beside a status");
    let name = format!("HTTP/1.1 200 OK\r\nX-{}: 1\r\nX-Other: 2\r\nContent-Length: 0\r\n\r\n", hex(CANARY));
    let (told, _) = reflected(name.into_bytes()).await;
    assert!(!told.contains(&hex(CANARY)) && told.contains("x-other"), "{told}");
}

#[tokio::test]
async fn the_length_and_everything_else_stay() {
    let mut body = vec![b'a'; 100_000];
    for at in [0, 40_000, 100_000 - CANARY.len()] {
        body[at..at + CANARY.len()].copy_from_slice(CANARY.as_bytes());
    }
    let server = Raw::answering(with_length(&body), Then::Serve).await;
    let (house, watch) = house(&server);
    let client = house.client();
    for _request in 0..2 {
        let response = send(&client, get(server.url("/"))).await.unwrap();
        assert_eq!(response.headers()["content-length"], "100000");
        let told = read(response).await.unwrap();
        let hidden: usize = told.iter().filter(|byte| **byte == b'*').count();
        assert_eq!((told.len(), hidden), (100_000, 3 * CANARY.len()));
        assert!(told.ends_with(HIDDEN.as_bytes()), "the end was held back, and came");
    }
    assert_eq!(server.connections(), 1, "the connection is kept as ever");
    assert_eq!(house.ledger.all()[0].bytes_in, 100_000);
    assert_eq!(watch.hits()[0].count, 6);
}

#[tokio::test]
async fn e48_both_tokens_are_looked_for_when_one_was_renewed_in_mid_run() {
    use crate::support::served::{Served, reply};
    use crate::support::tokens::{CLIENT, Tokens};
    let tokens = Tokens::start("refresh-token-of-the-admin").await;
    let known = std::sync::Arc::clone(&tokens.known);
    let api = Served::plain(move |request| {
        let sent = request.headers()["authorization"].to_str().unwrap().to_owned();
        let holds = known.holds(sent.trim_start_matches("Bearer "));
        reply(
            if holds { 200 } else { 401 },
            format!("{sent} access-token-of-last-week refresh-token-number-1"),
        )
    })
    .await;
    let keeper = Keeper::with(
        "acme.api",
        &[
            ("client_id", CLIENT.0),
            ("client_secret", CLIENT.1),
            ("refresh_token", "refresh-token-of-the-admin"),
            ("access_token", "access-token-of-last-week"),
        ],
    );
    let house = House::placing(keeper.settings(placed(&api.url(""), &tokens.settings())));
    let told = read(send(&house.client(), get(api.url("/"))).await.unwrap()).await.unwrap();
    let blank = |text: &str| "*".repeat(text.len());
    let expected = format!(
        "Bearer {} {} {}",
        blank("access-token-number-1"),
        blank("access-token-of-last-week"),
        blank("refresh-token-number-1")
    );
    assert_eq!(String::from_utf8(told.to_vec()).unwrap(), expected);
}
