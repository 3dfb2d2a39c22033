//! A request that is looked for.

use sha2::{Digest, Sha256};

use crate::format::Headers;

/// So much of a body is kept to say where it differs.
const START_BYTES_MAX: usize = 1 << 20;

/// A request as a connector makes it in a replay.
#[derive(Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Seen,
    /// What followed the body.
    pub trailers: Headers,
}

/// A body that went past.
#[derive(Debug, Default)]
pub struct Seen {
    hash: Sha256,
    /// Its beginning.
    pub(crate) start: Vec<u8>,
    /// How long it is.
    pub(crate) bytes: u64,
}

impl Seen {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next part of it.
    pub fn add(&mut self, part: &[u8]) {
        self.hash.update(part);
        self.bytes += part.len() as u64;
        let room = START_BYTES_MAX.saturating_sub(self.start.len());
        self.start.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// How long it is so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }
}

/// By what two requests are the same: everything that the connector says. The order of headers of different names says nothing.
pub(crate) fn key(
    method: &str,
    url: &str,
    headers: &Headers,
    body: [u8; 32],
    trailers: &Headers,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(method.as_bytes());
    part(url.as_bytes());
    for fields in [headers, trailers] {
        part(&fields.len().to_le_bytes());
        for (name, value) in sorted(fields) {
            part(name.to_ascii_lowercase().as_bytes());
            part(value.bytes());
        }
    }
    part(&body);
    hash.finalize().into()
}

/// By name; the values of one name stay in their order.
pub(crate) fn sorted(headers: &Headers) -> Headers {
    let mut sorted = headers.clone();
    sorted.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase());
    sorted
}
