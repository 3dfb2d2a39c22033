//! Takes the secrets of a connection out of the fields that a server sends back.

use http::{HeaderMap, HeaderName, HeaderValue};
use scrub::{Place, Watch};

/// Blanks secrets in values. A field whose very name holds one goes: a blanked name would be another field.
pub(crate) fn headers(watch: &Watch, headers: &mut HeaderMap) {
    if watch.current().is_empty() {
        return;
    }
    let holds = |name: &&HeaderName| !watch.find(Place::Header, name.as_str().as_bytes()).is_empty();
    let named: Vec<HeaderName> = headers.keys().filter(holds).cloned().collect();
    for name in named {
        headers.remove(name);
    }
    for value in headers.values_mut() {
        let Some(blanked) = watch.header(value.as_bytes()) else { continue };
        // Same length, and every byte that was legal or `*`.
        *value = HeaderValue::from_bytes(&blanked).unwrap_or_else(|_| HeaderValue::from_static("*"));
    }
}
