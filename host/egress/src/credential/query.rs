//! A parameter of the query that the host places. Whatever the guest put there goes, in every spelling that a server may
//! read as the same name; what else the guest wrote stays byte for byte.

use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 §2.3: a space is `%20`, which all servers read alike.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How often a name is decoded: a proxy and a server behind it may each undo one layer.
const LAYERS_MAX: usize = 3;

/// The same without the pairs of any of these names.
pub(super) fn without(target: &PathAndQuery, is_ours: impl Fn(&str) -> bool) -> String {
    let path = target.path();
    let Some(query) = target.query().filter(|query| !query.is_empty()) else { return path.to_owned() };
    let kept: Vec<String> = query.split('&').filter_map(|pair| without_parts(pair, &is_ours)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

/// Some servers part at `;` too, so each part of a pair could be one of its own.
fn without_parts(pair: &str, is_ours: &impl Fn(&str) -> bool) -> Option<String> {
    let ours = |part: &&str| is_ours(&canonical(part.split('=').next().unwrap_or(part)));
    if !pair.split(';').any(|part| ours(&part)) {
        return Some(pair.to_owned());
    }
    let kept: Vec<&str> = pair.split(';').filter(|part| !ours(part)).collect();
    (!kept.is_empty()).then(|| kept.join(";"))
}

/// The same with this parameter, and without what else bears its name.
pub(super) fn place(target: &PathAndQuery, parameter: &str, value: &str) -> Option<PathAndQuery> {
    let name = canonical(parameter);
    let mut text = without(target, |found| found == name);
    text.push(if text.contains('?') { '&' } else { '?' });
    text.extend(utf8_percent_encode(parameter, VALUE));
    text.push('=');
    text.extend(utf8_percent_encode(value, VALUE));
    PathAndQuery::from_maybe_shared(bytes::Bytes::from(text)).ok()
}

/// A name as the most generous server reads it: decoded, without an index in brackets, with `.` and space as `_` (PHP),
/// and whatever its case (ASP.NET).
pub(super) fn canonical(name: &str) -> String {
    let mut text = name.to_owned();
    for _layer in 0..LAYERS_MAX {
        let decoded = percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    let name = text.split('[').next().unwrap_or(&text);
    let name = name.split('\0').next().unwrap_or(name).trim();
    name.chars().map(|c| if matches!(c, '.' | ' ') { '_' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use http::uri::PathAndQuery;

    use super::place;

    fn check(before: &str, after: &str) {
        let placed = place(&before.parse::<PathAndQuery>().unwrap(), "api_key", "k/+ é").unwrap();
        assert_eq!(placed.as_str(), after.replace("KEY", "api_key=k%2F%2B%20%C3%A9"), "{before}");
    }

    #[test]
    fn e41_whatever_bears_the_name_goes_in_every_spelling() {
        for twin in [
            "api_key=mine",
            "api_key",
            "api_key=",
            "API_KEY=mine",
            "Api_Key=1&api_key=2",
            "%61pi_key=mine",
            "%2561pi_key=mine",
            "%252561pi_key=mine",
            "api%5Fkey=mine",
            "api%5fkey=mine",
            "api.key=mine",
            "api+key=mine",
            "api%20key=mine",
            "api_key[]=mine",
            "api_key%5B0%5D=mine",
            "+api_key=mine",
            "%20api_key=mine",
            "api_key%00x=mine",
            "api_key=a;api_key=b",
        ] {
            check(&format!("/v1?{twin}"), "/v1?KEY");
            check(&format!("/v1?a=1&{twin}&b=2"), "/v1?a=1&b=2&KEY");
        }
        check("/v1?a=1;api_key=mine", "/v1?a=1&KEY");
    }

    #[test]
    fn everything_else_stays_byte_for_byte() {
        for query in ["a=%2f&b=%2F", "a=1&a=2&&=", "apikey=x", "x=api_key", "a=b;c", "page[size]=3", "%zz=1"]
        {
            check(&format!("/v1?{query}"), &format!("/v1?{query}&KEY"));
        }
        check("/v1", "/v1?KEY");
        check("/v1?", "/v1?KEY");
    }
}
