//! The hosts that one URL of a manifest may lead to, as a `connector.toml` asks for them.

use crate::expression::{Meaning, meaning};

/// A host that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// As the ask spells it.
    pub(crate) url: String,
    /// Values of the configuration in it, with what stands in their place where there are none.
    pub(crate) keys: Vec<(Vec<String>, Option<String>)>,
    /// Whether it is wider than what the manifest reaches, as no ask can say it better.
    pub(crate) is_wide: bool,
}

/// Stands for the n-th expression while a URL is taken apart; no URL has these characters.
const FIRST_MARK: u32 = 0xe000;

/// The hosts of a URL; the error says why none can be asked for. `parameter` knows the parameters' values.
pub(crate) fn hosts(source: &str, parameter: &impl Fn(&str) -> Option<String>) -> Result<Vec<Host>, String> {
    if source.contains("{%") {
        return written_urls(source, parameter);
    }
    let (url, expressions) = marked(source, parameter);
    let marks: Vec<usize> = url.chars().filter_map(mark).collect();
    if let Some(first) = url.chars().next().and_then(mark) {
        let after = url.chars().nth(1);
        let is_whole = matches!(after, None | Some('/' | '?' | '#'));
        return match expressions.get(first).map(|expression| meaning(expression)) {
            Some(Meaning::Config { key, default }) if is_whole => {
                let url = placeholder(&key)?;
                Ok(vec![Host { url, keys: vec![(key, default)], is_wide: false }])
            }
            _ => written_urls(source, parameter),
        };
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("begins with no scheme such as `https://`".to_owned());
    };
    if !matches!(scheme, "https" | "http") {
        return Err(format!("has the scheme `{scheme}`, which is neither `https` nor `http`"));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err("has a host that cannot be said without a configuration".to_owned());
    }
    if marks.is_empty() || !authority.chars().any(|character| mark(character).is_some()) {
        return Ok(vec![Host { url: format!("{scheme}://{authority}"), keys: Vec::new(), is_wide: false }]);
    }
    templated(scheme, authority, &expressions).map(|host| vec![host])
}

/// A host with expressions in it.
fn templated(scheme: &str, authority: &str, expressions: &[String]) -> Result<Host, String> {
    let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
    if port.chars().any(|character| mark(character).is_some()) {
        return Err("has a port that depends on the configuration".to_owned());
    }
    let port = if port.is_empty() { String::new() } else { format!(":{port}") };
    let mut keys = Vec::new();
    let mut labels = Vec::new();
    // After the last label that no ask can say, if there is one.
    let mut wide_until = None;
    for (index, label) in name.split('.').enumerate() {
        let mut characters = label.chars();
        let alone = characters.next().and_then(mark).filter(|_| characters.next().is_none());
        let meant = alone.and_then(|index| expressions.get(index)).map(|expression| meaning(expression));
        match meant {
            Some(Meaning::Config { key, default }) => {
                labels.push(placeholder(&key)?);
                keys.push((index, key, default));
            }
            _ if label.chars().any(|character| mark(character).is_some()) => {
                labels.push(label.to_owned());
                wide_until = Some(index + 1);
            }
            _ => labels.push(label.to_owned()),
        }
    }
    let start = wide_until.unwrap_or(0);
    let kept = labels.get(start..).unwrap_or_default();
    if wide_until.is_some() && kept.len() < 2 {
        return Err("has a host that cannot be said without a configuration".to_owned());
    }
    let star = if wide_until.is_some() { "*." } else { "" };
    let keys = keys.into_iter().filter(|(index, ..)| *index >= start);
    Ok(Host {
        url: format!("{scheme}://{star}{}{port}", kept.join(".")),
        keys: keys.map(|(_, key, default)| (key, default)).collect(),
        is_wide: wide_until.is_some(),
    })
}

/// The URLs that stand in a template as they are, where nothing better can be said.
fn written_urls(source: &str, parameter: &impl Fn(&str) -> Option<String>) -> Result<Vec<Host>, String> {
    let mut found: Vec<Host> = Vec::new();
    for scheme in ["https://", "http://"] {
        for (start, _) in source.match_indices(scheme) {
            let text = source.get(start..).unwrap_or_default();
            let end = text
                .find(|character: char| character.is_whitespace() || matches!(character, '\'' | '"' | '{'));
            let url = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
            // Cut off by an expression within the host, it would be another one.
            let cut = text.get(end.unwrap_or(text.len())..).is_some_and(|rest| rest.starts_with('{'));
            let has_path = url.get(scheme.len()..).is_some_and(|rest| rest.contains('/'));
            if cut && !has_path && !text.get(url.len()..).is_some_and(|rest| rest.starts_with("{%")) {
                return Err("has a host that cannot be said without a configuration".to_owned());
            }
            for host in hosts(url, parameter)? {
                if !found.contains(&host) {
                    found.push(host);
                }
            }
        }
    }
    match found.is_empty() {
        true => Err("has a host that cannot be said without a configuration".to_owned()),
        false => Ok(found),
    }
}

