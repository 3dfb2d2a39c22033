//! Puts one credential where it belongs, after the guest's last touch: what the guest put there is dropped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::query;
use crate::headers;
use crate::rebuild::Head;

/// A value in a header, behind a prefix.
pub(super) fn header(head: &mut Head, name: &str, prefix: &str, value: &str) -> Result<(), &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "goes into a header that cannot be one")?;
    insert(head, name, &joined(prefix, value))
}

/// A value in the field of that name which most kinds use.
pub(super) fn authorization(head: &mut Head, prefix: &str, value: &str) -> Result<(), &'static str> {
    insert(head, AUTHORIZATION, &joined(prefix, value))
}

/// A user's name and password.
pub(super) fn basic(head: &mut Head, username: &str, password: &str) -> Result<(), &'static str> {
    if username.contains(':') {
        // RFC 7617 §2: the server would part the pair at another place.
        return Err("has a user's name with a `:` in it");
    }
    authorization(head, "Basic ", &encoded_pair(username, password))
}

/// One text, made at once: what a text that grows leaves behind is wiped by nobody.
fn joined(prefix: &str, value: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + value.len()));
    text.push_str(prefix);
    text.push_str(value);
    text
}

/// The pair as it is sent.
pub(super) fn encoded_pair(username: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{username}:{password}"));
    Zeroizing::new(STANDARD.encode(pair.as_bytes()))
}

fn insert(head: &mut Head, name: HeaderName, text: &str) -> Result<(), &'static str> {
    let mut value = HeaderValue::from_str(text)
        .or_else(|_| HeaderValue::from_bytes(text.as_bytes()))
        .map_err(|_| "has a value that cannot stand in a header")?;
    // HTTP/2 must not put it into the table of the connection, and nothing prints it.
    value.set_sensitive(true);
    headers::remove(&mut head.headers, name.as_str());
    head.headers.insert(name, value);
    Ok(())
}

/// A value in the query.
pub(super) fn parameter(head: &mut Head, name: &str, value: &str) -> Result<(), &'static str> {
    let placed = query::place(&head.target.path_and_query, name, value);
    head.target.path_and_query = placed.ok_or("makes the URL too long")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::{basic, header};
    use crate::Caps;
    use crate::rebuild::Head;
    use crate::target::Target;

    /// HTTP/2 keeps no such value in the table of a connection, and no trace prints it.
    #[test]
    fn a_placed_value_is_marked_as_sensitive() {
        let target = Target::parse(&"https://api.test/".parse().unwrap(), &Caps::default()).unwrap();
        let mut head = Head { method: Method::GET, target, headers: HeaderMap::new() };
        basic(&mut head, "user", "password").unwrap();
        header(&mut head, "x-key", "Token ", "value-é").unwrap();
        assert!(head.headers.len() == 2 && head.headers.values().all(http::HeaderValue::is_sensitive));
        assert!(!format!("{head:?}").contains("value"), "{head:?}");
    }
}
