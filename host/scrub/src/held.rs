//! From where on a text that is not at its end must be held back.

use crate::escape::{BYTE_SPELLED_MAX, is_lead, readings};
use crate::found::Needles;
use crate::needle::is_base64;
use crate::walk::walk;

impl Needles {
    /// The first place at which a needle begins that the end of the text cuts off; the text's length if there is none.
    pub(crate) fn held_from(&self, text: &[u8]) -> usize {
        let earliest = self.earliest(text);
        let cut_off = |at: &usize| self.is_cut_off(text, *at);
        let Some(start) = (earliest..text.len()).find(cut_off) else {
            return text.len();
        };
        // The character before may hold bits of the secret.
        let before = start.checked_sub(1).filter(|before| text.get(*before).copied().is_some_and(is_base64));
        before.unwrap_or(start)
    }

    /// The most that may be held back.
    pub(crate) fn held_max(&self) -> usize {
        self.bytes_max * BYTE_SPELLED_MAX + 1
    }

    /// No needle that is cut off begins before: something stands there that no needle spans, or the needle would be too long.
    fn earliest(&self, text: &[u8]) -> usize {
        let reach_max = self.bytes_max * BYTE_SPELLED_MAX;
        let mut reach = self.bytes_max;
        let mut rest = text;
        while let [before @ .., byte] = rest {
            if text.len() - before.len() > reach {
                return rest.len();
            }
            if is_lead(*byte) {
                if self.resumes.may_resume(text.get(before.len()..).unwrap_or_default()) {
                    reach = (reach + BYTE_SPELLED_MAX - 1).min(reach_max);
                } else if !self.resumes.has(*byte) {
                    return rest.len();
                }
            } else if self.resumes.ends_all(*byte) {
                return rest.len();
            }
            rest = before;
        }
        0
    }

    fn is_cut_off(&self, text: &[u8], at: usize) -> bool {
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.first().copied() else {
            return false;
        };
        if self.is_escape(rest) {
            return self.escape_is_cut_off(text, at) || self.starts_cut_off(text, at, first);
        }
        // Most places are done with here.
        let goes_on = |second: &u8| {
            self.resumes.begins(first, *second) || self.is_escape(rest.get(1..).unwrap_or_default())
        };
        rest.get(1).is_none_or(goes_on) && self.starts_cut_off(text, at, first)
    }

    /// Whether an escape begins here that could stand for a byte of a needle.
    fn is_escape(&self, text: &[u8]) -> bool {
        let begins = |byte: u8| is_lead(byte) || (byte == b'+' && self.has_space);
        text.first().copied().is_some_and(begins) && self.resumes.may_resume(text)
    }

    fn starts_cut_off(&self, text: &[u8], at: usize, first: u8) -> bool {
        self.resumes.starting(first).any(|needle| self.is_open(text, needle, at, 0))
    }

    fn escape_is_cut_off(&self, text: &[u8], at: usize) -> bool {
        let readings = readings(text.get(at..).unwrap_or_default());
        let goes_on = |value: &[u8], text_bytes: usize| {
            let Some(first) = value.first().copied() else {
                return false;
            };
            let begins = |needle: &usize| {
                self.needles.get(*needle).is_some_and(|needle| needle.bytes.starts_with(value))
            };
            let mut needles = self.resumes.starting(first).filter(begins);
            needles.any(|needle| self.is_open(text, needle, at + text_bytes, value.len()))
        };
        readings.open || readings.iter().any(|reading| goes_on(reading.value(), reading.text_bytes))
    }

    fn is_open(&self, text: &[u8], needle: usize, at: usize, known: usize) -> bool {
        self.needles.get(needle).is_some_and(|needle| walk(text, needle, at, known).open)
    }
}
