//! From where on a text that is not at its end must be held back.

use crate::escape::{BYTE_SPELLED_MAX, ESCAPE_BYTES_MAX, readings};
use crate::found::{Found, Needles};
use crate::needle::is_base64;
use crate::walk::walk;

impl Needles {
    /// The first place at which a needle begins that the end of the text cuts off; the text's length if there is none.
    pub(crate) fn held_from(&self, text: &[u8], found: &Found) -> usize {
        // The search has seen all needles but those of which too little stands there, and nothing escaped.
        let unseen = text.len().saturating_sub(self.grams.seen_bytes() + ESCAPE_BYTES_MAX);
        let seen = found.cut_off.unwrap_or(text.len());
        let bytes = (unseen..seen).zip(text.get(unseen..).unwrap_or_default());
        let may_open = |(at, byte): (usize, &u8)| self.resumes.may_open(*byte).then_some(at);
        let start = bytes.filter_map(may_open).find(|at| self.is_cut_off(text, *at, found)).unwrap_or(seen);
        if start == text.len() {
            return start;
        }
        // The character before may hold bits of the secret.
        let before = start.checked_sub(1).filter(|before| text.get(*before).copied().is_some_and(is_base64));
        before.unwrap_or(start)
    }

    /// The most that may be held back.
    pub(crate) fn held_max(&self) -> usize {
        self.bytes_max * BYTE_SPELLED_MAX + 1
    }

    /// Whether a needle begins here, as it is, that the end cuts off or an escape of which nothing is known yet.
    fn is_cut_off(&self, text: &[u8], at: usize, found: &Found) -> bool {
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.first().copied() else {
            return false;
        };
        if self.is_escape(rest) && readings(rest).open {
            return true;
        }
        // Most places are done with here.
        let goes_on = |second: &u8| {
            self.resumes.begins(first, *second) || self.is_escape(rest.get(1..).unwrap_or_default())
        };
        // What has cost too much was followed to the end in the other way; so little is left here that nothing costs much.
        let is_open = |needle| !found.work.is_used_up(needle) && self.is_open(text, needle, at);
        rest.get(1).is_none_or(goes_on) && self.resumes.starting(first).any(is_open)
    }

    fn is_open(&self, text: &[u8], needle: usize, at: usize) -> bool {
        self.needles.get(needle).is_some_and(|needle| walk(text, needle, (at, 0), u64::MAX).open)
    }

    /// Whether an escape begins here that could stand for a byte of a needle.
    fn is_escape(&self, text: &[u8]) -> bool {
        let stands = &self.resumes.stands;
        text.first().is_some_and(|first| stands.is_lead(*first)) && stands.may_stand_for(text)
    }
}
