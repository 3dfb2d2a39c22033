//! The attacks on names, addresses and patterns that can be answered before anything is resolved or dialed.

use std::net::IpAddr;

use serde_json::json;

use super::{Error, Host, HostPattern, Scheme};

fn name(text: &str, expected: &str) {
    assert_eq!(Host::parse(text), Ok(Host::Name(expected.to_owned())), "{text}");
}

fn address(text: &str, expected: &str) {
    let expected: IpAddr = expected.parse().unwrap();
    assert_eq!(Host::parse(text), Ok(Host::Address(expected)), "{text}");
}

fn hint(text: &str) -> String {
    Host::parse(text).expect_err(text).hint().unwrap_or_default()
}

fn accepted(url: &str, spelling: &str) {
    let pattern = HostPattern::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(pattern.url(), spelling, "{url}");
    assert_eq!(
        HostPattern::parse(spelling).as_ref(),
        Ok(&pattern),
        "the one spelling reads back: {spelling}"
    );
}

macro_rules! refused {
    ($($text:expr => $error:pat),+ $(,)?) => {
        $(match HostPattern::parse($text) {
            Err($error) => {}
            other => panic!("{:?}: expected {}, got {other:?}", $text, stringify!($error)),
        })+
    };
}

#[test]
fn names_are_folded_and_addresses_are_read() {
    name("Example.COM", "example.com");
    name("xn--bcher-kva.example", "xn--bcher-kva.example");
    name("my_bucket.s3.example.com", "my_bucket.s3.example.com");
    name("localhost", "localhost");
    name("1password.com", "1password.com");
    name("0x7f.example", "0x7f.example");
    address("127.0.0.1", "127.0.0.1");
    address("::1", "::1");
    address("[::1]", "::1");
    address("[::FFFF:7f00:1]", "::ffff:127.0.0.1");
}

#[test]
fn e17_numeric_spellings_are_refused_with_the_address_that_they_hide() {
    for text in [
        "2130706433",
        "0x7f000001",
        "0X7F000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "127.0.1",
        "127.000.000.001",
        "0x7f.0.0.0x1",
        "017700000001",
        "127.0.0.01",
    ] {
        assert!(matches!(Host::parse(text), Err(Error::NumericSpelling { .. })), "{text}");
        assert_eq!(hint(text), "write `127.0.0.1`", "{text}");
    }
    for (text, meant) in [
        ("10.0x10203", "10.1.2.3"),
        ("0300.0250.1", "192.168.0.1"),
        ("1.2.65535", "1.2.255.255"),
        ("255.16777215", "255.255.255.255"),
        ("0x", "0.0.0.0"),
    ] {
        assert_eq!(hint(text), format!("write `{meant}`"), "{text}");
    }
    for text in ["1.2.3.256", "1.2.65536", "1.16777216", "1.256.3", "256.3", "1.2.3.4.5"] {
        let nobodys = Error::NumericSpelling { text: text.to_owned(), address: None };
        assert_eq!(Host::parse(text), Err(nobodys));
    }
    for text in [
        "256.0.0.1",
        "1.2.3.4.5",
        "4294967296",
        "0x",
        "1.2.3.08",
        "example.1",
        "99999999999999999999",
        "a.0x1",
    ] {
        assert!(matches!(Host::parse(text), Err(Error::NumericSpelling { .. })), "{text}");
    }
}

#[test]
fn e18_and_e28_other_scripts_are_refused_with_what_dns_would_carry() {
    assert_eq!(hint("１２７.0.0.1"), "write `127.0.0.1`");
    assert_eq!(hint("①②⑦.0.0.1"), "write `127.0.0.1`");
    assert_eq!(hint("a。example.com"), "write `a.example.com`");
    assert_eq!(hint("bücher.example"), "write `xn--bcher-kva.example`");
    assert_eq!(hint("аpple.com"), "write `xn--pple-43d.com`", "a Cyrillic letter");
    assert!(matches!(Host::parse("exa\u{200d}mple.com"), Err(Error::NotAscii { .. })));
    assert!(matches!(Host::parse("xn--a.com"), Err(Error::BrokenIdnaLabel { .. })));
    assert!(matches!(Host::parse("xn--.com"), Err(Error::BrokenIdnaLabel { .. } | Error::Hyphen { .. })));
}

