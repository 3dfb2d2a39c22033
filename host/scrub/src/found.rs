//! Everything that stands in one text.

use std::cmp::Reverse;

use crate::escape::{Reading, leads, readings};
use crate::grams::Grams;
use crate::hit::{Encoding, Hit};
use crate::needle::{Needle, is_base64};
use crate::resumes::Resumes;
use crate::walk::walk;

/// What is looked for, in the shapes in which it is looked for.
pub(crate) struct Needles {
    pub(crate) needles: Vec<Needle>,
    pub(crate) resumes: Resumes,
    /// Of the longest.
    pub(crate) bytes_max: usize,
    grams: Grams,
    /// Whether `+` could stand for a byte of a needle.
    pub(crate) has_space: bool,
}

impl Needles {
    pub(crate) fn new(needles: Vec<Needle>) -> Self {
        let resumes = Resumes::new(&needles);
        let has_space = resumes.has(b' ');
        let bytes_max = needles.iter().map(|needle| needle.bytes.len()).max().unwrap_or_default();
        Self { grams: Grams::new(&needles), resumes, bytes_max, has_space, needles }
    }

    /// All hits by their places. One credential is told once where a form of it lies within another.
    pub(crate) fn found(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        if self.needles.is_empty() {
            return hits;
        }
        self.grams.candidates(text, |needle, start| hits.extend(self.literal(text, needle, start)));
        for at in leads(text) {
            self.escaped(text, at, &mut hits);
        }
        if self.has_space {
            for at in memchr::memchr_iter(b'+', text) {
                self.escaped(text, at, &mut hits);
            }
        }
        if !hits.is_empty() {
            hits.sort_by_key(|hit| (hit.range.start, Reverse(hit.range.end)));
            without_inner(&mut hits);
        }
        hits
    }

    fn literal(&self, text: &[u8], needle: usize, start: usize) -> Option<Hit> {
        let needle = self.needles.get(needle)?;
        let end = start + needle.bytes.len();
        if text.get(start..end)? != needle.bytes.as_slice() {
            return None;
        }
        let trail = needle.trail && text.get(end).copied().is_some_and(is_base64);
        Some(hit(text, needle, needle.encoding, start, end + usize::from(trail)))
    }

    /// Needles of which the first escaped byte is at this place.
    fn escaped(&self, text: &[u8], at: usize, hits: &mut Vec<Hit>) {
        let rest = text.get(at..).unwrap_or_default();
        if !self.resumes.may_resume(rest) {
            return;
        }
        let readings = readings(rest);
        for reading in readings.iter() {
            let Some(byte) = reading.value().first().copied().filter(|byte| self.resumes.has(*byte)) else {
                continue;
            };
            let mut from = |resume| hits.extend(self.resumed(text, at, reading, resume));
            self.resumes.starting(byte).for_each(|needle| from((needle, 0)));
            if let Some(before) = at.checked_sub(1).and_then(|before| text.get(before)) {
                self.resumes.behind(byte, *before).for_each(from);
            }
        }
    }

    fn resumed(&self, text: &[u8], at: usize, reading: &Reading, resume: (usize, usize)) -> Option<Hit> {
        let (needle, offset) = resume;
        let needle = self.needles.get(needle)?;
        let start = at.checked_sub(offset)?;
        let (before, behind) = needle.bytes.split_at_checked(offset)?;
        if text.get(start..at)? != before || !behind.starts_with(reading.value()) {
            return None;
        }
        let end = walk(text, needle, at + reading.text_bytes, offset + reading.value().len()).end?;
        Some(hit(text, needle, Encoding::Escaped, start, end))
    }
}

fn hit(text: &[u8], needle: &Needle, encoding: Encoding, start: usize, end: usize) -> Hit {
    let lead =
        needle.lead && start.checked_sub(1).and_then(|at| text.get(at)).copied().is_some_and(is_base64);
    let range = start - usize::from(lead)..end;
    Hit { credential: needle.credential.clone(), encoding, range }
}

/// Leaves out hits that lie within an earlier one of the same credential.
fn without_inner(hits: &mut Vec<Hit>) {
    let mut kept: Vec<Hit> = Vec::with_capacity(hits.len());
    for hit in hits.drain(..) {
        let within = |one: &Hit| one.credential == hit.credential && one.range.end >= hit.range.end;
        // Whatever ended before this one began cannot hold it, so few are looked at in a text of many hits.
        let near = kept.iter().rev().take(NEAR_MAX);
        if !near.into_iter().any(within) {
            kept.push(hit);
        }
    }
    *hits = kept;
}

/// So many hits may lie one in another until one is told twice.
const NEAR_MAX: usize = 64;
