//! What may be said of ACME.

use crate::settings::{contact, directory, external_key, name};

#[test]
fn a_directory_is_reached_over_https() {
    for (text, is_taken) in [
        ("https://acme-v02.api.letsencrypt.org/directory", true),
        ("https://ca.internal:9000/acme/acme/directory", true),
        ("https://127.0.0.1:14000/dir", true),
        ("https://ca.internal", true),
        ("http://ca.internal/directory", false),
        ("https://user:canary@ca.internal/directory", false),
        ("https://ca.internal/directory?canary", false),
        ("https://ca.internal/directory#canary", false),
        ("ca.internal", false),
        ("https:///directory", false),
        ("", false),
    ] {
        assert_eq!(directory(text).is_some(), is_taken, "{text}");
    }
}

#[test]
fn a_name_is_one_in_dns() {
    let long = format!("{}.example", "a".repeat(63));
    for text in ["a.example", "xn--mnchen-3ya.example", "localhost", "1.example", &long] {
        assert_eq!(name(text).as_deref(), Some(text));
    }
    assert_eq!(name(" A.Example ").as_deref(), Some("a.example"));
    let (label, whole) = ("a".repeat(64), ["a"; 127].join(".") + ".example");
    for text in [
        "*.example",
        "192.0.2.1",
        "::1",
        "a..example",
        ".example",
        "a.example.",
        "-a.example",
        "a-.example",
        "a_b.example",
        "a b.example",
        "münchen.example",
        "https://a.example",
        "a.example:443",
        &label,
        &whole,
        "",
    ] {
        assert_eq!(name(text), None, "{text}");
    }
}

#[test]
fn a_contact_is_one_address() {
    for (text, is_taken) in [
        ("op@host.example", true),
        ("op+acme@host.example", true),
        ("mailto:op@host.example?cc=x@y", false),
        ("op@host.example,x@y.example", false),
        ("op@a@host.example", false),
        ("@host.example", false),
        ("op@", false),
        ("op", false),
        ("o p@host.example", false),
    ] {
        assert_eq!(contact(text).is_some(), is_taken, "{text}");
    }
}

#[test]
fn the_key_of_an_external_account_is_base64_for_urls() {
    let key = external_key("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n").unwrap();
    assert_eq!(key.len(), 48);
    assert_eq!(external_key("_-8zMzMzMzMzMzMzMzMzMw==").unwrap().len(), 16);
    for text in ["", "c2hvcnQ", "no key at all", "+/8zMzMzMzMzMzMzMzMzMw"] {
        assert!(external_key(text).is_none(), "{text}");
    }
}