#[test]
fn e29_broken_names_are_refused() {
    let label = "a".repeat(63);
    name(&format!("{label}.com"), &format!("{label}.com"));
    assert!(matches!(Host::parse(&format!("a{label}.com")), Err(Error::LongLabel { .. })));
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    name(&longest, &longest);
    assert!(matches!(Host::parse(&format!("{longest}a")), Err(Error::LongName { bytes: 254 })));
    assert!(matches!(Host::parse(""), Err(Error::EmptyHost)));
    assert_eq!(hint("example.com."), "write `example.com`");
    for text in ["a..b", ".a", "a.b..", ".", ".."] {
        assert!(
            matches!(Host::parse(text), Err(Error::EmptyLabel { .. } | Error::TrailingDot { .. })),
            "{text}"
        );
    }
    for text in ["a\0b", "a b", "a\r\nb", "a/b", "a@b", "a#b", "a\\b", "a%2eb", "*.a.b", "a,b", "a'b", "(a)"]
    {
        assert!(matches!(Host::parse(text), Err(Error::Character { .. })), "{text}");
    }
    for text in ["-a.com", "a-.com", "a.-b"] {
        assert!(matches!(Host::parse(text), Err(Error::Hyphen { .. })), "{text}");
    }
}

#[test]
fn e07_zones_and_broken_brackets_are_refused() {
    for text in ["fe80::1%eth0", "[fe80::1%25eth0]", "fe80::1%25eth0"] {
        assert!(matches!(Host::parse(text), Err(Error::Zone { .. })), "{text}");
    }
    for text in ["[::1", "::1]", "[127.0.0.1]", "[example.com]", "[]", "1:2", "example.com:80"] {
        assert!(matches!(Host::parse(text), Err(Error::BrokenIpv6 { .. })), "{text}");
    }
}

#[test]
fn patterns_have_one_spelling() {
    accepted("https://api.example.com", "https://api.example.com");
    accepted("HTTPS://API.Example.com:443", "https://api.example.com");
    accepted("http://example.com:443", "http://example.com:443");
    accepted("https://*.example.com:8443", "https://*.example.com:8443");
    accepted("http://127.0.0.1:8080", "http://127.0.0.1:8080");
    accepted("http://[::1]:8080", "http://[::1]:8080");
    accepted("http://localhost:1", "http://localhost:1");
    accepted("https://intranet:65535", "https://intranet:65535");
    accepted("${config.base_url}", "${config.base_url}");
    accepted("https://${config.subdomain}.Example.com", "https://${config.subdomain}.example.com");
    accepted("https://${config.account.host}:8443", "https://${config.account.host}:8443");
    accepted("https://*.${config.region}.example.com", "https://*.${config.region}.example.com");
    accepted("https://${config.a}.${config.b}.example.com", "https://${config.a}.${config.b}.example.com");
}

