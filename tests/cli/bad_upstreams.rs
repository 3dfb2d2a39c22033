//! Providers and servers that do what they should not: the command says whose fault it is and what to do, and no secret goes
//! where it should not.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};

use crate::api::{head_of, respond};
use crate::canary::{ANOTHER, CANARY};
use crate::credentials::nothing_shows;
use crate::kinds::authenticators::REFRESHED;
use crate::nginx::{Authority, Nginx};
use crate::placed_low_code::{Api, KINDS};
use crate::world::{Ran, World};

/// What providers write into their answers, and nobody may show.
const WRITTEN: &str = "CANARY/written+by~the=provider?";

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// An API with a token endpoint that gives this answer to the n-th request, counted from 0. Where it is.
fn provider(answer: impl Fn(usize) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut count = 0;
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let Some(head) = head_of(&stream) else { continue };
            if !head.starts_with("POST /token ") {
                respond(&stream, r#"{"data": []}"#);
                continue;
            }
            let answer = answer(count);
            count += 1;
            thread::spawn(move || send(&stream, &answer));
        }
    });
    format!("http://{address}")
}

/// Nothing but a head is the beginning of what never ends. The program may have had enough.
fn send(mut stream: &TcpStream, answer: &str) {
    let mut sent = stream.write_all(answer.as_bytes());
    while answer.ends_with("\r\n\r\n") && sent.is_ok() {
        sent = stream.write_all(&[b' '; 4096]);
    }
}

fn entered(origin: &str) -> World {
    let world = Api { authenticator: REFRESHED, ask: "oauth", origin, ..Api::default() }.world();
    world.secret("secret", CANARY);
    world.secret("token", ANOTHER);
    world.must_not_show(WRITTEN);
    let client = ["connect", "sync.toml", "--field", "client_id=shop", "--secret", "client_secret=@secret"];
    world.run(&[&client[..], &["--secret", "refresh_token=@token"]].concat()).succeeded();
    world
}

#[track_caller]
fn told(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    for one in words {
        assert!(ran.stderr.contains(one), "`{one}` is missing: {}", ran.report());
    }
}

const ASK_PUBLISHER: &str = "check the `token_url` in the connector's manifest with its publisher";
const LATER: &str = "where the provider is at fault, run again later";
const AGAIN: &str = "enter it again with `cofferdam connect`";

#[test]
fn a_token_endpoint_that_misbehaves_is_told_with_whose_fault_it_is() {
    let html = format!("<html>{WRITTEN}</html>");
    let other = format!(r#"{{"access_token": "{WRITTEN}", "token_type": "DPoP"}}"#);
    let refusal = format!(r#"{{"error": "invalid_grant", "error_description": "{WRITTEN}"}}"#);
    let own = format!(r#"{{"error": "{WRITTEN}"}}"#);
    let kind = "content-type: text/html\r\n";
    let later = "date: Fri, 01 Jan 2038 00:00:00 GMT\r\n";
    for (answer, code, words, hint) in [
        (answer("200 OK", kind, &html), "CD0324", "answers a page of HTML instead of JSON", ASK_PUBLISHER),
        (answer("500 x", kind, &html), "CD0323", "it answers 500", LATER),
        ("HTTP/1.1 200 OK\r\n\r\n".to_owned(), "CD0323", "`response-body-bytes` of 1048576", LATER),
        (answer("200 OK", "", &other), "CD0324", "another type than `bearer`", ASK_PUBLISHER),
        (answer("400 x", "", &refusal), "CD0325", "answers `invalid_grant`", AGAIN),
        (answer("400 x", later, &refusal), "CD0325", "its clock differs from this machine's by", AGAIN),
        (answer("400 x", "", &own), "CD0325", "answers `an error of its own`", AGAIN),
    ] {
        let sent = answer.clone();
        let origin = provider(move |_| sent.clone());
        let world = entered(&origin);
        let ran = world.run(&["run", "sync.toml", "-vv"]);
        told(&ran, &[code, words, hint, "credential `oauth`", &format!("{origin}/token")]);
        nothing_shows(&world);
    }
}

#[test]
fn a_provider_that_rotates_and_fails_half_way_costs_no_token_that_it_gave() {
    let origin = provider(|count| match count {
        0 => answer("200 OK", "", r#"{"refresh_token": "CANARY/next+one~4711=?", "token_type": "bearer"}"#),
        1 => answer("500 x", "", ""),
        _ => answer("400 x", "", r#"{"error": "invalid_grant"}"#),
    });
    let world = entered(&origin);
    world.must_not_show("CANARY/next+one~4711=?");
    told(&world.run(&["run", "sync.toml"]), &["CD0324", "gives no `access_token`", ASK_PUBLISHER]);
    told(&world.run(&["run", "sync.toml"]), &["CD0323", "it answers 500", LATER]);
    // Whether the provider had spent the token by then, nobody knows.
    told(&world.run(&["run", "sync.toml"]), &["CD0326", "no longer takes the old one", AGAIN]);
    nothing_shows(&world);
}

/// What a server shows, and how the command knows it.
type Shown = (&'static str, fn(&Authority) -> (String, KeyPair), &'static str);

fn issued(authority: &Authority, name: &str, years: std::ops::Range<i32>) -> (String, KeyPair) {
    let (params, key) = (params(name, years), KeyPair::generate().unwrap());
    (authority.signs(params, &key), key)
}

fn params(name: &str, years: std::ops::Range<i32>) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(years.start, 1, 1);
    params.not_after = date_time_ymd(years.end, 1, 1);
    params
}

const SHOWN: [Shown; 4] = [
    ("expired", |authority| issued(authority, "localhost", 2001..2002), "certificate expired"),
    ("not yet valid", |authority| issued(authority, "localhost", 2090..2091), "certificate not valid yet"),
    (
        "another's",
        |authority| issued(authority, "elsewhere.test", 2001..2091),
        "certificate not valid for name",
    ),
    (
        "its own",
        |_| {
            let key = KeyPair::generate().unwrap();
            (params("localhost", 2001..2091).self_signed(&key).unwrap().pem(), key)
        },
        "UnknownIssuer",
    ),
];

#[test]
fn a_server_with_a_wrong_certificate_gets_no_credential_and_is_told_of() {
    let (authenticator, ask, fields, _) = KINDS[0];
    for (what, certificate, words) in SHOWN {
        let (authority, folder) = (Authority::new("ours"), World::new());
        let (certificate, key) = certificate(&authority);
        let nginx = Nginx::showing(&folder, &certificate, &key, "");
        let origin = format!("https://localhost:{}", nginx.address.port());
        let grants = "[source.grants.tls]\nca = \"ours.pem\"\n";
        let world = Api { authenticator, ask, origin: &origin, grants, ..Api::default() }.world();
        world.file("ours.pem", authority.pem());
        world.secret("secret", CANARY);
        world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
        let ran = world.run(&["run", "sync.toml", "-vv"]);
        told(&ran, &["CD0306", words, &origin, "cofferdam explain"]);
        assert_eq!(
            folder.read("nginx/access.log"),
            "",
            "a request was sent to a server whose certificate is {what}"
        );
        nothing_shows(&world);
    }
}
