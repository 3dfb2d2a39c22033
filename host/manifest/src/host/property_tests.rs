//! Properties of rules: a rule matches only what was parsed, rules meet in rules, and the parsers are total.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{Host, HostForm, HostPattern, Scheme, normalise_path};

/// Few names, so that patterns and hosts often meet.
fn host() -> impl Strategy<Value = String> {
    let above = proptest::collection::vec(prop_oneof![Just("a."), Just("aa."), Just("com.")], 0..3);
    let base = prop_oneof![4 => Just("b.com"), 1 => Just("ab.com"), 1 => Just("b.com.evil.com")];
    let name = (above, base).prop_map(|(above, base)| format!("{}{base}", above.concat()));
    prop_oneof![16 => name, 1 => Just("127.0.0.1".to_owned()), 1 => Just("[::1]".to_owned())]
}

fn scheme() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("https"), 1 => Just("http")]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![1 => Just(80), 6 => Just(443), 1 => Just(8080)]
}

fn path() -> impl Strategy<Value = String> {
    let segment =
        prop_oneof![Just("v1"), Just("a"), Just("."), Just(".."), Just(""), Just("%2e"), Just("%61")];
    proptest::collection::vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn pattern() -> impl Strategy<Value = HostPattern> {
    let methods = proptest::option::of(proptest::sample::subsequence(vec!["GET", "POST", "PUT"], 1..=3));
    let prefix = proptest::option::of(prop_oneof![Just("/v1"), Just("/v1/"), Just("/v1/a"), Just("/b")]);
    (scheme(), any::<bool>(), host(), port(), methods, prefix).prop_filter_map("sound", |parts| {
        let (scheme, wildcard, host, port, methods, prefix) = parts;
        let star = if wildcard { "*." } else { "" };
        let mut pattern = HostPattern::parse(&format!("{scheme}://{star}{host}:{port}")).ok()?;
        if let Some(methods) = methods {
            pattern = pattern.with_methods(methods).ok()?;
        }
        match prefix {
            Some(prefix) => pattern.with_path_prefix(prefix).ok(),
            None => Some(pattern),
        }
    })
}

/// Scheme, host, port, method and path.
type Request<'r> = (Scheme, Host, u16, &'r str, String);

fn matches(pattern: &HostPattern, request: &Request<'_>) -> bool {
    let (scheme, host, port, method, path) = request;
    pattern.matches_origin(*scheme, host, *port)
        && pattern.matches_method(method)
        && pattern.matches_path(path)
}

fn request() -> impl Strategy<Value = (Scheme, Host, u16, &'static str, String)> {
    let method = prop_oneof![Just("GET"), Just("POST"), Just("PATCH")];
    (scheme(), host(), port(), method, path()).prop_map(|(scheme, host, port, method, path)| {
        (Scheme::parse(scheme).unwrap(), Host::parse(&host).unwrap(), port, method, path)
    })
}

/// Requests at the edges of a rule: one outside of another rule is among them, if there is any.
fn witnesses(pattern: &HostPattern) -> Vec<Request<'_>> {
    let (scheme, form, port) = pattern.origin().unwrap();
    let host = match form {
        HostForm::Exact(host) => host.clone(),
        HostForm::Suffix(suffix) => Host::parse(&format!("zz9.{suffix}")).unwrap(),
    };
    let methods = pattern
        .methods()
        .map_or_else(|| vec!["X-OTHER"], |methods| methods.iter().map(String::as_str).collect());
    let paths = match pattern.path_prefix() {
        Some(prefix) => vec![prefix.to_owned(), format!("{}/zz9", prefix.trim_end_matches('/'))],
        None => vec!["/zz9".to_owned()],
    };
    methods
        .iter()
        .flat_map(|method| paths.iter().map(|path| (scheme, host.clone(), port, *method, path.clone())))
        .collect()
}

