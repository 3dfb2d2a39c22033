use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method};
use manifest::credential::{Digest, Encoding, Hmac, KeyEncoding, SignTemplate, TimestampForm};

use super::place;
use crate::Caps;
use crate::credential::{Generation, Material, Secret};
use crate::rebuild::Head;
use crate::target::Target;

fn settings(sign: &str) -> Hmac {
    Hmac {
        sign: SignTemplate::parse(sign).unwrap(),
        hash: Digest::Sha256,
        encoding: Encoding::Hex,
        key_encoding: KeyEncoding::Text,
        header: "x-signature".to_owned(),
        prefix: String::new(),
        timestamp_header: None,
        timestamp: TimestampForm::Seconds,
        nonce_header: None,
        key_id_header: None,
    }
}

fn head() -> Head {
    let uri = "https://api.test:8443/v1/items%20x?b=2&a=%2F".parse().unwrap();
    let target = Target::parse(&uri, &Caps::default()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", target.authority.clone());
    headers.append("x-a", "1".parse().unwrap());
    headers.append("x-a", "2".parse().unwrap());
    headers.append("x-signature", "the guest's".parse().unwrap());
    Head { method: Method::POST, target, headers }
}

fn sign(settings: &Hmac, key: &str, body: &'static str) -> Result<Head, &'static str> {
    let mut head = head();
    let material = Material::new(Generation(1))
        .with("key", Secret::new(key.to_owned()))
        .with("key_id", Secret::new("id-1".to_owned()));
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    place(&mut head, settings, &material, &[Bytes::from_static(body.as_bytes())], now)?;
    Ok(head)
}

fn signature(settings: &Hmac, key: &str, body: &'static str) -> String {
    let head = sign(settings, key, body).unwrap();
    assert_eq!(head.headers.get_all("x-signature").iter().count(), 1);
    assert!(head.headers["x-signature"].is_sensitive());
    head.headers["x-signature"].to_str().unwrap().to_owned()
}

/// Test case 2 of RFC 2202 and of RFC 4231.
#[test]
fn the_published_vectors_come_out() {
    let data = "what do ya want for nothing?";
    for (hash, expected) in [
        (Digest::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (Digest::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            Digest::Sha512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdc\
             aeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        let settings = Hmac { hash, ..settings("${body}") };
        assert_eq!(signature(&settings, "Jefe", data), expected);
        let hex = Hmac { key_encoding: KeyEncoding::Hex, ..settings.clone() };
        assert_eq!(signature(&hex, "4a656665", data), expected);
        for spelling in ["SmVmZQ==", "SmVmZQ"] {
            let base64 = Hmac { key_encoding: KeyEncoding::Base64, ..settings.clone() };
            assert_eq!(signature(&base64, spelling, data), expected);
        }
    }
}

/// Each part of a template, against the text that it stands for.
#[test]
fn every_part_is_as_it_is_sent() {
    for (part, text) in [
        ("${method}", "POST"),
        ("${host}", "api.test:8443"),
        ("${path}", "/v1/items%20x"),
        ("${query}", "b=2&a=%2F"),
        ("${target}", "/v1/items%20x?b=2&a=%2F"),
        ("${url}", "https://api.test:8443/v1/items%20x?b=2&a=%2F"),
        ("${header.x-a}", "1, 2"),
        ("${header.x-none}", ""),
        ("${timestamp}", "1700000000"),
        ("${key_id}", "id-1"),
        ("${body_hash}", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
    ] {
        let by_part = signature(&settings(&format!("{part}\n${{body}}")), "k", "hello");
        let by_text = signature(&settings(&format!("{text}\n${{body}}")), "k", "hello");
        assert_eq!(by_part, by_text, "{part}");
    }
}

#[test]
fn time_key_id_and_nonce_stand_in_their_headers_and_in_what_is_signed() {
    let named = |form| Hmac {
        timestamp_header: Some("x-time".to_owned()),
        nonce_header: Some("x-nonce".to_owned()),
        key_id_header: Some("x-key-id".to_owned()),
        timestamp: form,
        ..settings("${timestamp}${nonce}${key_id}${body}")
    };
    for (form, text) in [
        (TimestampForm::Seconds, "1700000000"),
        (TimestampForm::Milliseconds, "1700000000123"),
        (TimestampForm::Rfc3339, "2023-11-14T22:13:20Z"),
    ] {
        let head = sign(&named(form), "k", "b").unwrap();
        assert_eq!(
            (&head.headers["x-time"], &head.headers["x-key-id"]),
            (&text.parse().unwrap(), &"id-1".parse().unwrap())
        );
        let nonce = head.headers["x-nonce"].to_str().unwrap();
        let written = Hmac { ..settings(&format!("{text}{nonce}id-1${{body}}")) };
        assert_eq!(head.headers["x-signature"], signature(&written, "k", "b").as_str());
        assert_ne!(head.headers["x-nonce"], sign(&named(form), "k", "b").unwrap().headers["x-nonce"]);
    }
}

#[test]
fn signatures_are_written_as_the_manifest_says() {
    for (encoding, prefix, expected) in [
        (Encoding::Base64, "sha256=", "sha256=W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="),
        (Encoding::Base64url, "v1,", "v1,W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM"),
    ] {
        let settings = Hmac { encoding, prefix: prefix.to_owned(), ..settings("${body}") };
        assert_eq!(signature(&settings, "Jefe", "what do ya want for nothing?"), expected);
    }
}

#[test]
fn a_key_that_is_not_what_the_manifest_says_is_refused() {
    for (key_encoding, key) in [
        (KeyEncoding::Hex, "4a6"),
        (KeyEncoding::Hex, "zz"),
        (KeyEncoding::Hex, "+1"),
        (KeyEncoding::Base64, "???"),
        (KeyEncoding::Text, ""),
    ] {
        let settings = Hmac { key_encoding, ..settings("${body}") };
        assert!(sign(&settings, key, "").is_err(), "{key}");
    }
}
