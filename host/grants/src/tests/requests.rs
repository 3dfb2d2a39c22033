use super::{agreed, get, outcome, rights};
use crate::{RequestLine, Verdict};

/// The outcome of a GET under rules that a wildcard, an exact host and a prefix make.
fn check(rows: &[(&str, &str, u16, &str, &str)]) {
    let rules = [
        "https://allowed.com",
        "https://*.wild.com:8443",
        "GET,HEAD https://api.com /v1/",
        "http://10.0.0.5:8080",
    ];
    let rights = agreed(&rules, &[("10.0.0.5", 8080)]);
    for (scheme, host, port, path, expected) in rows {
        let verdict = rights.judge_request(&get(scheme, host, *port, path));
        assert_eq!(outcome(&verdict), *expected, "{scheme}://{host}:{port}{path}: {verdict:?}");
    }
}

#[test]
fn what_is_asked_and_granted_is_allowed() {
    check(&[
        ("https", "allowed.com", 443, "/", "allowed"),
        ("HTTPS", "ALLOWED.com", 443, "", "allowed"),
        ("https", "allowed.com", 443, "/%2e%2e/%2f", "allowed"),
        ("https", "a.wild.com", 8443, "/", "allowed"),
        ("https", "a.b.wild.com", 8443, "/", "allowed"),
        ("https", "api.com", 443, "/v1/a", "allowed"),
        ("https", "api.com", 443, "/v1/./a/../b", "allowed"),
        ("http", "10.0.0.5", 8080, "/", "allowed"),
    ]);
}

#[test]
fn e17_numeric_spellings() {
    let rights = agreed(&["http://127.0.0.1:80"], &[("127.0.0.1", 80)]);
    assert!(rights.judge_request(&get("http", "127.0.0.1", 80, "/")).is_allowed());
    for host in [
        "2130706433",
        "0x7f000001",
        "0X7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "127.0.1",
        "127.000.000.001",
        "017700000001",
        "127.0.0.1.",
        "127.0.0.01",
    ] {
        assert_eq!(outcome(&rights.judge_request(&get("http", host, 80, "/"))), "CD0205", "{host}");
    }
}

#[test]
fn e18_and_e28_other_scripts() {
    for host in [
        "１２７.0.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "аllowed.com",
        "allowed.com\u{200d}",
        "ａllowed.com",
        "allowed．com",
        "ⓐllowed.com",
    ] {
        check(&[("https", host, 443, "/", "CD0205")]);
    }
    check(&[("https", "xn--llowed-2fg.com", 443, "/", "CD0201"), ("https", "xn--a.com", 443, "/", "CD0205")]);
}

#[test]
fn e19_local_names_need_a_grant_of_the_very_name_and_of_the_address() {
    let local = |rules: &[&str], addresses: &[(&str, u16)], host: &str| {
        outcome(&agreed(rules, addresses).judge_request(&get("http", host, 3000, "/")))
    };
    assert_eq!(local(&["http://localhost:3000"], &[], "localhost"), "CD0206");
    assert_eq!(local(&["http://localhost:3000"], &[("127.0.0.1", 3000)], "localhost"), "allowed");
    assert_eq!(local(&["http://localhost:3000"], &[("::1", 3000)], "LOCALHOST"), "allowed");
    assert_eq!(local(&["http://localhost:3000"], &[("127.0.0.1", 3001)], "localhost"), "CD0206");
    assert_eq!(local(&["http://localhost:3000"], &[("10.0.0.1", 3000)], "localhost"), "CD0206");
    assert_eq!(local(&["http://localhost:3000"], &[("127.0.0.1", 3000)], "localhost."), "CD0205");
    assert_eq!(local(&["http://*.app.localhost:3000"], &[("127.0.0.1", 3000)], "a.app.localhost"), "CD0206");
    assert_eq!(local(&["http://a.app.localhost:3000"], &[("127.0.0.1", 3000)], "a.app.localhost"), "allowed");
    assert_eq!(local(&["http://*.google.internal:3000"], &[], "metadata.google.internal"), "CD0206");
    assert_eq!(local(&["http://metadata.google.internal:3000"], &[], "metadata.google.internal"), "CD0206");
    assert_eq!(local(&["http://metadata.google.internal:3000"], &[], "metadata.google.internal."), "CD0205");
    for name in [
        "ip6-localhost",
        "ip6-loopback",
        "localhost.localdomain",
        "localhost6",
        "instance-data",
        "a.localhost",
    ] {
        assert_eq!(local(&[&format!("http://{name}:3000")], &[], name), "CD0206", "{name}");
    }
    assert_eq!(local(&["http://notlocalhost:3000"], &[], "notlocalhost"), "allowed");
    let metadata = [("169.254.169.254", 3000)];
    assert_eq!(local(&["http://metadata:3000"], &metadata, "metadata"), "allowed");
}

