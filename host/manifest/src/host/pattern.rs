//! A rule over requests: scheme, host, port, and if so written methods and a path prefix.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::path::prefix_holds;
use super::{AmbiguousPath, Error, Host, normalise_path, parse};

/// How a connector may speak to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// Read a scheme, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    /// The port that is meant when none is written.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// Which hosts a pattern means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostForm {
    /// This host.
    Exact(Host),
    /// Every name of at least one label more that ends in this name.
    Suffix(String),
}

impl HostForm {
    fn holds(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exact(exact), host) => exact == host,
            (Self::Suffix(suffix), Host::Name(name)) => is_below(name, suffix),
            (Self::Suffix(_), Host::Address(_)) => false,
        }
    }
}

/// Whether a name is the suffix with at least one label before it.
pub(super) fn is_below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')).is_some_and(|labels| !labels.is_empty())
}

impl fmt::Display for HostForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => host.fmt(formatter),
            Self::Suffix(suffix) => write!(formatter, "*.{suffix}"),
        }
    }
}

/// One label of a host that the configuration completes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Label {
    Literal(String),
    /// The path of a value in the configuration.
    Config(Vec<String>),
}

/// What a pattern's `url` says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Fixed { scheme: Scheme, host: HostForm, port: u16 },
    Labels { scheme: Scheme, wildcard: bool, labels: Vec<Label>, port: u16 },
    BaseUrl { key: Vec<String> },
}

/// A rule over requests. Built by [`HostPattern::parse`] alone, also when it comes from another process, so a pattern
/// that exists is a sound one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct HostPattern {
    pub(super) target: Target,
    /// Sorted; none: every method.
    pub(super) methods: Option<Vec<String>>,
    /// Normalised; none: every path.
    pub(super) path_prefix: Option<String>,
}

impl HostPattern {
    /// Read the `url` of a rule.
    ///
    /// # Errors
    /// Everything that is not a scheme, one host, `*.` and a suffix of two labels, or a substitution, and a port.
    pub fn parse(url: &str) -> Result<Self, Error> {
        Ok(Self { target: parse::target(url)?, methods: None, path_prefix: None })
    }

    /// The same rule for these methods only.
    ///
    /// # Errors
    /// A method that is none, or `CONNECT` or `TRACE`; or no method at all.
    pub fn with_methods<'m>(self, methods: impl IntoIterator<Item = &'m str>) -> Result<Self, Error> {
        Ok(Self { methods: Some(sound_methods(methods)?), ..self })
    }

    /// The same rule for paths under this prefix only.
    ///
    /// # Errors
    /// A prefix that servers could read in different ways.
    pub fn with_path_prefix(self, prefix: &str) -> Result<Self, Error> {
        Ok(Self { path_prefix: sound_prefix(prefix)?, ..self })
    }

    /// The same rule for methods and a prefix that were found sound.
    pub(crate) fn narrowed(self, methods: Option<Vec<String>>, path_prefix: Option<String>) -> Self {
        Self { target: self.target, methods, path_prefix }
    }

    /// The same rule for every method and every path.
    #[must_use]
    pub fn whole_origin(&self) -> Self {
        self.clone().narrowed(None, None)
    }

    /// The scheme, the host and the port; none while a substitution is open.
    #[must_use]
    pub fn origin(&self) -> Option<(Scheme, &HostForm, u16)> {
        match &self.target {
            Target::Fixed { scheme, host, port } => Some((*scheme, host, *port)),
            Target::Labels { .. } | Target::BaseUrl { .. } => None,
        }
    }

    /// The methods; none: every method.
    #[must_use]
    pub fn methods(&self) -> Option<&[String]> {
        self.methods.as_deref()
    }

    /// The path prefix; none: every path.
    #[must_use]
    pub fn path_prefix(&self) -> Option<&str> {
        self.path_prefix.as_deref()
    }

    /// Whether the scheme, the host and the port are meant by this rule. An open substitution means nothing.
    #[must_use]
    pub fn matches_origin(&self, scheme: Scheme, host: &Host, port: u16) -> bool {
        self.origin().is_some_and(|(own_scheme, form, own_port)| {
            own_scheme == scheme && own_port == port && form.holds(host)
        })
    }

    /// Whether this rule allows the method, which is compared exactly.
    #[must_use]
    pub fn matches_method(&self, method: &str) -> bool {
        is_usable_method(method)
            && self.methods.as_ref().is_none_or(|methods| methods.iter().any(|allowed| allowed == method))
    }

    /// Whether this rule allows the path (without query). A path that servers could read in different ways is under
    /// no prefix.
    #[must_use]
    pub fn matches_path(&self, path: &str) -> bool {
        let Some(prefix) = &self.path_prefix else { return true };
        normalise_path(path).is_ok_and(|path| prefix_holds(prefix, &path))
    }

    /// The `url` of the rule, in its one spelling.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.target {
            Target::Fixed { scheme, host, port } => {
                format!("{scheme}://{host}{}", written_port(*scheme, *port))
            }
            Target::Labels { scheme, wildcard, labels, port } => {
                let star = wildcard.then(|| "*".to_owned());
                let labels: Vec<String> =
                    star.into_iter().chain(labels.iter().map(ToString::to_string)).collect();
                format!("{scheme}://{}{}", labels.join("."), written_port(*scheme, *port))
            }
            Target::BaseUrl { key } => written_key(key),
        }
    }
}