#[test]
fn e26_what_stands_around_a_host_is_refused() {
    refused! {
        "https://allowed.com@evil.com" => Error::UserInfo { .. },
        "https://allowed.com:443@evil" => Error::UserInfo { .. },
        "https://user:password@evil.com" => Error::UserInfo { .. },
        "https://allowed.com\\@evil.com" => Error::Character { character: '\\', .. },
        "https://evil.com#allowed.com" => Error::AfterHost { path: None, .. },
        "https://evil.com?allowed.com" => Error::AfterHost { path: None, .. },
        "https://evil.com/allowed.com" => Error::AfterHost { path: Some(_), .. },
        "https://evil.com/a?b" => Error::AfterHost { path: None, .. },
        "https://allowed.com%2eevil.com" => Error::Character { character: '%', .. },
        "https:// evil.com" => Error::Character { character: ' ', .. },
        "https://evil.com\r\nHost: a" => Error::Character { character: '\r', .. },
        "https://evil.com\0.allowed.com" => Error::Character { character: '\0', .. },
        "https://allowed\u{3000}evil.com" => Error::Character { .. },
        "https://[fe80::1%25eth0]/" => Error::Zone { .. },
        "https:///allowed.com" => Error::AfterHost { .. },
        "https://" => Error::EmptyHost,
        "" => Error::MissingScheme { .. },
        "//allowed.com" => Error::MissingScheme { .. },
        "allowed.com" => Error::MissingScheme { .. },
        "allowed.com:8080" => Error::MissingScheme { .. },
        "https:allowed.com" => Error::Scheme { .. },
    }
    let hint = |url: &str| HostPattern::parse(url).unwrap_err().hint();
    assert_eq!(hint("https://a.com/v1/").as_deref(), Some("write `path_prefix = \"/v1/\"`"));
    assert_eq!(hint("https://a.com/").as_deref(), Some("leave out the last `/`"));
    assert_eq!(hint("allowed.com").as_deref(), Some("write `https://allowed.com`"));
}

#[test]
fn e27_wildcards_stand_for_whole_labels_before_two_others() {
    refused! {
        "https://*" => Error::Wildcard { .. },
        "https://*.com" => Error::Wildcard { .. },
        "https://*.localhost" => Error::Wildcard { .. },
        "https://a.*.com" => Error::Wildcard { .. },
        "https://*a.example.com" => Error::Wildcard { .. },
        "https://a*.example.com" => Error::Wildcard { .. },
        "https://*.*.example.com" => Error::Wildcard { .. },
        "https://**.example.com" => Error::Wildcard { .. },
        "https://*.example.com.*" => Error::Wildcard { .. },
        "https://*.127.0.0.1" => Error::Wildcard { .. },
        "https://*.0.1" => Error::NumericSpelling { .. },
        "https://*..com" => Error::EmptyLabel { .. },
        "https://*.example.com." => Error::TrailingDot { .. },
        "*://example.com" => Error::Scheme { .. },
        "https://example.com:*" => Error::Port { .. },
        "https://.*\\.example.com" => Error::Character { .. },
        "https://[a-z]+.example.com" => Error::BrokenIpv6 { .. },
        "https://(a|b).example.com" => Error::Character { .. },
        "https://^example.com" => Error::Character { .. },
        "https://*.${config.a}" => Error::Wildcard { .. },
        "https://a.*.${config.a}.com" => Error::Wildcard { .. },
    }
}

#[test]
fn e30_ports_are_numbers_in_their_usual_spelling() {
    refused! {
        "https://a.com:0" => Error::Port { .. },
        "https://a.com:65536" => Error::Port { .. },
        "https://a.com:080" => Error::Port { .. },
        "https://a.com:" => Error::Port { .. },
        "https://a.com:+80" => Error::Port { .. },
        "https://a.com:-1" => Error::Port { .. },
        "https://a.com:80:80" => Error::Port { .. },
        "https://a.com:８０" => Error::Port { .. },
        "https://a.com:0x50" => Error::Port { .. },
        "https://::1:80" => Error::Port { .. },
        "https://[::1]80" => Error::BrokenIpv6 { .. },
        "https://:443" => Error::EmptyHost,
    }
}

#[test]
fn e31_other_schemes_are_refused() {
    for url in [
        "file:///etc/passwd",
        "ftp://a.com",
        "gopher://a.com",
        "ws://a.com",
        "wss://a.com",
        "unix:///run/a.sock",
        "unix:/run/a",
        "data:text/plain,a",
        "javascript:alert(1)",
        "httpss://a.com",
        "http+unix://a.com",
        "://a.com",
    ] {
        assert!(
            matches!(HostPattern::parse(url), Err(Error::Scheme { .. })),
            "{url}: {:?}",
            HostPattern::parse(url)
        );
    }
}