#[test]
fn e26_hosts_that_only_look_alike() {
    check(&[
        ("https", "allowed.com.evil.com", 443, "/", "CD0201"),
        ("https", "evilallowed.com", 443, "/", "CD0201"),
        ("https", "a.allowed.com", 443, "/", "CD0201"),
        ("https", "allowed.co", 443, "/", "CD0201"),
        ("https", "allowed.com@evil.com", 443, "/", "CD0205"),
        ("https", "evil.com#allowed.com", 443, "/", "CD0205"),
        ("https", "evil.com?allowed.com", 443, "/", "CD0205"),
        ("https", "allowed.com\\@evil.com", 443, "/", "CD0205"),
        ("https", "allowed.com%2eevil.com", 443, "/", "CD0205"),
        ("https", "allowed.com:443@evil", 443, "/", "CD0205"),
        ("https", "allowed.com:443", 443, "/", "CD0205"),
        ("https", "allowed.com/", 443, "/", "CD0205"),
        ("https", "wild.com", 8443, "/", "CD0201"),
        ("https", ".wild.com", 8443, "/", "CD0205"),
        ("https", "evilwild.com", 8443, "/", "CD0201"),
        ("https", "a.wild.com.evil.com", 8443, "/", "CD0201"),
        ("https", "*.wild.com", 8443, "/", "CD0205"),
    ]);
}

#[test]
fn e29_broken_names() {
    let label = "a".repeat(64);
    let name = format!("{}a", "abcdefghi.".repeat(26));
    check(&[
        ("https", "", 443, "/", "CD0205"),
        ("https", ".", 443, "/", "CD0205"),
        ("https", "allowed.com.", 443, "/", "CD0205"),
        ("https", "allowed..com", 443, "/", "CD0205"),
        ("https", "allowed.com\0", 443, "/", "CD0205"),
        ("https", "allowed.com ", 443, "/", "CD0205"),
        ("https", "allowed.com\r\nHost: evil.com", 443, "/", "CD0205"),
        ("https", &label, 443, "/", "CD0205"),
        ("https", &name, 443, "/", "CD0205"),
        ("https", "-allowed.com", 443, "/", "CD0205"),
        ("https", "[::1", 443, "/", "CD0205"),
        ("https", "fe80::1%eth0", 443, "/", "CD0205"),
        ("https", "[fe80::1%25eth0]", 443, "/", "CD0205"),
    ]);
}

#[test]
fn e30_ports() {
    check(&[
        ("https", "allowed.com", 8443, "/", "CD0201"),
        ("https", "allowed.com", 80, "/", "CD0201"),
        ("https", "allowed.com", 0, "/", "CD0209"),
        ("https", "a.wild.com", 443, "/", "CD0201"),
        ("http", "10.0.0.5", 80, "/", "CD0201"),
    ]);
}

#[test]
fn e31_schemes() {
    for scheme in ["file", "ftp", "gopher", "ws", "wss", "unix", "data", "", "https:", "https\r\n"] {
        check(&[(scheme, "allowed.com", 443, "/", "CD0208")]);
    }
    check(&[("http", "allowed.com", 443, "/", "CD0201"), ("https", "10.0.0.5", 8080, "/", "CD0201")]);
}

#[test]
fn e32_and_e35_request_targets() {
    for path in [
        "/a\r\nX: y",
        "/a\n",
        "/a\0",
        "/a b",
        "http://evil.com/",
        "//evil.com/path",
        "/\\evil.com",
        "evil.com:443",
        "*",
        "/a#b",
        "/ä",
    ] {
        check(&[("https", "allowed.com", 443, path, "CD0211")]);
    }
}

#[test]
fn e37_methods() {
    let rights = agreed(&["https://allowed.com", "GET https://api.com"], &[]);
    let check = |host: &str, method: &str, expected: &str| {
        let line = RequestLine { scheme: "https", host, port: 443, method, path: "/" };
        assert_eq!(outcome(&rights.judge_request(&line)), expected, "{method}");
    };
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        check("allowed.com", method, "allowed");
    }
    for method in ["CONNECT", "TRACE", "TRACK", "PRI", "get", "", "GET /x HTTP/1.1\r\n", "G ET"] {
        check("allowed.com", method, "CD0210");
    }
    check("api.com", "GET", "allowed");
    check("api.com", "HEAD", "CD0201");
    check("api.com", "POST", "CD0201");
}

