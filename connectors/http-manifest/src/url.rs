//! URLs as far as requests need them: joined, resolved, given a query. What is wrong inside one the host says.

use form_urlencoded::{Serializer, parse};

/// Whether a text is an absolute URL of the web.
pub(crate) fn is_absolute(text: &str) -> bool {
    let scheme = text.split("://").next().unwrap_or_default();
    text.contains("://") && (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
}

/// The base URL with a path after it. A path that is a URL of its own stands for itself.
pub(crate) fn join(base: &str, path: &str) -> String {
    if is_absolute(path) {
        return path.to_owned();
    }
    if path.is_empty() {
        return base.to_owned();
    }
    if path.starts_with('?') {
        return format!("{base}{path}");
    }
    format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
}

/// What a link means that was found at this URL (RFC 3986 §5.2, without dot segments, which the host judges).
pub(crate) fn resolve(from: &str, link: &str) -> String {
    if is_absolute(link) {
        return link.to_owned();
    }
    let scheme_end = from.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = from.split_at_checked(scheme_end).unwrap_or(("", from));
    if let Some(other_host) = link.strip_prefix("//") {
        return format!("{scheme}{other_host}");
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(authority_end).unwrap_or((rest, ""));
    let path = target.split('?').next().unwrap_or_default();
    if link.starts_with('/') {
        return format!("{scheme}{authority}{link}");
    }
    if link.starts_with('?') {
        return format!("{scheme}{authority}{path}{link}");
    }
    let folder = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("/");
    format!("{scheme}{authority}{folder}{link}")
}

/// The URL with these parameters after its own query. A name that it has already keeps its value there: a link that
/// the API gave says best what comes next.
pub(crate) fn with_query(url: &str, parameters: &[(String, String)], raw: Option<&str>) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let present = url.split_once('?').map_or("", |(_, query)| query);
    let names: Vec<String> = parse(present.as_bytes()).map(|(name, _)| name.into_owned()).collect();
    let mut added = Serializer::new(String::new());
    for (name, value) in parameters.iter().filter(|(name, _)| !names.contains(name)) {
        added.append_pair(name, value);
    }
    let added = added.finish();
    let parts: Vec<&str> = [added.as_str(), raw.unwrap_or_default()]
        .into_iter()
        .map(|part| part.trim_start_matches(['?', '&']))
        .filter(|part| !part.is_empty())
        .collect();
    match (parts.is_empty(), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, false) => format!("{url}?{}", parts.join("&")),
        (false, true) if present.is_empty() => format!("{url}{}", parts.join("&")),
        (false, true) => format!("{url}&{}", parts.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::{join, resolve, with_query};

    #[test]
    fn a_path_follows_its_base_with_one_slash() {
        assert_eq!(join("https://a.test/v1/", "/users"), "https://a.test/v1/users");
        assert_eq!(join("https://a.test", "users/"), "https://a.test/users/");
        assert_eq!(join("https://a.test/v1/", ""), "https://a.test/v1/");
        assert_eq!(join("https://a.test/v1", "https://b.test/x"), "https://b.test/x");
        assert_eq!(join("https://a.test/v1", "?page=2"), "https://a.test/v1?page=2");
    }

    #[test]
    fn links_are_resolved_where_they_were_found() {
        let from = "https://a.test:8443/v1/users?page=1#top";
        for (link, meant) in [
            ("http://b.test/x", "http://b.test/x"),
            ("//b.test/x", "https://b.test/x"),
            ("/v2?page=2", "https://a.test:8443/v2?page=2"),
            ("?page=2", "https://a.test:8443/v1/users?page=2"),
            ("teams", "https://a.test:8443/v1/teams"),
        ] {
            assert_eq!(resolve(from, link), meant, "{link}");
        }
        assert_eq!(resolve("https://a.test", "x"), "https://a.test/x");
        assert_eq!(resolve("https://a.test?x=1", "?page=2"), "https://a.test?page=2");
    }

    #[test]
    fn parameters_are_encoded_and_those_of_the_link_win() {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            with_query("https://a.test/", &pairs(&[("q", "a b&c")]), None),
            "https://a.test/?q=a+b%26c"
        );
        let link = "https://a.test/?page=2&since=2024-01-01T00%3A00Z";
        assert_eq!(
            with_query(link, &pairs(&[("page", "1"), ("since", "x"), ("size", "5")]), None),
            format!("{link}&size=5")
        );
        assert_eq!(
            with_query("https://a.test?", &pairs(&[("a", "1")]), Some("?b=2")),
            "https://a.test?a=1&b=2"
        );
        assert_eq!(with_query("https://a.test#x", &[], None), "https://a.test");
    }
}
