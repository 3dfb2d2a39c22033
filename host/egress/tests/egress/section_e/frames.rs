//! E36, E50 and E61: servers that speak HTTP/2 as no library would.

use std::time::Duration;

use egress::{Client, Error, Limit};
use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::support::authority::Authority;
use crate::support::raw::{Raw, read_to_end};
use crate::support::secure::acceptor;
use crate::support::{House, eventually, get, read, send};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200` of the static table.
const OK: &[u8] = &[0x88];

/// What a server sends once the request is there: first this, then that as often as it is taken.
struct Attack {
    name: &'static str,
    first: Vec<u8>,
    again: Vec<u8>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field that no table knows.
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// A whole response head with these fields.
fn head(fields: &[(&str, &str)]) -> Vec<u8> {
    let block = fields.iter().fold(OK.to_vec(), |block, (name, value)| [block, field(name, value)].concat());
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)
}

/// A field of 3000 bytes that the table keeps, and then ten thousand times nothing but its number: 13 kB that are 30 MB.
fn packed_fields() -> Vec<u8> {
    let kept = [&[0x40, 1, b'x', 0x7f, 0xb9, 0x16][..], &[b'y'; 3000]].concat();
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &[OK, &kept, &[0xbe; 10_000]].concat())
}

fn once(name: &'static str, first: Vec<u8>) -> Attack {
    Attack { name, first, again: Vec::new() }
}

fn malformed() -> Vec<Attack> {
    vec![
        once("an upper-case name", head(&[("X-Upper", "1")])),
        once("a line break in a value", head(&[("x", "a\r\nhost: evil.test")])),
        once("a NUL in a value", head(&[("x", "a\0b")])),
        once("an empty name", head(&[("", "1")])),
        once("a pseudo-header that nobody knows", head(&[(":evil", "1")])),
        once("a pseudo-header after the others", head(&[("x", "1"), (":status", "200")])),
        once("two statuses", head(&[(":status", "404")])),
        once("a length that the body does not have", head(&[("content-length", "5")])),
        once("a head for a stream that nobody opened", frame(HEADERS, END_HEADERS, 7, OK)),
        once("a push that nobody wants", frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2], OK].concat())),
        once("a window that overflows", frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes())),
        once("data before a head", frame(DATA, 0, 1, b"early")),
        once("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, OK)),
        once("a reset", frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())),
        once("fields that are small on the way and large in memory", packed_fields()),
        once("a frame larger than was agreed", frame(DATA, 0, 1, &vec![0; 1 << 20])),
    ]
}

fn floods() -> Vec<Attack> {
    let open = frame(HEADERS, END_HEADERS, 1, OK);
    let attack = |name, first: &[u8], again| Attack { name, first: first.to_vec(), again };
    let fields: Vec<u8> = field("x", "y").repeat(1000);
    vec![
        attack("continuations with fields", &frame(HEADERS, 0, 1, OK), frame(CONTINUATION, 0, 1, &fields)),
        attack("empty continuations", &frame(HEADERS, 0, 1, OK), frame(CONTINUATION, 0, 1, &[])),
        attack("empty data", &open, frame(DATA, 0, 1, &[])),
        attack("padding without data", &open, frame(DATA, 8, 1, &[10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        attack("pings", &[], frame(PING, 0, 0, &[0; 8])),
        attack("settings", &[], frame(SETTINGS, 0, 0, &[])),
        attack("resets", &open, frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())),
        attack("windows", &[], frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes())),
        attack("interim heads", &[], frame(HEADERS, END_HEADERS, 1, &field(":status", "103"))),
    ]
}

/// Waits for the request, then attacks until the client has had enough.
async fn serve(stream: &mut TlsStream<TcpStream>, first: &[u8], again: &[u8]) -> std::io::Result<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&[frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])].concat()).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await?;
        if head[3] == HEADERS {
            break;
        }
    }
    stream.write_all(first).await?;
    while !again.is_empty() {
        stream.write_all(&again.repeat(64)).await?;
    }
    stream.flush().await
}

/// How a request to such a server ends: with its fields, when it is answered all the same.
async fn end(authority: &Authority, attack: Attack, total: Duration) -> Result<HeaderMap, Error> {
    let house = House::default().trusting(&authority.pem()).caps(|caps| caps.total_timeout = total);
    end_of(authority, attack, &house).await
}

async fn end_of(authority: &Authority, attack: Attack, house: &House) -> Result<HeaderMap, Error> {
    let tls = acceptor(&authority.issue("api.test"), "h2");
    let server = Raw::start(move |stream, _heads| {
        let (tls, first, again) = (tls.clone(), attack.first.clone(), attack.again.clone());
        async move {
            let mut stream = tls.accept(stream).await.unwrap();
            if serve(&mut stream, &first, &again).await.is_ok() {
                read_to_end(stream.get_mut().0).await;
            }
        }
    })
    .await;
    let client = house.client();
    let ended = whole(&client, format!("https://api.test:{}/", server.port())).await;
    drop(client);
    eventually("the connection is closed", || server.open() == 0).await;
    ended
}

/// The head of a response whose body came to its end.
async fn whole(client: &Client, url: String) -> Result<HeaderMap, Error> {
    let response = send(client, get(url)).await?;
    let head = response.headers().clone();
    read(response).await.map(|_body| head)
}

#[tokio::test]
async fn e36_frames_that_break_the_protocol_end_the_request_at_once() {
    let authority = Authority::new();
    for attack in malformed() {
        let name = attack.name;
        let error = end(&authority, attack, Duration::from_secs(60)).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{name}: {}", error.full_text());
    }
}

/// The last frame of a connection may carry a text, which is the server's to choose: the secret that it was sent, say.
#[tokio::test]
async fn e50_what_a_server_writes_at_the_end_of_a_connection_is_told_to_nobody() {
    const CANARY: &str = "canary-Q7xZ2kP9vL";
    let authority = Authority::new();
    let gone = frame(GOAWAY, 0, 0, &[&[0, 0, 0, 0, 0, 0, 0, 11], CANARY.as_bytes()].concat());
    for (name, first) in [
        ("instead of an answer", gone.clone()),
        ("in the middle of one", [frame(HEADERS, END_HEADERS, 1, OK), gone].concat()),
    ] {
        let house = House::default().trusting(&authority.pem());
        let error = end_of(&authority, once(name, first), &house).await.unwrap_err();
        let told = format!("{error:?} {} {} {:?}", error.full_text(), error.guest_text(), house.ledger.all());
        assert!(told.contains("ENHANCE_YOUR_CALM"), "{name}: {told}");
        assert!(!told.contains(CANARY) && !told.contains("canary"), "{name}: {told}");
    }
}

#[tokio::test]
async fn e36_pseudo_headers_of_requests_in_a_response_are_not_handed_over() {
    let authority = Authority::new();
    for (name, value) in
        [(":path", "/evil"), (":authority", "evil.test"), (":method", "PUT"), (":scheme", "file")]
    {
        let ended = end(&authority, once(name, head(&[(name, value)])), Duration::from_secs(60)).await;
        assert!(ended.is_ok_and(|fields| fields.is_empty()), "{name}");
    }
}

#[tokio::test]
async fn e61_floods_of_frames_are_cut_or_end_with_the_time_of_the_request() {
    let authority = Authority::new();
    for attack in floods() {
        let name = attack.name;
        // These need no memory and leave the connection usable; all others have to be noticed.
        let may_last = matches!(name, "pings" | "settings" | "windows" | "interim heads");
        let total = Duration::from_secs(if may_last { 1 } else { 60 });
        let error = end(&authority, attack, total).await.unwrap_err();
        let is_noticed = match &error {
            Error::BodyEndedEarly { .. } | Error::ConnectionLost { .. } => true,
            Error::Timeout { limit: Limit::TotalTimeout, .. } => false,
            other => panic!("{name}: {}", other.full_text()),
        };
        assert!(is_noticed || may_last, "{name}: {}", error.full_text());
    }
}
