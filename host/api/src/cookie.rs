//! The cookie of a session. Its name binds it to this very host and to encrypted ways (`__Host-`, RFC 6265bis).

use crate::consents::CONSENT_MAX;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

const NAME: &str = "__Host-cofferdam_session";
/// Comes along when another site sends the browser back here, which the other one does not.
const CONSENT: &str = "__Host-cofferdam_consent";
/// As long as a session may live.
const LIFE_S: u64 = 12 * 60 * 60;

/// What the cookie of the session says; none: there is none.
pub(crate) fn read(headers: &HeaderMap) -> Option<&str> {
    named(headers, NAME)
}

/// By which a browser is known that was sent to a provider; none: it was not.
pub(crate) fn read_consent(headers: &HeaderMap) -> Option<&str> {
    named(headers, CONSENT)
}

fn named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut named = cookies.flat_map(|value| value.split(';')).filter_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == wanted).then_some(value)
    });
    // Two of them: one was put there by somebody else.
    let first = named.next()?;
    named.next().is_none().then_some(first)
}

/// What keeps a token in the browser, where no script sees it and no other page sends it; none: it is no header.
pub(crate) fn keep(token: &str) -> Option<HeaderValue> {
    write((NAME, token), "Strict", LIFE_S)
}

/// What takes it away.
pub(crate) fn forget() -> Option<HeaderValue> {
    write((NAME, ""), "Strict", 0)
}

/// What a browser is known by when it comes back from a provider.
pub(crate) fn keep_consent(word: &str) -> Option<HeaderValue> {
    write((CONSENT, word), "Lax", CONSENT_MAX.as_secs())
}

/// What takes that away.
pub(crate) fn forget_consent() -> Option<HeaderValue> {
    write((CONSENT, ""), "Lax", 0)
}

fn write((name, value): (&str, &str), same_site: &str, life_s: u64) -> Option<HeaderValue> {
    let text = format!("{name}={value}; Path=/; Max-Age={life_s}; Secure; HttpOnly; SameSite={same_site}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::{keep, read};
    use http::HeaderMap;
    use http::header::COOKIE;

    fn headers(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, cookie.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_session_is_found_among_cookies_and_only_once() {
        for (cookies, found) in [
            (&["__Host-cofferdam_session=a"][..], Some("a")),
            (&["x=y; __Host-cofferdam_session=a; z=1"], Some("a")),
            (&["x=y", "__Host-cofferdam_session=a"], Some("a")),
            (&["__Host-cofferdam_session=a; __Host-cofferdam_session=b"], None),
            (&["cofferdam_session=a"], None),
            (&["__host-cofferdam_session=a"], None),
            (&[], None),
        ] {
            assert_eq!(read(&headers(cookies)), found, "{cookies:?}");
        }
    }

    #[test]
    fn no_script_reads_it_and_no_other_page_sends_it() {
        let kept = keep("cfd_session_a").unwrap();
        assert!(kept.is_sensitive());
        let text = kept.to_str().unwrap().to_owned();
        for part in ["__Host-", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(keep("a\nb").is_none());
    }
}
