//! Completes a pattern with values of the configuration. Such a value comes from whoever edits a connection, so it
//! can name one host and nothing more: no wildcard, no second label where one stands, no user, no query.

use serde_json::Value;

use super::parse::{parse_suffix, split_port, split_scheme};
use super::path::normalise_path;
use super::pattern::{Label, Target};
use super::{Error, Host, HostForm, HostPattern, Scheme};

impl HostPattern {
    /// Whether no substitution is open.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        matches!(self.target, Target::Fixed { .. })
    }

    /// JSON Pointers of the configuration values that the pattern needs.
    #[must_use]
    pub fn pointers(&self) -> Vec<String> {
        match &self.target {
            Target::Fixed { .. } => Vec::new(),
            Target::BaseUrl { key } => vec![config_pointer(key)],
            Target::Labels { labels, .. } => {
                labels.iter().filter_map(config_key).map(config_pointer).collect()
            }
        }
    }

    /// The pattern with the configuration's values in it.
    ///
    /// # Errors
    /// A value that is missing, or that is more than what stands in its place.
    pub fn resolve(&self, config: &Value) -> Result<Self, Error> {
        let (target, base_path) = match &self.target {
            Target::Fixed { .. } => return Ok(self.clone()),
            Target::BaseUrl { key } => base_url(config, key)?,
            Target::Labels { scheme, wildcard, labels, port } => {
                let host = substitute(config, labels, *wildcard)?;
                (Target::Fixed { scheme: *scheme, host, port: *port }, None)
            }
        };
        let path_prefix = join(base_path, self.path_prefix.as_deref());
        Ok(Self { target, methods: self.methods.clone(), path_prefix })
    }
}

fn config_key(label: &Label) -> Option<&[String]> {
    match label {
        Label::Config(key) => Some(key),
        Label::Literal(_) => None,
    }
}

/// Keys are letters, digits, `_` and `-`: nothing that a JSON Pointer escapes.
pub(crate) fn config_pointer(key: &[String]) -> String {
    key.iter().fold(String::new(), |pointer, part| pointer + "/" + part)
}

/// The text or the whole number at a place of the configuration.
pub(crate) fn config_text(config: &Value, key: &[String]) -> Result<String, Error> {
    let pointer = config_pointer(key);
    match config.pointer(&pointer) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
        _ => Err(Error::MissingValue { pointer }),
    }
}

fn substitute(config: &Value, labels: &[Label], wildcard: bool) -> Result<HostForm, Error> {
    if let ([Label::Config(key)], false) = (labels, wildcard) {
        let value = config_text(config, key)?;
        let host = Host::parse(&value).map_err(|error| refused(key, &error))?;
        return Ok(HostForm::Exact(host));
    }
    let mut written = Vec::new();
    for label in labels {
        written.push(match label {
            Label::Literal(text) => text.clone(),
            Label::Config(key) => whole_label(key, config_text(config, key)?)?,
        });
    }
    let name = written.join(".");
    if wildcard {
        return Ok(HostForm::Suffix(parse_suffix(&format!("*.{name}"), &name)?));
    }
    match Host::parse(&name)? {
        host @ Host::Name(_) => Ok(HostForm::Exact(host)),
        Host::Address(_) => Err(Error::NumericSpelling { text: name, address: None }),
    }
}

fn whole_label(key: &[String], value: String) -> Result<String, Error> {
    let letters =
        value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if letters && !value.is_empty() {
        return Ok(value);
    }
    let reason = "it must be one label of `a` to `z`, `0` to `9` and `-`".to_owned();
    Err(Error::Value { pointer: config_pointer(key), reason })
}

/// The origin that a base URL names, and its path.
fn base_url(config: &Value, key: &[String]) -> Result<(Target, Option<String>), Error> {
    let value = config_text(config, key)?;
    parse_base_url(&value).map_err(|error| refused(key, &error))
}

fn parse_base_url(url: &str) -> Result<(Target, Option<String>), Error> {
    let (scheme, rest): (Scheme, &str) = split_scheme(url)?;
    let path_start = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(path_start).unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err(Error::UserInfo { text: url.to_owned() });
    }
    let (host, port) = split_port(authority, scheme)?;
    let host = HostForm::Exact(Host::parse(host)?);
    let broken = |reason: super::AmbiguousPath| Error::PathPrefix {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let path = normalise_path(path).map_err(broken)?;
    Ok((Target::Fixed { scheme, host, port }, Some(path).filter(|path| path != "/")))
}

fn refused(key: &[String], error: &Error) -> Error {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    Error::Value { pointer: config_pointer(key), reason: format!("{error}{hint}") }
}

/// The prefix below the base URL's own path.
fn join(base: Option<String>, prefix: Option<&str>) -> Option<String> {
    match (base, prefix) {
        (base, None) => base,
        (None, Some(prefix)) => Some(prefix.to_owned()),
        (Some(base), Some(prefix)) => Some(format!("{}{prefix}", base.trim_end_matches('/'))),
    }
}
