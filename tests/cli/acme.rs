//! Certificates by ACME, from a real ACME server to who connects: the first one, the next one, and what becomes of it when
//! the other side refuses, forgets, or is not there.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde_json::json;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

use crate::doctor::doctor;
use crate::serving::{Serving, client};
use crate::stopped::until;
use crate::watched::get;
use crate::world::World;
use pebble::Place;

mod pebble;

/// What every private key for ECDSA on P-256 begins with in PKCS#8, as `openssl` and `ring` write it.
const KEY_BEGINS: [u8; 36] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01,
    0x04, 0x20,
];
/// The same in base64.
const KEY_BEGINS_AS_TEXT: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";

/// A server whose certificates come from here, and which is where proofs are looked for.
fn start(world: &World, place: &Place, more: &[&str]) -> (Serving, String) {
    place.proofs.waits();
    let (server, operations) = start_unproven(world, place, more);
    place.proofs.leads_to(&server.address);
    (server, operations)
}

/// The same, and proofs are looked for where they were before.
fn start_unproven(world: &World, place: &Place, more: &[&str]) -> (Serving, String) {
    let settings = place.settings();
    let all: Vec<&str> = settings.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let root = CertificateDer::from(Vec::new());
    let mut server = Serving::start(world, &all, Some(root));
    let operations = server.operations();
    (server, operations)
}

