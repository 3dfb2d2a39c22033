//! In what a request differs from a recorded one, and how much.

use std::collections::BTreeMap;
use std::io::Read;

use crate::format::Headers;
use crate::seen::{Asked, sorted};

/// Of a value so much is shown.
const SHOWN_CHARS: usize = 80;
/// Of a body so much is shown, from a little before the place.
const BODY_SHOWN_BYTES: usize = 32;
const BODY_BEFORE_BYTES: usize = 8;
/// A long list of differences says only that it is another request.
const DIFFERENCES_MAX: usize = 5;

/// What differs, the weightiest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differs {
    /// The less, the nearer.
    pub(crate) weight: u32,
    pub(crate) texts: Vec<String>,
}

/// Everything but the body of a recorded request.
pub(crate) struct Known<'k> {
    pub(crate) method: &'k str,
    pub(crate) url: &'k str,
    pub(crate) headers: &'k Headers,
    pub(crate) trailers: &'k Headers,
}

impl Differs {
    pub(crate) fn of(known: &Known<'_>, asked: &Asked) -> Self {
        let mut differs = Self::default();
        differs.say(32, "the method", known.method, &asked.method);
        let (was, is) = (Url::of(known.url), Url::of(&asked.url));
        differs.say(64, "the scheme", was.scheme, is.scheme);
        differs.say(64, "the host", was.authority, is.authority);
        differs.say(16, "the path", was.path, is.path);
        differs.fields(4, "the query parameter", &by_name(was.parameters()), &by_name(is.parameters()));
        let (mut was, mut is) = (values(known.headers), values(&asked.headers));
        // The URL says it already.
        was.remove("host");
        is.remove("host");
        differs.fields(2, "the header", &was, &is);
        differs.fields(1, "the trailer", &values(known.trailers), &values(&asked.trailers));
        differs.texts.truncate(DIFFERENCES_MAX);
        differs
    }

    /// The body as well, which costs reading it.
    pub(crate) fn body(&mut self, known: impl Read, known_bytes: u64, asked: &Asked) {
        let Place { at, was, is } = first_difference(known, &asked.body.start);
        let bytes = asked.body.bytes;
        self.weight += 1;
        let lengths = if known_bytes == bytes {
            format!("of {bytes} bytes")
        } else {
            format!("{known_bytes} bytes recorded, {bytes} now")
        };
        if at == asked.body.start.len() as u64 && at < bytes {
            self.texts.push(format!("the body ({lengths}) behind byte {at}"));
            return;
        }
        let (was, is) = (shown_bytes(&was), shown_bytes(&is));
        self.texts.push(format!("the body ({lengths}) at byte {at}: {was} recorded, {is} now"));
    }

    fn say(&mut self, weight: u32, what: &str, was: &str, is: &str) {
        if was != is {
            self.weight += weight;
            self.texts.push(format!("{what}: {} recorded, {} now", shown(was), shown(is)));
        }
    }

    fn fields(
        &mut self,
        weight: u32,
        what: &str,
        was: &BTreeMap<String, String>,
        is: &BTreeMap<String, String>,
    ) {
        for (name, value) in was {
            match is.get(name) {
                Some(now) => self.say(weight, &format!("{what} `{}`", cut(name)), value, now),
                None => self.missing(
                    weight,
                    format!("{what} `{}`: {} recorded, absent now", cut(name), shown(value)),
                ),
            }
        }
        for (name, value) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
            self.missing(
                weight,
                format!("{what} `{}`: absent in the recording, {} now", cut(name), shown(value)),
            );
        }
    }

    fn missing(&mut self, weight: u32, text: String) {
        self.weight += weight;
        self.texts.push(text);
    }
}

/// The parts of a URL as it is written.
struct Url<'u> {
    scheme: &'u str,
    authority: &'u str,
    path: &'u str,
    query: &'u str,
}

impl<'u> Url<'u> {
    fn of(url: &'u str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let slash = place.find('/').unwrap_or(place.len());
        let (authority, path) = place.split_at_checked(slash).unwrap_or((place, ""));
        Self { scheme, authority, path, query }
    }

    fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        self.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.to_owned())
        })
    }
}

fn values(headers: &Headers) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    by_name(sorted(headers).iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value.bytes()))))
}

/// Several values of one name stand side by side.
fn by_name(fields: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in fields {
        named.entry(name).and_modify(|known| *known = format!("{known}, {value}")).or_insert(value);
    }
    named
}

/// Where two bodies part, with what stands there.
struct Place {
    at: u64,
    was: Vec<u8>,
    is: Vec<u8>,
}

fn first_difference(known: impl Read, start: &[u8]) -> Place {
    let mut was = Vec::new();
    // A body that cannot be read is told when it is needed; here it only explains.
    let _ = known.take(start.len() as u64 + BODY_SHOWN_BYTES as u64).read_to_end(&mut was);
    let same = was.iter().zip(start).take_while(|(was, is)| was == is).count();
    let from = same.saturating_sub(BODY_BEFORE_BYTES);
    let piece = |bytes: &[u8]| bytes.iter().skip(from).take(BODY_SHOWN_BYTES).copied().collect();
    Place { at: same as u64, was: piece(&was), is: piece(start) }
}

