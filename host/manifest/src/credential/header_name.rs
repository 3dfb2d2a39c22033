//! Names of headers in which a credential may stand.

use crate::text::quoted;

/// Longer names are no names of headers.
const NAME_BYTES_MAX: usize = 100;

/// Headers that say how a message is framed, where it goes or who passed it on: the host writes them, or nobody. A
/// credential in one of them would be dropped, or change what the request means.
const NOT_FOR_CREDENTIALS: [&str; 20] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie2",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "range",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// The same for whole families.
const FAMILIES_NOT_FOR_CREDENTIALS: [&str; 3] = ["proxy-", "sec-", "x-forwarded-"];

/// Why a header cannot hold a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderNameError {
    /// No name of a header (RFC 9110, section 5.6.2).
    #[error("{} is not the name of a header", quoted(.name))]
    NotAName {
        /// What stands there.
        name: String,
    },
    /// A header that only the host writes.
    #[error("the header {} cannot hold a credential: the host writes it, or nobody", quoted(.name))]
    Reserved {
        /// The header.
        name: String,
    },
}

/// The name of a header that may hold a credential, in lower case.
///
/// # Errors
/// What is no name, and headers that only the host writes.
pub fn header_name(text: &str) -> Result<String, HeaderNameError> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(is_token_byte) {
        return Err(HeaderNameError::NotAName { name: text.to_owned() });
    }
    let name = text.to_ascii_lowercase();
    let folded = folded(&name);
    let in_family = FAMILIES_NOT_FOR_CREDENTIALS.iter().any(|family| folded.starts_with(family));
    if in_family || NOT_FOR_CREDENTIALS.contains(&folded.as_str()) {
        return Err(HeaderNameError::Reserved { name });
    }
    Ok(name)
}

/// A name as those servers read it that hand headers on as variables: to them `x_api_key` is `x-api-key`.
pub(super) fn folded(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// Whether a request may have a header of this name at all, for parts of a signature.
pub(crate) fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{HeaderNameError, header_name};

    #[test]
    fn names_are_compared_in_lower_case() {
        assert_eq!(header_name("X-Api-Key").as_deref(), Ok("x-api-key"));
        assert_eq!(header_name("authorization").as_deref(), Ok("authorization"));
        assert_eq!(header_name("Cookie").as_deref(), Ok("cookie"));
        assert_eq!(header_name(&"x".repeat(100)), Ok("x".repeat(100)), "as long as it may be");
    }

    #[test]
    fn what_frames_or_routes_a_message_holds_no_credential() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "CONNECTION",
            "Proxy-Authorization",
            "proxy-anything",
            "Forwarded",
            "X-Forwarded-For",
            "Cookie2",
            "Accept-Encoding",
            "te",
            "Upgrade",
            "Content_Length",
            "X_Forwarded.For",
        ] {
            let name = name.to_owned();
            let refused = header_name(&name).unwrap_err();
            assert_eq!(refused, HeaderNameError::Reserved { name: name.to_ascii_lowercase() });
        }
    }

    #[test]
    fn what_is_no_token_is_no_name() {
        for name in
            ["", " x", "x ", "x y", "x:y", ":authority", "x\r\ny", "ü", "x\0", "(x)", &"x".repeat(101)]
        {
            assert_eq!(header_name(name), Err(HeaderNameError::NotAName { name: name.to_owned() }), "{name}");
        }
    }
}