/// Methods that a connector may use, sorted, each once.
pub(crate) fn sound_methods<'m>(methods: impl IntoIterator<Item = &'m str>) -> Result<Vec<String>, Error> {
    let mut sound = Vec::new();
    for method in methods {
        if !is_usable_method(method) {
            return Err(Error::Method { method: method.to_owned() });
        }
        sound.push(method.to_owned());
    }
    if sound.is_empty() {
        return Err(Error::NoMethod);
    }
    sound.sort_unstable();
    sound.dedup();
    Ok(sound)
}

/// A path prefix in its comparable form; none when it holds every path.
pub(crate) fn sound_prefix(prefix: &str) -> Result<Option<String>, Error> {
    let error =
        |reason: AmbiguousPath| Error::PathPrefix { path: prefix.to_owned(), reason: reason.to_string() };
    Ok(Some(normalise_path(prefix).map_err(error)?).filter(|prefix| prefix != "/"))
}

/// Whether a connector may use the method: a word in capitals that neither opens a tunnel nor echoes the request
/// with its credentials.
#[must_use]
pub fn is_usable_method(method: &str) -> bool {
    let letters = method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    letters && (1..=32).contains(&method.len()) && !matches!(method, "CONNECT" | "TRACE" | "TRACK" | "PRI")
}

fn written_port(scheme: Scheme, port: u16) -> String {
    if port == scheme.default_port() { String::new() } else { format!(":{port}") }
}

pub(crate) fn written_key(key: &[String]) -> String {
    format!("${{config.{}}}", key.join("."))
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => formatter.write_str(text),
            Self::Config(key) => formatter.write_str(&written_key(key)),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(methods) = &self.methods {
            write!(formatter, "{} ", methods.join(","))?;
        }
        write!(formatter, "{}{}", self.url(), self.path_prefix.as_deref().unwrap_or_default())
    }
}

/// A pattern as documents and messages carry it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_prefix: Option<String>,
}

impl From<HostPattern> for Written {
    fn from(pattern: HostPattern) -> Self {
        Self { url: pattern.url(), methods: pattern.methods, path_prefix: pattern.path_prefix }
    }
}

impl TryFrom<Written> for HostPattern {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        let mut pattern = Self::parse(&written.url)?;
        if let Some(methods) = &written.methods {
            pattern = pattern.with_methods(methods.iter().map(String::as_str))?;
        }
        match &written.path_prefix {
            Some(prefix) => pattern.with_path_prefix(prefix),
            None => Ok(pattern),
        }
    }
}