/// Rules that the configuration completes, and some that need nothing of it.
fn open_pattern() -> impl Strategy<Value = HostPattern> {
    let url = prop_oneof![
        Just("${config.a}"),
        Just("${config.b}"),
        Just("https://${config.a}"),
        Just("https://${config.a}.b.com"),
        Just("https://${config.a}.${config.b}.com"),
        Just("https://*.${config.a}.b.com"),
        Just("https://x.${config.a}.com"),
        Just("https://*.b.com"),
        Just("https://*.a.b.com"),
        Just("https://a.b.com"),
        Just("https://*.com.com"),
    ];
    let methods = proptest::option::of(proptest::sample::subsequence(vec!["GET", "POST"], 1..=2));
    let prefix = proptest::option::of(prop_oneof![Just("/v1"), Just("/v1/"), Just("/v1/a")]);
    (url, methods, prefix).prop_map(|(url, methods, prefix)| {
        let mut pattern = HostPattern::parse(url).unwrap();
        if let Some(methods) = methods {
            pattern = pattern.with_methods(methods).unwrap();
        }
        match prefix {
            Some(prefix) => pattern.with_path_prefix(prefix).unwrap(),
            None => pattern,
        }
    })
}

fn value() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("a"),
        Just("b"),
        Just("com"),
        Just("a.b.com"),
        Just("https://a.b.com"),
        Just("https://a.b.com/v1/"),
        Just("http://127.0.0.1:8080/api"),
    ]
}

proptest! {
    #[test]
    fn a_rule_matches_only_the_parsed_authority(pattern in pattern(), request in request()) {
        let (scheme, form, port) = pattern.origin().unwrap();
        let expected = match form {
            HostForm::Exact(host) => *host == request.1,
            HostForm::Suffix(suffix) => match &request.1 {
                Host::Name(name) => {
                    let (labels, suffix): (Vec<&str>, Vec<&str>) = (name.split('.').collect(), suffix.split('.').collect());
                    labels.len() > suffix.len() && labels[labels.len() - suffix.len()..] == suffix[..]
                }
                Host::Address(_) => false,
            },
        };
        let expected = expected && scheme == request.0 && port == request.2;
        prop_assert_eq!(pattern.matches_origin(request.0, &request.1, request.2), expected);
    }

    #[test]
    fn an_intersection_matches_what_both_match(one in pattern(), other in pattern(), request in request()) {
        let both = matches(&one, &request) && matches(&other, &request);
        let met = one.intersection(&other);
        prop_assert_eq!(met.as_ref().is_some_and(|met| matches(met, &request)), both);
        prop_assert_eq!(met, other.intersection(&one));
    }

    #[test]
    fn what_covers_matches_all_that_the_other_matches(one in pattern(), other in pattern(), request in request()) {
        prop_assert!(one.covers(&one));
        if one.covers(&other) && matches(&other, &request) {
            prop_assert!(matches(&one, &request));
        }
    }

    /// The other direction: what does not cover lets one of these requests through less.
    #[test]
    fn what_does_not_cover_misses_a_request_of_the_other(one in pattern(), other in pattern()) {
        let all = witnesses(&other).iter().all(|request| matches(&one, request));
        prop_assert!(witnesses(&other).iter().all(|request| matches(&other, request)));
        prop_assert_eq!(one.covers(&other), all, "{} and {}", one, other);
    }

    #[test]
    fn what_covers_as_written_covers_whatever_the_configuration_says(one in open_pattern(), other in open_pattern(), value in value()) {
        if one.covers_as_written(&other) {
            let config = serde_json::json!({ "a": value, "b": "b" });
            if let Ok(other) = other.resolve(&config) {
                let one = one.resolve(&config).unwrap();
                prop_assert!(one.covers(&other), "{} and {}", one, other);
            }
        }
        prop_assert!(one.covers_as_written(&one));
    }

    #[test]
    fn no_text_makes_the_parser_panic_or_read_its_own_spelling_otherwise(text in "\\PC{0,40}", tail in "[a-z.*:/@#?%\\[\\]{}$0-9-]{0,30}") {
        for text in [text.clone(), format!("https://{tail}"), format!("https://{text}"), tail.clone()] {
            if let Ok(pattern) = HostPattern::parse(&text) {
                prop_assert_eq!(HostPattern::parse(&pattern.url()), Ok(pattern));
            }
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()), Ok(host));
            }
        }
    }

    #[test]
    fn a_normalised_path_stays_as_it_is(path in "/[a-z./%0-9;]{0,20}") {
        if let Ok(normal) = normalise_path(&path) {
            prop_assert!(!normal.contains("/../") && !normal.contains("/./") && !normal.contains("//"));
            prop_assert_eq!(normalise_path(&normal), Ok(normal));
        }
    }
}
