//! What arrived, read by `httparse`, and held against what was asked for and what was judged.

use std::collections::BTreeMap;

use url::Url;

use super::Asked;
use super::house::{Judged, KEY, PARAMETER, TOKEN};

/// Fields that are the host's alone.
const OWN: [&str; 7] = [
    "host",
    "accept-encoding",
    "content-length",
    "transfer-encoding",
    "connection",
    "authorization",
    "x-api-key",
];
/// Fields that no request has.
const NEVER: [&str; 10] = [
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "http2-settings",
    "forwarded",
    "proxy-authorization",
    "x-forwarded-for",
];

/// Those of them that the host writes whatever credentials it places.
const OF_EACH: [&str; 4] = ["host", "accept-encoding", "content-length", "transfer-encoding"];
/// By which some frameworks name another host.
const HOSTS: [&str; 3] = ["x-host", "x-original-host", "x-http-host-override"];

/// One request as a server has it.
#[derive(Debug)]
pub(super) struct Arrived {
    method: String,
    target: String,
    fields: BTreeMap<String, Vec<Vec<u8>>>,
    body: Vec<u8>,
    bytes: Vec<u8>,
}

impl Arrived {
    /// The request at the start of these bytes, and how many of them it is; none: there is more to come.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut request = httparse::Request::new(&mut headers);
        let head = match request
            .parse(bytes)
            .unwrap_or_else(|error| panic!("{error}: {:?}", bytes.escape_ascii().to_string()))
        {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return None,
        };
        let mut fields: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for header in request.headers.iter() {
            fields.entry(header.name.to_ascii_lowercase()).or_default().push(header.value.to_vec());
        }
        let (body, length) = match (fields.get("content-length"), fields.get("transfer-encoding")) {
            (None, None) => (Vec::new(), 0),
            (Some(length), None) => {
                assert_eq!(length.len(), 1, "{fields:?}");
                let length = std::str::from_utf8(&length[0]).unwrap().parse().unwrap();
                (bytes.get(head..head + length)?.to_vec(), length)
            }
            (None, Some(coding)) => {
                assert_eq!(coding, &[b"chunked".to_vec()], "{fields:?}");
                chunked(&bytes[head..])?
            }
            both => panic!("a request of two lengths: {both:?}"),
        };
        let whole = bytes[..head + length].to_vec();
        let (method, target) = (request.method.unwrap().to_owned(), request.path.unwrap().to_owned());
        Some((Self { method, target, fields, body, bytes: whole }, head + length))
    }

    fn values(&self, name: &str) -> Vec<&[u8]> {
        self.fields.get(name).into_iter().flatten().map(Vec::as_slice).collect()
    }

    fn holds(&self, secret: &str) -> bool {
        self.bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    }
}

/// The body, and the bytes that it takes with its chunks.
fn chunked(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let (start, size) = match httparse::parse_chunk_size(&bytes[at..]).expect("a chunk") {
            httparse::Status::Complete((start, size)) => (start, usize::try_from(size).unwrap()),
            httparse::Status::Partial => return None,
        };
        let data = bytes.get(at + start..at + start + size + 2)?;
        assert!(data.ends_with(b"\r\n"));
        body.extend_from_slice(&data[..size]);
        at += start + size + 2;
        if size == 0 {
            return Some((body, at));
        }
    }
}

pub(super) fn check(asked: &Asked, judged: &[Judged], arrivals: &[Arrived], is_answered: bool) {
    assert!(judged.len() <= 1 && arrivals.len() <= judged.len(), "{asked:?}: {judged:?}, {arrivals:?}");
    let Some(judged) = judged.first() else { return };
    read_by_browsers(asked, judged);
    let Some(arrived) = arrivals.first() else {
        assert!(!is_answered, "{asked:?} was answered by nobody");
        return;
    };
    line(asked, judged, arrived);
    fields(asked, arrived);
    credentials(judged, arrived, asked);
    assert_eq!(arrived.body, asked.body, "{asked:?}");
}