#[test]
fn placeholders_stand_for_whole_labels() {
    accepted("https://*.${config.a}.com", "https://*.${config.a}.com");
    refused! {
        "https://a${config.b}.example.com" => Error::Placeholder { .. },
        "https://${config.b}a.example.com" => Error::Placeholder { .. },
        "https://${config.a}${config.b}.example.com" => Error::Placeholder { .. },
        "https://${env.HOME}.example.com" => Error::Placeholder { .. },
        "https://${config.}.example.com" => Error::Placeholder { .. },
        "https://${config.a.}.example.com" => Error::Placeholder { .. },
        "https://${config.a/b}.example.com" => Error::AfterHost { .. },
        "https://$config.a.example.com" => Error::Placeholder { .. },
        "https://{config.a}.example.com" => Error::Placeholder { .. },
        "${config}" => Error::Placeholder { .. },
        "https://*.${config.a}" => Error::Wildcard { .. },
        "${config.base_url}/v1" => Error::Placeholder { .. },
        "https://${config.a}.0.0.1" => Error::NumericSpelling { .. },
    }
}

fn resolved(url: &str, config: &serde_json::Value) -> Result<String, Error> {
    HostPattern::parse(url).unwrap().resolve(config).map(|pattern| pattern.to_string())
}

#[test]
fn values_of_the_configuration_complete_a_pattern() {
    let config = json!({
        "sub": "acme", "number": 42, "host": "API.example.com", "deep": {"er": "x1"},
        "address": "10.0.0.5", "url": "https://Example.com:8443/api//".trim_end_matches('/'), "plain": "http://localhost:3000",
    });
    let check =
        |url: &str, expected: &str| assert_eq!(resolved(url, &config).as_deref(), Ok(expected), "{url}");
    check("https://a.com", "https://a.com");
    check("https://${config.sub}.example.com:444", "https://acme.example.com:444");
    check("https://${config.number}.example.com", "https://42.example.com");
    check("https://*.${config.sub}.example.com", "https://*.acme.example.com");
    check("https://${config.sub}.${config.deep.er}.com", "https://acme.x1.com");
    check("https://${config.host}", "https://api.example.com");
    check("http://${config.address}:80", "http://10.0.0.5");
    check("${config.url}", "https://example.com:8443/api");
    check("${config.plain}", "http://localhost:3000");

    let narrowed = HostPattern::parse("${config.url}").unwrap().with_path_prefix("/v2/").unwrap();
    assert_eq!(narrowed.resolve(&config).unwrap().to_string(), "https://example.com:8443/api/v2/");
}

#[test]
fn a_value_that_is_more_than_its_place_is_refused() {
    for value in [
        "",
        "a.b",
        "a.evil.com/",
        "*",
        "evil.com#",
        "A",
        "a_b",
        "a b",
        "a@b",
        "ä",
        "-a",
        "a:80",
        "${config.x}",
    ] {
        let error = resolved("https://${config.x}.example.com", &json!({ "x": value })).expect_err(value);
        let typed = matches!(error, Error::Value { .. } | Error::Hyphen { .. } | Error::EmptyLabel { .. });
        assert!(typed, "{value}: {error}");
    }
    for value in [
        "*.example.com",
        "example.com:80",
        "user@example.com",
        "example.com/",
        "example.com.",
        "2130706433",
        "ä.com",
    ] {
        let error = resolved("https://${config.x}", &json!({ "x": value })).expect_err(value);
        assert!(matches!(error, Error::Value { .. }), "{value}: {error}");
    }
    for value in [
        "example.com",
        "ftp://example.com",
        "https://a@example.com",
        "https://*.example.com",
        "https://example.com?x",
        "https://example.com/#x",
        "https://example.com\\@evil.com",
        "https://example.com:0",
        "https://",
        "https://0x7f.1",
        "https://example.com/%2e%2e/",
        " https://example.com",
        "https://exa mple.com",
        "file:///etc/passwd",
        "https://ä.com",
    ] {
        let error = resolved("${config.x}", &json!({ "x": value })).expect_err(value);
        assert!(matches!(error, Error::Value { .. }), "{value}: {error}");
    }
    for config in
        [json!({}), json!({"x": null}), json!({"x": ["a"]}), json!({"x": -1}), json!({"x": 1.5}), json!(7)]
    {
        assert!(
            matches!(resolved("https://${config.x}.a.com", &config), Err(Error::MissingValue { .. })),
            "{config}"
        );
    }
    assert!(resolved("https://a.${config.x}", &json!({"x": "1"})).is_err(), "a name may not become a number");
}