/// A connection on which nothing was said yet.
pub(crate) fn connected(
    address: &str,
    root: &CertificateDer<'static>,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let (mut connection, mut stream) = (client(root.clone()), TcpStream::connect(address)?);
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// What a new connection is shown; none: it does not come about.
pub(crate) fn shown(address: &str, root: &CertificateDer<'static>) -> Option<CertificateDer<'static>> {
    let stream = connected(address, root).ok()?;
    stream.conn.peer_certificates()?.first().map(|first| first.clone().into_owned())
}

fn figure(operations: &str, name: &str) -> Option<u64> {
    let figures = get(operations, "/metrics");
    let found = figures.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    found.map(|value| value.parse().unwrap())
}

fn failures(operations: &str) -> u64 {
    figure(operations, r#"cofferdam_certificate_attempts_total{which="failed"}"#).unwrap()
}

fn holds_key(bytes: &[u8]) -> bool {
    let holds = |begins: &[u8]| bytes.windows(begins.len()).any(|window| window == begins);
    holds(&KEY_BEGINS) || holds(KEY_BEGINS_AS_TEXT.as_bytes())
}

#[test]
fn a_certificate_comes_by_itself_and_a_start_asks_for_no_other_one() {
    let world = World::new();
    let place = Place::new(&world);
    let pebble = place.pebble(&world, json!({}), &[]);
    let (server, operations) = start(&world, &place, &["--acme-contact", "op@host.example"]);
    until("a certificate", || shown(&server.address, &pebble.root).is_some());
    let first = shown(&server.address, &pebble.root).unwrap();
    assert!(get(&operations, "/readyz").starts_with("HTTP/1.1 200"));
    let obtained = r#"cofferdam_certificate_attempts_total{which="obtained"}"#;
    assert_eq!((figure(&operations, obtained), failures(&operations)), (Some(1), 0));
    assert!(figure(&operations, "cofferdam_certificate_ends_seconds").is_some());
    let ended = server.terminate().succeeded();
    assert!(ended.stderr.contains("there is no certificate yet"), "{}", ended.report());

    // Two keys were made, and none of them lies about.
    let key = rcgen::KeyPair::generate().unwrap();
    assert!(holds_key(&key.serialize_der()) && holds_key(key.serialize_pem().replace('\n', "").as_bytes()));
    for folder in ["data", "config"] {
        let files = world.files(folder);
        assert!(!files.is_empty());
        for (path, bytes) in files {
            assert!(!holds_key(&bytes), "a private key lies in {}", path.display());
        }
    }

    let root = pebble.root.clone();
    drop(pebble);
    let (server, operations) = start(&world, &place, &["--acme-contact", "op@host.example"]);
    assert_eq!(shown(&server.address, &root), Some(first), "it is shown from the first connection on");
    assert_eq!((figure(&operations, obtained), failures(&operations)), (Some(0), 0));
    let ended = server.terminate().succeeded();
    assert!(!ended.stderr.contains("certificate"), "{}", ended.report());
}

/// Also where the other side has forgotten everything meanwhile, the account among it.
#[test]
fn a_certificate_is_renewed_and_who_is_connected_stays() {
    let world = World::new();
    let place = Place::new(&world);
    let short = json!({"certificateValidityPeriod": 9});
    let pebble = place.pebble(&world, short.clone(), &[]);
    let (server, operations) = start(&world, &place, &[]);
    until("a certificate", || shown(&server.address, &pebble.root).is_some());
    let mut before = connected(&server.address, &pebble.root).unwrap();
    drop(pebble);
    let pebble = place.pebble(&world, short, &[]);
    until("the next certificate", || shown(&server.address, &pebble.root).is_some());
    assert_eq!(failures(&operations), 0);
    before.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    before.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.terminate().succeeded();
}

#[test]
fn nonces_that_are_not_taken_do_no_harm() {
    let world = World::new();
    let place = Place::new(&world);
    let pebble =
        place.pebble(&world, json!({}), &[("PEBBLE_WFE_NONCEREJECT", "20"), ("PEBBLE_AUTHZREUSE", "50")]);
    let (server, operations) = start(&world, &place, &[]);
    until("a certificate", || shown(&server.address, &pebble.root).is_some());
    assert_eq!(failures(&operations), 0);
    server.terminate().succeeded();
}

#[test]
fn a_name_that_leads_elsewhere_is_told_with_what_to_do_and_is_not_asked_about_again_at_once() {
    let world = World::new();
    let place = Place::new(&world);
    let pebble = place.pebble(&world, json!({}), &[]);
    place.proofs.leads_nowhere();
    let (server, operations) = start_unproven(&world, &place, &[]);
    until("a failure", || failures(&operations) == 1);
    assert!(shown(&server.address, &pebble.root).is_none());
    assert!(get(&operations, "/readyz").starts_with("HTTP/1.1 503"));
    assert!(get(&operations, "/healthz").starts_with("HTTP/1.1 200"));
    let ended = server.terminate().succeeded();
    for said in ["CD1506", "`localhost`", "port 443", "connections are refused: there is no certificate yet"]
    {
        assert!(ended.stderr.contains(said), "{said} in {}", ended.report());
    }
    // Started anew, it waits: who looks for the mistake does not use up what the other side allows.
    let (server, operations) = start_unproven(&world, &place, &[]);
    assert!(shown(&server.address, &pebble.root).is_none());
    assert_eq!(failures(&operations), 0);
    let ended = server.terminate().succeeded();
    assert!(ended.stderr.contains("is not asked for again yet"), "{}", ended.report());
    let orders = world.read("pebble/log").lines().filter(|line| line.contains("POST /order-plz")).count();
    assert_eq!(orders, 1);
    // Who changes something is not made to wait.
    let (server, _) = start(&world, &place, &["--acme-contact", "op@host.example"]);
    until("a certificate", || shown(&server.address, &pebble.root).is_some());
    server.terminate().succeeded();
}

#[test]
fn an_account_is_bound_to_another_one_where_that_is_asked_for() {
    let world = World::new();
    let place = Place::new(&world);
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let bound = json!({"externalAccountBindingRequired": true, "externalAccountMACKeys": {"kid-1": key}});
    let pebble = place.pebble(&world, bound, &[]);
    let (server, operations) = start(&world, &place, &[]);
    until("a failure", || failures(&operations) == 1);
    let ended = server.terminate().succeeded();
    assert!(ended.stderr.contains("CD1505") && ended.stderr.contains("`acme-key-id`"), "{}", ended.report());
    world.secret("mac", &format!("{key}\n"));
    let (server, _) = start(&world, &place, &["--acme-key-id", "kid-1", "--acme-key-file", "mac"]);
    until("a certificate", || shown(&server.address, &pebble.root).is_some());
    world.heard(&server.terminate().succeeded());
}

#[test]
fn a_directory_that_is_not_there_is_told_and_the_doctor_tells_it_before() {
    let world = World::new();
    let place = Place::new(&world);
    let (server, operations) = start(&world, &place, &[]);
    until("a failure", || failures(&operations) == 1);
    let ended = server.terminate().succeeded();
    assert!(
        ended.stderr.contains("CD1501") && ended.stderr.contains("`acme-directory`"),
        "{}",
        ended.report()
    );
    let url = place.url();
    let doctor = |more: &[&str]| doctor(&world, &[&["--acme-directory", &url], more].concat()).stdout;
    let trusted = ["--acme-authorities", "ca.pem", "--listen", "127.0.0.1:0"];
    let said = doctor(&trusted);
    assert!(said.contains("acme         fault    CD1501"), "{said}");
    let _pebble = place.pebble(&world, json!({}), &[]);
    let said = doctor(&trusted);
    assert!(said.contains("acme         ok") && said.contains("acme         warning"), "{said}");
    let said = doctor(&[]);
    assert!(said.contains("acme         fault    CD1501"), "nobody vouches for it: {said}");
}
