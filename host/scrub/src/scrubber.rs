//! Looks for a set of secrets.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::found::Needles;
use crate::hit::Hit;
use crate::short::Short;

/// What stands where a secret stood, as often as the secret had bytes: a length that was announced stays true.
const BLANK: u8 = b'*';

/// Looks for a set of secrets. Cheap to clone; without secrets everything passes at no cost.
#[derive(Clone)]
pub struct Scrubber {
    inner: Arc<Inner>,
}

struct Inner {
    needles: Needles,
    short: Vec<Short>,
}

impl Scrubber {
    pub(crate) fn new(needles: Needles, short: Vec<Short>) -> Self {
        Self { inner: Arc::new(Inner { needles, short }) }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.needles.needles.is_empty() && self.inner.short.is_empty()
    }

    /// The first secret of 12 bytes or more.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Option<Hit> {
        self.hits(bytes).into_iter().next()
    }

    /// All secrets of 12 bytes or more, by their places.
    #[must_use]
    pub fn hits(&self, bytes: &[u8]) -> Vec<Hit> {
        self.inner.needles.hits(bytes)
    }

    /// As [`Self::hits`], and short ones that stand as words.
    #[must_use]
    pub fn hits_in_line(&self, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = self.hits(bytes);
        hits.extend(self.inner.short.iter().flat_map(|short| short.found(bytes)));
        hits.sort_by_key(|hit| hit.range.start);
        hits
    }

    /// A line without secrets, short ones among them.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        blanked_text(text, &self.hits_in_line(text.as_bytes()))
    }

    /// The value of a header without secrets, short ones among them.
    #[must_use]
    pub fn header<'a>(&self, value: &'a [u8]) -> Cow<'a, [u8]> {
        let hits = self.hits_in_line(value);
        if hits.is_empty() { Cow::Borrowed(value) } else { Cow::Owned(blanked(value, &hits)) }
    }

    /// All secrets of a text that goes on, and from where on it is to be held back.
    pub(crate) fn hits_and_held_from(&self, text: &[u8]) -> (Vec<Hit>, usize) {
        let found = self.inner.needles.found(text);
        let held_from = self.inner.needles.held_from(text, &found);
        (found.hits, held_from)
    }

    /// The most bytes that could begin a secret.
    pub(crate) fn held_max(&self) -> usize {
        self.inner.needles.held_max()
    }
}

pub(crate) fn blanked_text<'a>(text: &'a str, hits: &[Hit]) -> Cow<'a, str> {
    if hits.is_empty() {
        return Cow::Borrowed(text);
    }
    // A secret of bytes that are no text could end within a character.
    Cow::Owned(String::from_utf8_lossy(&blanked(text.as_bytes(), hits)).into_owned())
}

pub(crate) fn blanked(text: &[u8], hits: &[Hit]) -> Vec<u8> {
    let mut text = text.to_vec();
    hits.iter().for_each(|hit| blank(&mut text, hit.range.clone()));
    text
}

/// Blanks what of the range lies in the text.
pub(crate) fn blank(text: &mut [u8], range: Range<usize>) {
    let range = range.start..range.end.min(text.len());
    if let Some(secret) = text.get_mut(range) {
        secret.fill(BLANK);
    }
}
