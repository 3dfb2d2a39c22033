//! An allow-list never matches what the parsed authority is not: rights are made of rules that are known here by their parts,
//! and each verdict is held against those parts, read as texts. `covers` and `intersection` agree with `matches`.

use arbitrary::{Result, Unstructured};
use grants::{Basis, Policy, RequestLine, Rights};
use manifest::{Asks, Grants, Host, HostAsk, HostPattern, Role, Scheme};
use url::Url;

const LABELS: [&str; 10] = ["a", "b", "com", "evil", "aa", "co", "uk", "xn--bcher-kva", "_dmarc", "1a"];
const PATHS: [&str; 14] = [
    "/",
    "/v1",
    "/v1/",
    "/v1/a",
    "/v10",
    "/V1",
    "/v1/../b",
    "/v1/%61",
    "/v1//a",
    "/b;x",
    "/v1/..;/b",
    "",
    "/%2e%2e/b",
    "/b",
];
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "get", "CONNECT"];
const PORTS: [u16; 4] = [80, 443, 8080, 0];

/// A rule, as it was put together.
#[derive(Debug, Clone)]
struct Rule {
    scheme: &'static str,
    below: bool,
    host: String,
    port: u16,
    methods: Option<Vec<&'static str>>,
    prefix: Option<&'static str>,
    pattern: HostPattern,
}

#[derive(Debug)]
struct Request {
    scheme: &'static str,
    host: String,
    port: u16,
    method: &'static str,
    path: String,
}

pub(crate) fn run(input: &[u8]) {
    // Too few bytes are no input.
    let _ = judged(&mut Unstructured::new(input));
}

fn judged(input: &mut Unstructured<'_>) -> Result<()> {
    let layers = [rules(input)?, rules(input)?, rules(input)?, rules(input)?];
    let narrowing = [input.ratio(1, 3)?, input.ratio(1, 3)?];
    let rights = rights(&layers, narrowing);
    for _ in 0..4 {
        let request = request(input, &layers)?;
        let needed = [true, true, narrowing[0], narrowing[1]];
        let all = layers
            .iter()
            .zip(needed)
            .all(|(layer, needed)| !needed || layer.iter().any(|rule| rule.means(&request)));
        let Request { scheme, host, port, method, path } = &request;
        let verdict = rights.judge_request(&RequestLine { scheme, host, port: *port, method, path });
        assert!(all || !verdict.is_allowed(), "{request:?} is allowed by none of {layers:#?}");
        // A literal needs its address granted as well.
        let is_plain = matches!(Host::parse(host), Ok(Host::Name(_))) && PATHS[..4].contains(&path.as_str());
        assert!(!all || !is_plain || verdict.is_allowed(), "{request:?} is denied: {verdict:?}");
        agree(&layers, &request);
    }
    Ok(())
}

fn rights(layers: &[Vec<Rule>; 4], narrowing: [bool; 2]) -> Rights {
    let hosts = |layer: &[Rule]| {
        layer.iter().map(|rule| HostAsk { pattern: rule.pattern.clone(), reason: None }).collect()
    };
    let policy = |layer: &[Rule]| Policy {
        hosts: Some(layer.iter().map(|rule| rule.pattern.clone()).collect()),
        addresses: None,
    };
    let (organization, host) = (policy(&layers[2]), policy(&layers[3]));
    Rights::new(&Basis {
        document: grants::Document::Sync,
        role: Role::Source,
        name: "source",
        connector: "source",
        asks: &Asks { hosts: hosts(&layers[0]), ..Asks::default() },
        grants: &Grants { hosts: hosts(&layers[1]), ..Grants::default() },
        organization: narrowing[0].then_some(&organization),
        host: narrowing[1].then_some(&host),
    })
}

/// Rules among each other, over one request.
fn agree(layers: &[Vec<Rule>; 4], request: &Request) {
    let (Some(scheme), Ok(host)) = (Scheme::parse(request.scheme), Host::parse(&request.host)) else {
        return;
    };
    let matches = |pattern: &HostPattern| {
        pattern.matches_origin(scheme, &host, request.port)
            && pattern.matches_method(request.method)
            && pattern.matches_path(&request.path)
    };
    let all: Vec<&Rule> = layers.iter().flatten().collect();
    for one in &all {
        for other in &all {
            let both = matches(&one.pattern) && matches(&other.pattern);
            let met = one.pattern.intersection(&other.pattern);
            assert_eq!(
                met.as_ref().is_some_and(matches),
                both,
                "{} and {} over {request:?}",
                one.pattern,
                other.pattern
            );
            if one.pattern.covers(&other.pattern) && matches(&other.pattern) {
                assert!(
                    matches(&one.pattern),
                    "{} covers {}, but not {request:?}",
                    one.pattern,
                    other.pattern
                );
            }
        }
    }
}