/// Another parser of URLs names the same host and port. Labels that IDNA refuses it does not take at all, nor do the rights:
/// here they are judged by a gate that lets all pass.
fn read_by_browsers(asked: &Asked, judged: &Judged) {
    let url = match Url::parse(&asked.url) {
        Ok(url) => url,
        Err(_) if judged.host.contains("xn--") => return,
        Err(error) => panic!("{error}: {asked:?} was judged as {judged:?}"),
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    assert_eq!((host, url.port_or_known_default()), (judged.host.as_str(), Some(judged.port)), "{asked:?}");
    assert!(url.username().is_empty() && url.password().is_none(), "{asked:?}");
}

fn line(asked: &Asked, judged: &Judged, arrived: &Arrived) {
    assert_eq!(
        (arrived.method.as_str(), judged.method.as_str()),
        (asked.method.as_str(), asked.method.as_str())
    );
    let (path, query) = arrived.target.split_once('?').unwrap_or((&arrived.target, ""));
    assert_eq!(path, judged.path, "{asked:?}");
    if judged.host != "query.test" {
        assert_eq!(query, asked.uri.query().unwrap_or_default(), "{asked:?}");
    }
    let host = if judged.host.contains(':') { format!("[{}]", judged.host) } else { judged.host.clone() };
    let authority = if judged.port == 80 { host } else { format!("{host}:{}", judged.port) };
    assert_eq!(arrived.values("host"), [authority.as_bytes()], "{asked:?}");
}

/// What arrives is the guest's but for the host's own fields, and all of the guest's arrives but for those.
fn fields(asked: &Asked, arrived: &Arrived) {
    for name in arrived.fields.keys() {
        let folded = folded(name);
        let is_twin = folded != *name && OF_EACH.contains(&folded.as_str());
        assert!(!is_twin && !is_dropped(&folded), "{name} of {asked:?}");
    }
    let of_connection: Vec<String> = asked
        .headers
        .iter()
        .filter(|(name, _)| name == "connection")
        .flat_map(|(_, value)| {
            String::from_utf8_lossy(value.as_bytes())
                .split(',')
                .map(|name| name.trim().to_ascii_lowercase())
                .collect::<Vec<_>>()
        })
        .collect();
    let guests = |name: &str| {
        let values = asked.headers.iter().filter(|(other, _)| other == name);
        values.map(|(_, value)| value.as_bytes()).collect::<Vec<_>>()
    };
    for name in arrived.fields.keys().filter(|name| !OWN.contains(&name.as_str())) {
        let is_ours = name == "user-agent" && (guests(name).is_empty() || of_connection.contains(name));
        assert!(
            is_ours || arrived.values(name) == guests(name),
            "{name} of {asked:?} arrived as {arrived:?}"
        );
    }
    for (name, _) in &asked.headers {
        let name = name.as_str();
        let folded = folded(name);
        let is_own = OWN.contains(&folded.as_str());
        if !is_dropped(&folded) && !is_own && !of_connection.iter().any(|named| named == name) {
            assert!(arrived.fields.contains_key(name), "{name} of {asked:?} did not arrive");
        }
    }
}

/// As servers read a name that make variables of it: `content_length` is `content-length` to them.
fn folded(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// No request of the guest's has it.
fn is_dropped(folded: &str) -> bool {
    NEVER.contains(&folded)
        || HOSTS.contains(&folded)
        || folded.starts_with("proxy-")
        || folded.starts_with("x-forwarded-")
}

fn credentials(judged: &Judged, arrived: &Arrived, asked: &Asked) {
    let is_api = judged.host == "api.test";
    let is_query = judged.host == "query.test";
    if is_api {
        assert_eq!(
            arrived.values("authorization"),
            [format!("Bearer {TOKEN}").as_bytes()],
            "{asked:?}: {arrived:?}"
        );
        assert_eq!(arrived.values("x-api-key"), [KEY.as_bytes()], "{asked:?}: {arrived:?}");
    }
    let query = arrived.target.split_once('?').map_or("", |(_, query)| query);
    if is_query {
        let pairs: Vec<_> =
            url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "api_key").collect();
        assert_eq!(pairs.len(), 1, "{asked:?}: {arrived:?}");
        assert_eq!(pairs[0].1, PARAMETER, "{asked:?}: {arrived:?}");
    }
    for (secret, is_its) in [(TOKEN, is_api), (KEY, is_api), (PARAMETER, is_query)] {
        // A guest that knows the canary may send it; it does not learn it from us.
        assert!(is_its || !arrived.holds(secret) || asked_for(asked, secret), "{asked:?}: {arrived:?}");
    }
}

fn asked_for(asked: &Asked, secret: &str) -> bool {
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    // Hosts are in lower case on their way.
    holds(asked.url.as_bytes())
        || holds(asked.url.to_ascii_lowercase().as_bytes())
        || holds(&asked.body)
        || asked
            .headers
            .iter()
            .any(|(name, value)| holds(name.as_str().as_bytes()) || holds(value.as_bytes()))
}
