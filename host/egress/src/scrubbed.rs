//! Takes the secrets of a connection out of what a server sends back: fields, and the names in its certificate.

use std::borrow::Cow;
use std::io;

use http::{HeaderMap, HeaderName, HeaderValue};
use scrub::{Hit, Place, Watch};
use tokio_rustls::rustls;

/// What TLS says of a certificate holds the names that the server wrote into it.
pub(crate) fn tls(watch: &Watch, error: io::Error) -> io::Error {
    let text = error.to_string();
    match watch.text(Place::Message, &text) {
        Cow::Borrowed(_) => error,
        // Still an error of TLS itself: it is told from a connection that broke.
        Cow::Owned(blanked) => io::Error::new(error.kind(), rustls::Error::General(blanked)),
    }
}

/// Blanks secrets in values. A field whose very name holds one goes: a blanked name would be another field.
pub(crate) fn headers(watch: &Watch, headers: &mut HeaderMap) {
    let scrubber = watch.at(Place::Header);
    if scrubber.is_empty() {
        return;
    }
    let is_found = |hits: Vec<Hit>| {
        watch.count(Place::Header, &hits);
        !hits.is_empty()
    };
    let holds = |name: &&HeaderName| is_found(scrubber.hits(name.as_str().as_bytes()));
    let named: Vec<HeaderName> = headers.keys().filter(holds).cloned().collect();
    for name in named {
        headers.remove(name);
    }
    for value in headers.values_mut() {
        if is_found(scrubber.hits_in_line(value.as_bytes())) {
            let blanked = scrubber.header(value.as_bytes());
            // Same length, and every byte that was legal or `*`.
            *value = HeaderValue::from_bytes(&blanked).unwrap_or_else(|_| HeaderValue::from_static("*"));
        }
    }
}
