//! The attacks on names and addresses that can be answered without DNS, rights as they follow from their layers, and
//! the promise that the lines of a denial allow what was denied.

mod addresses;
mod credentials;
mod lines;
mod properties;
mod requests;
mod rights;

use manifest::{Asks, Grants, Manifest, Role, SyncFile};

use crate::{Basis, RequestLine, Rights, Verdict};

/// A connector's asks from the body of its manifest.
fn asks(body: &str) -> Asks {
    let head = "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n";
    let text = format!("{head}roles = [\"source\"]\ntitle = \"A\"\n{body}");
    Manifest::parse("connector.toml", &text).unwrap_or_else(|faults| panic!("{faults}")).asks
}

/// What a sync grants its source.
fn grants(body: &str) -> Grants {
    let text = format!(
        "sync = 1\nname = \"a\"\nsource.connector = \"a.wasm\"\ndestination.connector = \"b.wasm\"\n{body}"
    );
    SyncFile::parse("sync.toml", &text).unwrap_or_else(|faults| panic!("{faults}")).source.grants
}

fn rights(asked: &str, granted: &str) -> Rights {
    let (asks, grants) = (asks(asked), grants(granted));
    Rights::new(&Basis {
        document: crate::Document::Sync,
        role: Role::Source,
        name: "source",
        connector: "a",
        asks: &asks,
        grants: &grants,
        organization: None,
        host: None,
    })
}

/// Rights in which asks and grants are the same rules, written `METHODS URL PREFIX` with the outer two optional.
fn agreed(rules: &[&str], addresses: &[(&str, u16)]) -> Rights {
    let write = |table: &str| {
        rules.iter().map(|rule| format!("[[{table}.hosts]]\n{}", written(rule))).collect::<String>()
    };
    let addresses = addresses.iter().map(|(address, port)| {
        format!("[[source.grants.addresses]]\naddress = \"{address}\"\nport = {port}\n")
    });
    rights(&write("asks"), &(write("source.grants") + &addresses.collect::<String>()))
}

fn written(rule: &str) -> String {
    let mut lines = String::new();
    for part in rule.split(' ') {
        lines += &if part.starts_with('/') {
            format!("path_prefix = \"{part}\"\n")
        } else if part.contains("://") {
            format!("url = \"{part}\"\n")
        } else {
            format!("methods = [\"{}\"]\n", part.replace(',', "\",\""))
        };
    }
    lines
}

fn get<'a>(scheme: &'a str, host: &'a str, port: u16, path: &'a str) -> RequestLine<'a> {
    RequestLine { scheme, host, port, method: "GET", path }
}

/// The code of a denial, or `allowed`.
fn outcome(verdict: &Verdict) -> &'static str {
    verdict.code().map_or("allowed", crate::Code::as_str)
}