fn shown_bytes(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    format!("`{}`", String::from_utf8_lossy(bytes).escape_debug())
}

fn shown(value: &str) -> String {
    if value.is_empty() { "nothing".to_owned() } else { format!("`{}`", cut(value)) }
}

fn cut(value: &str) -> String {
    let mut chars = value.chars().flat_map(char::escape_debug);
    let start: String = chars.by_ref().take(SHOWN_CHARS).collect();
    if chars.next().is_some() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests {
    use super::{Differs, Known};
    use crate::{Asked, Headers, Seen, Value};

    fn headers(fields: &[(&str, &str)]) -> Headers {
        fields.iter().map(|(name, value)| ((*name).to_owned(), Value::of(value.as_bytes()))).collect()
    }

    fn asked(method: &str, url: &str, fields: &[(&str, &str)], body: &str) -> Asked {
        let mut seen = Seen::new();
        seen.add(body.as_bytes());
        let (method, url) = (method.to_owned(), url.to_owned());
        Asked { method, url, headers: headers(fields), body: seen, trailers: Headers::new() }
    }

    /// Against `POST https://api.test/v1/items?page=1&sort=id`, headers `accept: a` and
    /// `host: api.test`, body `{"a":1}`.
    fn differences(asked: &Asked) -> Vec<String> {
        let known = Known {
            method: "POST",
            url: "https://api.test/v1/items?page=1&sort=id",
            headers: &headers(&[("accept", "a"), ("host", "api.test")]),
            trailers: &Headers::new(),
        };
        let mut differs = Differs::of(&known, asked);
        let recorded = b"{\"a\":1}";
        if asked.body.start != recorded {
            differs.body(&recorded[..], 7, asked);
        }
        assert_eq!(differs.weight == 0, differs.texts.is_empty());
        differs.texts
    }

    #[test]
    fn each_difference_is_named_with_what_was_and_what_is() {
        const URL: &str = "https://api.test/v1/items?page=1&sort=id";
        const BODY: &str = "{\"a\":1}";
        let accept = &[("Accept", "a")][..];
        let cases = [
            (asked("POST", URL, accept, BODY), None),
            (asked("PUT", URL, accept, BODY), Some("the method: `POST` recorded, `PUT` now")),
            (
                asked("POST", "http://api.test/v1/items?page=1&sort=id", accept, BODY),
                Some("the scheme: `https` recorded, `http` now"),
            ),
            (
                asked("POST", "https://api.test:8443/v1/items?page=1&sort=id", accept, BODY),
                Some("the host: `api.test` recorded, `api.test:8443` now"),
            ),
            (
                asked(
                    "POST",
                    "https://b.test/v1/items?page=1&sort=id",
                    &[accept, &[("Host", "b.test")]].concat(),
                    BODY,
                ),
                Some("the host: `api.test` recorded, `b.test` now"),
            ),
            (
                asked("POST", "https://api.test/v2/items?page=1&sort=id", accept, BODY),
                Some("the path: `/v1/items` recorded, `/v2/items` now"),
            ),
            (
                asked("POST", "https://api.test/v1/items?page=2&sort=id", accept, BODY),
                Some("the query parameter `page`: `1` recorded, `2` now"),
            ),
            (
                asked("POST", "https://api.test/v1/items?page=1", accept, BODY),
                Some("the query parameter `sort`: `id` recorded, absent now"),
            ),
            (
                asked("POST", "https://api.test/v1/items?page=1&sort=id&x=y", accept, BODY),
                Some("the query parameter `x`: absent in the recording, `y` now"),
            ),
            (
                asked("POST", URL, &[("accept", "b")], BODY),
                Some("the header `accept`: `a` recorded, `b` now"),
            ),
            (asked("POST", URL, &[], BODY), Some("the header `accept`: `a` recorded, absent now")),
            (
                asked("POST", URL, accept, "{\"a\":2}"),
                Some("the body (of 7 bytes) at byte 5: `{\\\"a\\\":1}` recorded, `{\\\"a\\\":2}` now"),
            ),
            (
                asked("POST", URL, accept, "{\"a\""),
                Some(
                    "the body (7 bytes recorded, 4 now) at byte 4: `{\\\"a\\\":1}` recorded, `{\\\"a\\\"` now",
                ),
            ),
            (
                asked("POST", URL, accept, ""),
                Some("the body (7 bytes recorded, 0 now) at byte 0: `{\\\"a\\\":1}` recorded, nothing now"),
            ),
        ];
        for (asked, expected) in cases {
            let found = differences(&asked);
            assert_eq!(found, expected.map(ToOwned::to_owned).into_iter().collect::<Vec<_>>(), "{asked:?}");
        }
    }

    #[test]
    fn a_long_list_of_differences_is_cut() {
        let asked = asked("GET", "http://other.test/else?a=1&b=2&c=3", &[], "");
        assert_eq!(differences(&asked).len(), super::DIFFERENCES_MAX + 1, "and the body");
    }
}