#[test]
fn e44_and_e45_a_prefix_cannot_be_left() {
    check(&[
        ("https", "api.com", 443, "/", "CD0201"),
        ("https", "api.com", 443, "/v1", "CD0201"),
        ("https", "api.com", 443, "/V1/a", "CD0201"),
        ("https", "api.com", 443, "/v10/a", "CD0201"),
        ("https", "api.com", 443, "/v1/../admin", "CD0201"),
        ("https", "api.com", 443, "/v1/a/../../admin", "CD0201"),
        ("https", "api.com", 443, "/../v1/a", "CD0201"),
        ("https", "api.com", 443, "/v1/%2e%2e/admin", "CD0201"),
        ("https", "api.com", 443, "/v1/.%2E/admin", "CD0201"),
        ("https", "api.com", 443, "/v1/..;/admin", "CD0201"),
        ("https", "api.com", 443, "/v1/..%2fadmin", "CD0201"),
        ("https", "api.com", 443, "/v1/..%5cadmin", "CD0201"),
        ("https", "api.com", 443, "/v1/%252e%252e/admin", "CD0201"),
        ("https", "api.com", 443, "/v1/%25%32%65%25%32%65/admin", "CD0201"),
        ("https", "api.com", 443, "/v1/%c0%ae%c0%ae/admin", "CD0201"),
        ("https", "api.com", 443, "/v1//../admin", "CD0201"),
        ("https", "api.com", 443, "/v1%2fa", "CD0201"),
        ("https", "api.com", 443, "/admin?/v1/", "CD0201"),
        ("https", "api.com", 443, "/v1/a?b", "CD0201"),
        ("https", "api.com", 443, "/%76%31/a", "allowed"),
    ]);
}

#[test]
fn a_literal_address_is_judged_as_an_address_too() {
    let rules =
        ["http://127.0.0.1:80", "http://[::1]:80", "http://[::ffff:127.0.0.1]:80", "http://8.8.8.8:80"];
    let without = agreed(&rules, &[]);
    for (host, expected) in [
        ("127.0.0.1", "CD0207"),
        ("::1", "CD0207"),
        ("[::1]", "CD0207"),
        ("::ffff:7f00:1", "CD0207"),
        ("8.8.8.8", "allowed"),
    ] {
        assert_eq!(outcome(&without.judge_request(&get("http", host, 80, "/"))), expected, "{host}");
    }
    let granted = agreed(&rules, &[("127.0.0.1", 80)]);
    assert!(granted.judge_request(&get("http", "127.0.0.1", 80, "/")).is_allowed());
    assert!(!granted.judge_request(&get("http", "::ffff:7f00:1", 80, "/")).is_allowed());
}

#[test]
fn the_ledger_learns_by_which_rule() {
    let rights = rights(
        "[[asks.hosts]]\nurl = \"https://*.example.com\"\n",
        "[[source.grants.hosts]]\nurl = \"https://api.example.com\"\nmethods = [\"GET\", \"HEAD\"]\npath_prefix = \"/v1/\"\n",
    );
    let verdict = rights.judge_request(&get("https", "api.example.com", 443, "/v1/a"));
    assert_eq!(verdict, Verdict::Allowed { rule: "GET,HEAD https://api.example.com/v1/".to_owned() });
    let literal = agreed(&["http://10.0.0.5:8080"], &[("10.0.0.5", 8080)]);
    let verdict = literal.judge_request(&get("http", "10.0.0.5", 8080, "/"));
    assert_eq!(verdict, Verdict::Allowed { rule: "http://10.0.0.5:8080".to_owned() });
}

#[test]
fn what_cannot_be_sent_is_told_shortened_and_without_control_characters() {
    let rights = agreed(&["https://allowed.com"], &[]);
    let long = format!("\u{1b}[2J{}", "x".repeat(500));
    let shown = format!("\\u{{1b}}[2J{}", "x".repeat(76));
    let reason = |method, path| {
        let line = RequestLine { scheme: "https", host: "allowed.com", port: 443, method, path };
        match rights.judge_request(&line) {
            Verdict::Denied { reason, .. } => reason,
            allowed => panic!("{allowed:?}"),
        }
    };
    assert_eq!(reason(&long, "/"), format!("`{shown}` is not a method that a connector may use"));
    assert_eq!(reason("GET", &long), format!("`{shown}` is not a path of a request"));
}
