//! Changes are made to what was read: what a reader gets is named by an `ETag`, and who changes it sends that name.

use crate::fault::Fault;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What something was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    /// Of that of it which can be changed; none: it cannot be written down.
    pub(crate) fn of<T: Serialize>(value: &T) -> Option<Self> {
        let bytes = serde_json::to_vec(value).ok()?;
        let [hash @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32] =
            Sha256::digest(bytes).into();
        Some(Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash))))
    }

    /// Whether whoever sends these headers has read just this.
    pub(crate) fn expect(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let mut given = headers.get_all(IF_MATCH).iter().peekable();
        if given.peek().is_none() {
            return Err(Fault::NoIfMatch);
        }
        // `*` would say that they do not care what they overwrite.
        let mut tags = given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        if tags.any(|tag| tag.trim() == self.0) { Ok(()) } else { Err(Fault::Stale) }
    }
}

/// An answer with the name of what it shows.
pub(crate) fn tagged(tag: Option<Tag>, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Some(value) = tag.and_then(|tag| HeaderValue::from_str(&tag.0).ok()) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::Tag;
    use crate::fault::Fault;
    use http::HeaderMap;
    use http::header::IF_MATCH;

    #[test]
    fn only_who_has_read_the_same_may_change_it() {
        let tag = Tag::of(&"a").unwrap();
        let other = Tag::of(&"b").unwrap();
        assert_eq!(tag.expect(&HeaderMap::new()), Err(Fault::NoIfMatch));
        for (given, judged) in [
            (tag.0.clone(), Ok(())),
            (format!("{}, {}", other.0, tag.0), Ok(())),
            (other.0.clone(), Err(Fault::Stale)),
            ("*".into(), Err(Fault::Stale)),
            (format!("W/{}", tag.0), Err(Fault::Stale)),
            (tag.0.replace('"', ""), Err(Fault::Stale)),
            (String::new(), Err(Fault::Stale)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, given.parse().unwrap());
            assert_eq!(tag.expect(&headers), judged, "{given}");
        }
    }
}
