//! Values that are too short to be looked for everywhere: only as words, in header values and log lines.

use std::sync::Arc;

use memchr::memmem;
use zeroize::Zeroizing;

use crate::hit::{Encoding, Hit};

/// Shorter ones are words of any language.
pub(crate) const SHORT_BYTES_MIN: usize = 4;

pub(crate) struct Short {
    pub(crate) credential: Arc<str>,
    pub(crate) value: Zeroizing<Vec<u8>>,
}

impl Short {
    pub(crate) fn found<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Hit> + 'a {
        let ranges = memmem::find_iter(text, &*self.value).map(|start| start..start + self.value.len());
        let words = ranges.filter(|range| {
            let before = range.start.checked_sub(1).and_then(|at| text.get(at));
            !before.into_iter().chain(text.get(range.end)).any(|byte| is_of_word(*byte))
        });
        words.map(|range| Hit { credential: Arc::clone(&self.credential), encoding: Encoding::Plain, range })
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
