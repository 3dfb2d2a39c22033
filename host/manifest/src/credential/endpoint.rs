//! A URL that only the host calls: a token endpoint and its like. It carries secrets, so it is `https`, or stays on this
//! machine; and it may take a label of its host or a segment of its path from the configuration, never more.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host::{
    Error, Host, HostForm, HostPattern, Scheme, config_key, config_pointer, config_text, normalise_path,
    written_key,
};

/// Longer than any token endpoint.
const URL_BYTES_MAX: usize = 1024;

/// A URL that only the host calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointUrl {
    /// The scheme, host and port; without methods and prefix.
    origin: HostPattern,
    /// What stands after each `/`; none: no path at all.
    segments: Vec<Segment>,
    query: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Segment {
    Literal(String),
    Config(Vec<String>),
}

impl EndpointUrl {
    /// Read a URL. `${config.name}` may stand for the beginning (a base URL), a label of the host, or a segment of the
    /// path.
    ///
    /// # Errors
    /// A host that cannot stand in a rule, a wildcard, a path that servers could read in different ways, a fragment, and
    /// `http` to anything but this machine.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > URL_BYTES_MAX {
            return Err(Error::Endpoint {
                url: text.to_owned(),
                reason: "is longer than 1024 bytes".to_owned(),
            });
        }
        if let Some(stray) = text.chars().find(|character| !character.is_ascii_graphic() || *character == '#')
        {
            return Err(Error::Character { character: stray, text: text.to_owned() });
        }
        let (origin, path, query) = split(text);
        let origin = HostPattern::parse(origin)?;
        if origin.url().contains("://*.") {
            let reason = "names many hosts; a URL names one".to_owned();
            return Err(Error::Endpoint { url: text.to_owned(), reason });
        }
        if query.is_some_and(|query| query.contains(['{', '}'])) {
            let reason = "takes its query from the configuration".to_owned();
            return Err(Error::Endpoint { url: text.to_owned(), reason });
        }
        let segments = segments(text, path)?;
        let url = Self { origin, segments, query: query.map(ToOwned::to_owned) };
        url.keeps_secrets().map(|()| url)
    }

    /// The URL with the configuration's values in it.
    ///
    /// # Errors
    /// A value that is missing, or that is more than what stands in its place.
    pub fn resolve(&self, config: &Value) -> Result<Self, Error> {
        let resolved = self.origin.resolve(config)?;
        let base = resolved.path_prefix().unwrap_or_default().trim_end_matches('/').split('/').skip(1);
        let mut segments: Vec<Segment> = base.map(|segment| Segment::Literal(segment.to_owned())).collect();
        for segment in &self.segments {
            segments.push(Segment::Literal(match segment {
                Segment::Literal(text) => text.clone(),
                Segment::Config(key) => whole_segment(key, config_text(config, key)?)?,
            }));
        }
        let url = Self { origin: resolved.whole_origin(), segments, query: self.query.clone() };
        url.keeps_secrets().map(|()| url)
    }

    /// Whether no substitution is open.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.origin.is_resolved()
            && self.segments.iter().all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// JSON Pointers of the configuration values that the URL needs.
    #[must_use]
    pub fn pointers(&self) -> Vec<String> {
        let segments = self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Config(key) => Some(config_pointer(key)),
        });
        self.origin.pointers().into_iter().chain(segments).collect()
    }

    /// The scheme, the host and the port; none while a substitution in them is open.
    #[must_use]
    pub fn origin(&self) -> Option<(Scheme, &Host, u16)> {
        match self.origin.origin()? {
            (scheme, HostForm::Exact(host), port) => Some((scheme, host, port)),
            (_, HostForm::Suffix(_), _) => None,
        }
    }

    /// The rule over exactly this URL's host.
    #[must_use]
    pub fn host_pattern(&self) -> &HostPattern {
        &self.origin
    }

    /// The path, at least `/`.
    #[must_use]
    pub fn path(&self) -> String {
        let path: String = self.segments.iter().map(|segment| format!("/{segment}")).collect();
        if path.is_empty() { "/".to_owned() } else { path }
    }

    /// The query, without `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The whole URL, in its one spelling.
    #[must_use]
    pub fn url(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let path: String = self.segments.iter().map(|segment| format!("/{segment}")).collect();
        format!("{}{path}{query}", self.origin.url())
    }

    /// Secrets go in the clear to nobody but this machine.
    fn keeps_secrets(&self) -> Result<(), Error> {
        let in_clear = match self.origin.origin() {
            Some((Scheme::Https, _, _)) => false,
            Some((Scheme::Http, HostForm::Exact(host), _)) => !is_this_machine(host),
            Some((Scheme::Http, HostForm::Suffix(_), _)) => true,
            None => self.origin.url().starts_with("http://"),
        };
        if in_clear {
            let reason =
                "sends secrets in the clear: `http` is for `localhost` and loopback addresses".to_owned();
            return Err(Error::Endpoint { url: self.url(), reason });
        }
        Ok(())
    }
}

/// Names under `localhost` never leave the machine (RFC 6761).
fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Address(address) => address.is_loopback(),
    }
}

/// What names the host, the path and the query.
fn split(text: &str) -> (&str, &str, Option<&str>) {
    // A base URL of the configuration brings its scheme with it.
    let scheme_end = if text.starts_with("${") { 0 } else { text.find("://").map_or(0, |at| at + 3) };
    let host_length = text.get(scheme_end..).and_then(|rest| rest.find(['/', '?']));
    let end = host_length.map_or(text.len(), |length| scheme_end + length);
    let (origin, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    match rest.split_once('?') {
        Some((path, query)) => (origin, path, Some(query)),
        None => (origin, rest, None),
    }
}

fn segments(url: &str, path: &str) -> Result<Vec<Segment>, Error> {
    let mut segments = Vec::new();
    for text in path.split('/').skip(1) {
        segments.push(match config_key(text)? {
            Some(key) => Segment::Config(key),
            None => Segment::Literal(text.to_owned()),
        });
    }
    let sample: String =
        segments.iter().map(|segment| format!("/{}", segment.literal().unwrap_or("x"))).collect();
    let refused = |reason: String| Error::Endpoint { url: url.to_owned(), reason };
    match normalise_path(&sample) {
        Err(ambiguous) => Err(refused(format!("has a path that {ambiguous}"))),
        Ok(plain) if !sample.is_empty() && plain != sample => {
            Err(refused("has a path that is not in its plain form".to_owned()))
        }
        Ok(_) => Ok(segments),
    }
}

impl Segment {
    fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Config(_) => None,
        }
    }
}

fn whole_segment(key: &[String], value: String) -> Result<String, Error> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let only_dots = value.bytes().all(|byte| byte == b'.');
    if value.bytes().all(letters) && !only_dots {
        return Ok(value);
    }
    let reason = "it must be one segment of letters, digits, `-`, `_`, `.` and `~`".to_owned();
    Err(Error::Setting { pointer: config_pointer(key), reason })
}

impl fmt::Display for Segment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => formatter.write_str(text),
            Self::Config(key) => formatter.write_str(&written_key(key)),
        }
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url())
    }
}

impl TryFrom<String> for EndpointUrl {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<EndpointUrl> for String {
    fn from(url: EndpointUrl) -> Self {
        url.url()
    }
}
