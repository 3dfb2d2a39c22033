//! `[[asks.credentials]]` as it is written, and every fault of it at its place.

mod faults;
mod kinds;
mod resolved;
mod secrets;

use crate::{Asks, CredentialAsk, Manifest};

/// A manifest that may reach `https://api.example.com` and `https://*.example.org`, with this body.
fn document(body: &str) -> String {
    let head = "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n\
                roles = [\"source\"]\ntitle = \"A\"\n";
    let hosts = "asks.hosts = [{ url = \"https://api.example.com\" }, { url = \"https://*.example.org\" }]\n";
    format!("{head}{hosts}{body}")
}

/// The entry of one credential of this kind for the whole of `https://api.example.com`.
fn entry(name: &str, kind: &str, settings: &str) -> String {
    let audience = "audience = [{ url = \"https://api.example.com\" }]";
    format!("[[asks.credentials]]\nname = \"{name}\"\nkind = \"{kind}\"\n{audience}\n{settings}\n")
}

fn asks(body: &str) -> Asks {
    let text = document(body);
    Manifest::parse("connector.toml", &text).unwrap_or_else(|faults| panic!("{faults}")).asks
}

/// The one credential of a manifest with this entry.
fn ask(kind: &str, settings: &str) -> CredentialAsk {
    asks(&entry("api", kind, settings)).credentials.remove(0)
}

/// Each fault as `line:column code path: message (hint)`.
fn faults(body: &str) -> Vec<String> {
    let text = document(body);
    let faults = Manifest::parse("connector.toml", &text).expect_err(&text);
    let shown = |fault: &crate::Fault| {
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{} {} {}: {}{hint}", fault.line, fault.column, fault.code, fault.path, fault.message)
    };
    faults.faults.iter().map(shown).collect()
}

fn check(body: &str, expected: &[&str]) {
    assert_eq!(faults(body), expected, "{body}");
}
