//! Reads the `url` of a rule. Not a URL parser: what a URL parser repairs or cuts off is refused here.

use super::pattern::{Label, Target};
use super::{Error, Host, HostForm, Scheme};

/// The longest `url`: a name of 253 bytes, and room for substitutions.
const URL_BYTES_MAX: usize = 1024;

pub(super) fn target(url: &str) -> Result<Target, Error> {
    if url.len() > URL_BYTES_MAX {
        return Err(Error::LongName { bytes: url.len() });
    }
    refuse_characters(url)?;
    if let Some(Label::Config(key)) = placeholder(url)? {
        return Ok(Target::BaseUrl { key });
    }
    let (scheme, authority) = split_scheme(url)?;
    refuse_after_host(url, authority)?;
    let (host, port) = split_port(authority, scheme)?;
    if host.contains(['$', '{', '}']) { labels(scheme, host, port) } else { fixed(scheme, host, port) }
}

fn refuse_characters(url: &str) -> Result<(), Error> {
    let stray = |character: &char| {
        character.is_control() || character.is_whitespace() || matches!(character, '\\' | '%')
    };
    // `%` is in zones and in encoded hosts only; the zone has the better message.
    let zone = url.contains("%") && url.contains('[');
    match url.chars().find(stray) {
        Some('%') if zone => Err(Error::Zone { text: url.to_owned() }),
        Some(character) => Err(Error::Character { character, text: url.to_owned() }),
        None if url.contains('@') => Err(Error::UserInfo { text: url.to_owned() }),
        None => Ok(()),
    }
}

pub(super) fn split_scheme(url: &str) -> Result<(Scheme, &str), Error> {
    let missing = || Error::MissingScheme { text: url.to_owned() };
    let Some((scheme, rest)) = url.split_once("://") else {
        // `data:…` and `unix:…` have a scheme, `example.com:8080` has a port.
        let other =
            url.split_once(':').filter(|(_, rest)| !rest.starts_with(|first: char| first.is_ascii_digit()));
        return Err(other.map_or_else(missing, |(scheme, _)| Error::Scheme { scheme: scheme.to_owned() }));
    };
    let parsed = Scheme::parse(scheme).ok_or_else(|| Error::Scheme { scheme: scheme.to_owned() })?;
    Ok((parsed, rest))
}

fn refuse_after_host(url: &str, authority: &str) -> Result<(), Error> {
    let Some(end) = authority.find(['/', '?', '#']) else { return Ok(()) };
    let rest = authority.get(end..).unwrap_or_default();
    let path = rest.split(['?', '#']).next().filter(|path| !path.is_empty() && *path == rest);
    Err(Error::AfterHost { text: url.to_owned(), path: path.map(ToOwned::to_owned) })
}

pub(super) fn split_port(authority: &str, scheme: Scheme) -> Result<(&str, u16), Error> {
    // The colons of an IPv6 address stand in its brackets.
    let host_end = if authority.starts_with('[') {
        authority.find(']').map_or(authority.len(), |end| end + 1)
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at_checked(host_end).unwrap_or((authority, ""));
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, parse_port(port)?)),
        None if rest.is_empty() => Ok((host, scheme.default_port())),
        None => Err(Error::BrokenIpv6 { text: authority.to_owned() }),
    }
}

fn parse_port(text: &str) -> Result<u16, Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let port: Option<u16> = if digits { text.parse().ok() } else { None };
    port.ok_or_else(|| Error::Port { text: text.to_owned() })
}

fn fixed(scheme: Scheme, host: &str, port: u16) -> Result<Target, Error> {
    let form = match host.strip_prefix("*.") {
        Some(suffix) => HostForm::Suffix(parse_suffix(host, suffix)?),
        None if host.contains('*') => return Err(Error::Wildcard { text: host.to_owned() }),
        None => HostForm::Exact(Host::parse(host)?),
    };
    Ok(Target::Fixed { scheme, host: form, port })
}

/// The suffix of a wildcard, `whole` being the wildcard as it was written.
pub(super) fn parse_suffix(whole: &str, suffix: &str) -> Result<String, Error> {
    let wildcard = || Error::Wildcard { text: whole.to_owned() };
    if suffix.contains('*') || !suffix.contains('.') {
        return Err(wildcard());
    }
    match Host::parse(suffix)? {
        Host::Name(name) => Ok(name),
        Host::Address(_) => Err(wildcard()),
    }
}

fn labels(scheme: Scheme, host: &str, port: u16) -> Result<Target, Error> {
    let (wildcard, rest) = host.strip_prefix("*.").map_or((false, host), |rest| (true, rest));
    let mut labels = Vec::new();
    for piece in split_outside_braces(rest) {
        if piece.contains('*') {
            return Err(Error::Wildcard { text: host.to_owned() });
        }
        labels.push(placeholder(piece)?.unwrap_or_else(|| Label::Literal(piece.to_ascii_lowercase())));
    }
    if wildcard && labels.len() < 2 {
        return Err(Error::Wildcard { text: host.to_owned() });
    }
    let sample: Vec<&str> = labels.iter().map(|label| label.literal().unwrap_or("a")).collect();
    match Host::parse(&sample.join("."))? {
        Host::Name(_) => Ok(Target::Labels { scheme, wildcard, labels, port }),
        Host::Address(_) => Err(Error::Placeholder { text: host.to_owned() }),
    }
}

impl Label {
    fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Config(_) => None,
        }
    }
}

fn split_outside_braces(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.split(move |character| {
        match character {
            '{' => inside = true,
            '}' => inside = false,
            _ => {}
        }
        character == '.' && !inside
    })
}

/// The key of `${config.a.b}`; none when there is nothing of the sort in the text.
pub(crate) fn config_key(text: &str) -> Result<Option<Vec<String>>, Error> {
    let broken = || Error::Placeholder { text: text.to_owned() };
    match placeholder(text)? {
        Some(Label::Config(key)) => Ok(Some(key)),
        Some(Label::Literal(_)) => Ok(None),
        None if text.contains("${") => Err(broken()),
        None => Ok(None),
    }
}

/// `${config.a.b}` as a whole; none when there is nothing of the sort in the text.
fn placeholder(text: &str) -> Result<Option<Label>, Error> {
    let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let Some(inner) = inner.filter(|inner| !inner.contains(['$', '{', '}'])) else {
        let broken = text.contains(['$', '{', '}']) && !text.contains("://");
        return if broken { Err(Error::Placeholder { text: text.to_owned() }) } else { Ok(None) };
    };
    let error = || Error::Placeholder { text: text.to_owned() };
    let key = inner.strip_prefix("config.").ok_or_else(error)?;
    let key: Vec<String> = key.split('.').map(ToOwned::to_owned).collect();
    let sound = key.iter().all(|part| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    });
    if sound { Ok(Some(Label::Config(key))) } else { Err(error()) }
}