#[test]
fn methods_are_words_in_capitals_that_neither_tunnel_nor_echo() {
    let pattern = || HostPattern::parse("https://a.com").unwrap();
    let get = pattern().with_methods(["POST", "GET", "GET"]).unwrap();
    assert_eq!(get.methods().unwrap(), ["GET", "POST"]);
    assert!(get.matches_method("GET") && !get.matches_method("PUT") && !get.matches_method("get"));
    assert!(pattern().matches_method("PROPFIND"));
    for method in ["CONNECT", "TRACE", "TRACK", "PRI", "get", "", "GET /x HTTP/1.1\r\n", "G T", "GET\0", "ÄT"]
    {
        assert!(pattern().with_methods([method]).is_err(), "{method}");
        assert!(!pattern().matches_method(method), "{method}");
    }
    assert_eq!(pattern().with_methods(["get"]).unwrap_err().hint().as_deref(), Some("write `GET`"));
    assert_eq!(pattern().with_methods([]), Err(Error::NoMethod));
}

#[test]
fn a_pattern_from_another_process_is_read_as_strictly() {
    let written = json!({"url": "https://*.example.com", "methods": ["GET"], "path_prefix": "/v1/"});
    let pattern: HostPattern = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&pattern).unwrap(), written);
    for broken in [
        json!({"url": "https://*.com"}),
        json!({"url": "https://a.com", "methods": ["TRACE"]}),
        json!({"url": 1}),
    ] {
        assert!(serde_json::from_value::<HostPattern>(broken).is_err());
    }
    assert!(serde_json::from_value::<Host>(json!("127.1")).is_err());
    assert_eq!(serde_json::to_value(Host::parse("A.b").unwrap()).unwrap(), json!("a.b"));
}

#[test]
fn a_url_is_as_long_as_it_may_be_and_no_longer() {
    let of = |bytes: usize| HostPattern::parse(&format!("https://{}", "a".repeat(bytes - "https://".len())));
    assert!(matches!(of(1024), Err(Error::LongLabel { .. })), "it is read");
    assert_eq!(of(1025), Err(Error::LongName { bytes: 1025 }));
    assert_eq!(of(2000), Err(Error::LongName { bytes: 2000 }));
}

#[test]
fn e26_a_suffix_holds_whole_labels() {
    let pattern = HostPattern::parse("https://*.allowed.com").unwrap();
    let holds = |host: &str| pattern.matches_origin(Scheme::Https, &Host::parse(host).unwrap(), 443);
    assert!(holds("a.allowed.com") && holds("b.a.allowed.com"));
    for host in
        ["allowed.com", "evilallowed.com", "a.allowed.com.evil.com", "allowed.com.evil.com", "127.0.0.1"]
    {
        assert!(!holds(host), "{host}");
    }
}

#[test]
fn of_two_hosts_the_narrower_one_is_what_both_allow() {
    let rule = |host: &str| HostPattern::parse(&format!("https://{host}")).unwrap();
    for (one, other, both) in [
        ("a.b.com", "a.b.com", Some("a.b.com")),
        ("*.b.com", "a.b.com", Some("a.b.com")),
        ("*.b.com", "*.b.com", Some("*.b.com")),
        ("*.b.com", "*.a.b.com", Some("*.a.b.com")),
        ("*.b.com", "b.com", None),
        ("*.b.com", "ab.com", None),
        ("*.b.com", "*.ab.com", None),
        ("*.b.com", "*.b.com.evil.com", None),
        ("*.b.com", "127.0.0.1", None),
        ("a.b.com", "b.b.com", None),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            assert_eq!(rule(one).intersection(&rule(other)), both.map(rule), "{one} and {other}");
        }
    }
}