/// The text with a mark in place of each expression, parameters filled in, and the expressions.
pub(crate) fn marked(source: &str, parameter: &impl Fn(&str) -> Option<String>) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut expressions = Vec::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("{{") {
        let (expression, following) = after.split_once("}}").unwrap_or((after, ""));
        text.push_str(before);
        let known = match meaning(expression) {
            Meaning::Parameter(name) => parameter(&name),
            _ => None,
        };
        match known {
            Some(value) => text.push_str(&value),
            None => {
                text.extend(
                    u32::try_from(expressions.len())
                        .ok()
                        .and_then(|index| char::from_u32(FIRST_MARK + index)),
                );
                expressions.push(expression.to_owned());
            }
        }
        rest = following;
    }
    text.push_str(rest);
    (text.trim().to_owned(), expressions)
}

pub(crate) fn mark(character: char) -> Option<usize> {
    let code = u32::from(character);
    (0xe000..=0xf8ff).contains(&code).then(|| usize::try_from(code - FIRST_MARK).ok()).flatten()
}

pub(crate) fn placeholder(key: &[String]) -> Result<String, String> {
    let sound = |part: &String| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if key.iter().all(sound) {
        return Ok(format!("${{config.{}}}", key.join(".")));
    }
    Err(format!(
        "takes its host from `{}`, whose name has other characters than letters, digits, `_` and `-`",
        key.join(".")
    ))
}

#[cfg(test)]
mod tests {
    use super::hosts;

    fn check(source: &str, expected: &[&str]) {
        let parameter = |name: &str| (name == "zone").then(|| "api.eu".to_owned());
        let found: Vec<String> = hosts(source, &parameter)
            .unwrap_or_else(|fault| panic!("{source}: {fault}"))
            .into_iter()
            .map(|host| host.url)
            .collect();
        assert_eq!(found, expected, "{source}");
    }

    fn refused(source: &str) -> String {
        hosts(source, &|_| None).unwrap_err()
    }

    #[test]
    fn fixed_hosts_are_asked_for_as_they_are() {
        check("https://api.example.com/v2/", &["https://api.example.com"]);
        check("http://api.example.com:8080?x=1", &["http://api.example.com:8080"]);
        check("https://api.example.com/{{ config['org'] }}", &["https://api.example.com"]);
        check("https://{{ parameters.zone }}.example.com", &["https://api.eu.example.com"]);
    }

    #[test]
    fn values_of_the_configuration_stand_for_whole_labels_or_the_whole_url() {
        check("https://{{ config['sub'] }}.example.com/api", &["https://${config.sub}.example.com"]);
        check(
            "https://{{ config.a.b or 'eu' }}.x.example.com:444",
            &["https://${config.a.b}.x.example.com:444"],
        );
        check("https://{{ config.host }}/api", &["https://${config.host}"]);
        check("{{ config['base_url'] }}/api", &["${config.base_url}"]);
        check("{{ config['base_url'] or 'https://app.example.com' }}", &["${config.base_url}"]);
    }

    #[test]
    fn what_no_ask_can_say_is_asked_for_wider_or_refused() {
        check("https://{{ config.shop }}-eu.example.com", &["https://*.example.com"]);
        check("https://a.{{ 'x' if config.y else 'z' }}.example.com", &["https://*.example.com"]);
        check(
            "{{ 'https://sandbox.example.com' if config.env == 'sandbox' else \"https://api.example.com/v1\" }}",
            &["https://sandbox.example.com", "https://api.example.com"],
        );
        check(
            "{% if config.sandbox %}https://sandbox.example.com{% else %}https://api.example.com{% endif %}/v1",
            &["https://sandbox.example.com", "https://api.example.com"],
        );
        for source in [
            "https://{{ config.a }}-b.com",
            "https://x.example.com:{{ config.port }}",
            "{{ config.scheme }}://example.com",
            "{{ config.a ~ config.b }}",
            "api.example.com",
            "ftp://example.com",
            "{{ config['a b'] }}",
            "{{ 'https://' ~ config.host }}",
            "{% if config.a %}https://{{ config.host }}{% endif %}",
        ] {
            assert!(!refused(source).is_empty(), "{source}");
        }
    }
}
