//! The `url` of a rule: what is taken is written and read again as the same, and a parser of URLs that is not ours reads the
//! same authority in it. Likewise hosts by themselves.
//!
//! Input: lines, the first a rule, the second a path prefix, the third a host.

use std::net::IpAddr;

use manifest::host::{HostForm, normalise_path};
use manifest::{Host, HostPattern};
use serde_json::json;
use url::Url;

pub(crate) const WORDS: &[&str] = &[
    "https://",
    "http://",
    "*.",
    "${config.",
    "}",
    "xn--",
    "[::1]",
    "[::ffff:127.0.0.1]",
    ":443",
    ":65535",
    "%25",
    "%2e",
    "0x7f",
    "127.1",
    "/../",
    "//",
    ";",
    "@",
    "#",
    "?",
    "\u{ff0e}",
    "\u{2024}",
    "config.base_url",
    "\n/",
];

pub(crate) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.splitn(3, '\n');
    let (rule, prefix, host) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    if let Ok(pattern) = HostPattern::parse(rule) {
        written_and_read(&pattern);
        completed(&pattern, host);
        if let Ok(pattern) = pattern.with_path_prefix(prefix) {
            written_and_read(&pattern);
        }
    }
    one_path(prefix);
    one_host(host);
}

fn written_and_read(pattern: &HostPattern) {
    let json = serde_json::to_value(pattern).unwrap();
    assert_eq!(serde_json::from_value::<HostPattern>(json).unwrap(), *pattern, "{pattern} as JSON");
    let again = HostPattern::parse(&pattern.url()).unwrap();
    assert_eq!(again.url(), pattern.url());
    assert!(pattern.covers(pattern) || !pattern.is_resolved(), "{pattern} does not cover itself");
    read_as_url(pattern);
}

/// What a browser makes of the rule's URL is the rule's own origin, and nothing else stands in it.
fn read_as_url(pattern: &HostPattern) {
    let Some((scheme, form, port)) = pattern.origin() else { return };
    let url = Url::parse(&pattern.url().replace("*.", "any.")).unwrap();
    let host = match form {
        HostForm::Exact(host) => host.clone(),
        HostForm::Suffix(suffix) => Host::Name(format!("any.{suffix}")),
    };
    assert_eq!(url.scheme(), scheme.to_string(), "{pattern}");
    assert!(url.host().is_some_and(|other| is_same(&host, &other)), "{pattern} is {url} to browsers");
    assert_eq!(url.port_or_known_default(), Some(port), "{pattern}");
    let rest = (url.path(), url.query(), url.fragment(), url.username(), url.password());
    assert_eq!(rest, ("/", None, None, "", None), "{pattern}");
}

/// A value of the configuration completes a rule to one origin, and never to more than stands around it.
fn completed(pattern: &HostPattern, value: &str) {
    if pattern.is_resolved() {
        return;
    }
    let mut config = json!({});
    for pointer in pattern.pointers() {
        let keys = pointer.split('/').skip(1).collect::<Vec<_>>();
        config = keys.iter().rev().fold(json!(value), |inner, key| json!({ *key: inner }));
    }
    let Ok(resolved) = pattern.resolve(&config) else { return };
    assert!(resolved.is_resolved(), "{pattern} with {value:?}");
    read_as_url(&resolved);
    let fixed = pattern.url();
    let fixed = fixed.rsplit('}').next().unwrap_or_default();
    assert!(resolved.url().ends_with(fixed), "{pattern} with {value:?} is {resolved}");
}

fn one_host(text: &str) {
    let Ok(host) = Host::parse(text) else { return };
    assert_eq!(Host::parse(&host.to_string()).as_ref(), Ok(&host));
    // What is bare here stands in brackets in a URL.
    let in_url =
        if text.contains(':') && !text.starts_with('[') { format!("[{text}]") } else { text.to_owned() };
    let Ok(other) = url::Host::parse(&in_url) else {
        // Labels that IDNA refuses and names without a domain are the only ones that we take and browsers do not.
        assert!(matches!(&host, Host::Name(name) if name.contains("xn--")), "{text:?} is {host} to us alone");
        return;
    };
    assert!(is_same(&host, &other), "{text:?} is {host} to us and {other} to browsers");
}

/// Addresses by value: `[::ffff:171.0.7.1]` is `[::ffff:ab00:701]` where the crate `url` writes it.
fn is_same<S: AsRef<str>>(host: &Host, other: &url::Host<S>) -> bool {
    match (host, other) {
        (Host::Name(name), url::Host::Domain(other)) => name == other.as_ref(),
        (Host::Address(IpAddr::V4(address)), url::Host::Ipv4(other)) => address == other,
        (Host::Address(IpAddr::V6(address)), url::Host::Ipv6(other)) => address == other,
        _ => false,
    }
}

/// A path has one form, which stays; and browsers walk to the same place by both.
fn one_path(text: &str) {
    let Ok(normal) = normalise_path(text) else { return };
    assert_eq!(normalise_path(&normal).as_ref(), Ok(&normal), "{text:?}");
    let is_dots =
        |segment: &str| matches!(segment, "." | "..") || segment.to_ascii_lowercase().contains("%2e");
    assert!(!normal.split('/').any(is_dots), "{text:?} is {normal:?}");
    // In the crate `url` nothing leads above `/c:`, which is so for files alone.
    if text.split('/').any(|segment| segment.ends_with([':', '|'])) {
        return;
    }
    let walked = |path: &str| {
        let mut url = Url::parse("https://a.test/").unwrap();
        url.set_path(path);
        normalise_path(url.path())
    };
    assert_eq!(walked(text), walked(&normal), "{text:?} is {normal:?} to us");
}