impl Rule {
    /// Whether the rule means the request, by nothing but texts.
    fn means(&self, request: &Request) -> bool {
        let host = request.host.to_ascii_lowercase();
        let is_host = if self.below {
            let above = host.strip_suffix(&self.host).and_then(|above| above.strip_suffix('.'));
            above.is_some_and(|above| !above.is_empty()) && host.parse::<std::net::IpAddr>().is_err()
        } else {
            bare(&host) == bare(&self.host)
        };
        let is_method = self.methods.as_ref().is_none_or(|methods| methods.contains(&request.method));
        self.scheme == request.scheme
            && self.port == request.port
            && is_host
            && is_method
            && request.method != "CONNECT"
            && request.method != "get"
            && self.prefix.is_none_or(|prefix| is_under(prefix, &request.path))
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Whether a browser that follows the path arrives under the prefix.
fn is_under(prefix: &str, path: &str) -> bool {
    let walk = |path: &str| {
        let mut url = Url::parse("https://a.test/").unwrap();
        url.set_path(path);
        url.path().replace("%61", "a")
    };
    let (prefix, path) = (walk(prefix), walk(path));
    let whole = prefix.trim_end_matches('/');
    path.strip_prefix(whole).is_some_and(|rest| rest.starts_with('/') || (rest.is_empty() && prefix == whole))
}

fn rules(input: &mut Unstructured<'_>) -> Result<Vec<Rule>> {
    let count = input.int_in_range(0..=3)?;
    let mut rules = Vec::new();
    for _ in 0..count {
        rules.extend(rule(input)?);
    }
    Ok(rules)
}

/// None: the parts are no rule.
fn rule(input: &mut Unstructured<'_>) -> Result<Option<Rule>> {
    let scheme = input.choose(&["https", "http"])?;
    let below = input.arbitrary()?;
    let host = host(input)?;
    let port = *input.choose(&PORTS)?;
    let methods = match input.int_in_range(0..=2)? {
        0 => None,
        count => Some((0..count).map(|_| input.choose(&METHODS).copied()).collect::<Result<Vec<_>>>()?),
    };
    let prefix = if input.arbitrary()? { Some(*input.choose(&PATHS)?) } else { None };
    let star = if below { "*." } else { "" };
    let Ok(mut pattern) = HostPattern::parse(&format!("{scheme}://{star}{host}:{port}")) else {
        return Ok(None);
    };
    if let Some(methods) = &methods {
        let Ok(narrower) = pattern.with_methods(methods.iter().copied()) else { return Ok(None) };
        pattern = narrower;
    }
    if let Some(prefix) = prefix {
        let Ok(narrower) = pattern.with_path_prefix(prefix) else { return Ok(None) };
        pattern = narrower;
    }
    Ok(Some(Rule { scheme, below, host: host.to_ascii_lowercase(), port, methods, prefix, pattern }))
}

/// A request that is often at the edge of some rule.
fn request(input: &mut Unstructured<'_>, layers: &[Vec<Rule>; 4]) -> Result<Request> {
    let known: Vec<&Rule> = layers.iter().flatten().collect();
    let (mut scheme, mut host_text, mut port) =
        (*input.choose(&["https", "http"])?, host(input)?, *input.choose(&PORTS)?);
    if !known.is_empty() && input.ratio(3, 4)? {
        let rule = input.choose(&known)?;
        (scheme, port) = (rule.scheme, rule.port);
        host_text = match input.int_in_range(0..=3)? {
            0 => format!("{host_text}.{}", rule.host),
            1 => format!("{host_text}{}", rule.host),
            2 => format!("{}.{host_text}", rule.host),
            _ => rule.host.clone(),
        };
    }
    let path =
        format!("{}{}", input.choose(&PATHS)?, if input.ratio(1, 8)? { text(input)? } else { String::new() });
    Ok(Request { scheme, host: host_text, port, method: input.choose(&METHODS)?, path })
}

fn host(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(match input.int_in_range(0..=15)? {
        0 => text(input)?,
        1 => "127.0.0.1".to_owned(),
        2 => "[::1]".to_owned(),
        3 => "10.0.0.1".to_owned(),
        _ => {
            let count = input.int_in_range(1..=4)?;
            let labels = (0..count).map(|_| input.choose(&LABELS).copied()).collect::<Result<Vec<_>>>()?;
            labels.join(".")
        }
    })
}

fn text(input: &mut Unstructured<'_>) -> Result<String> {
    let length = input.int_in_range(0..=12)?;
    Ok(String::from_utf8_lossy(input.bytes(length.min(input.len()))?).into_owned())
}
