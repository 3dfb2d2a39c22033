//! Everything that stands in one text.

use std::cmp::Reverse;
use std::ops::Range;

use crate::escape::{ESCAPE_BYTES_MAX, Reading, readings};
use crate::grams::Grams;
use crate::hit::{Encoding, Hit};
use crate::leads::Leads;
use crate::needle::{Needle, is_base64};
use crate::repeating::{cut_off, repeated};
use crate::resumes::Resumes;
use crate::walk::{Walked, walk};
use crate::work::{Work, comparing};

/// What is looked for, in the shapes in which it is looked for.
pub(crate) struct Needles {
    pub(crate) needles: Vec<Needle>,
    pub(crate) resumes: Resumes,
    /// Of the shortest and of the longest.
    bytes_min: usize,
    pub(crate) bytes_max: usize,
    pub(crate) grams: Grams,
    leads: Leads,
}

/// What a search tells.
#[derive(Default)]
pub(crate) struct Found {
    /// By their places.
    pub(crate) hits: Vec<Hit>,
    /// Where the first of those needles begins that the end of the text cuts off, of those that were followed to there.
    pub(crate) cut_off: Option<usize>,
    pub(crate) work: Work,
    /// What those needles took that had cost too much.
    pub(crate) repeating_words: u64,
}

impl Found {
    pub(crate) fn cut_off_at(&mut self, start: usize) {
        self.cut_off = Some(self.cut_off.map_or(start, |earlier| earlier.min(start)));
    }
}

impl Needles {
    pub(crate) fn new(needles: Vec<Needle>) -> Self {
        let resumes = Resumes::new(&needles);
        let lengths = || needles.iter().map(|needle| needle.bytes.len());
        let bytes_min = lengths().min().unwrap_or_default();
        let bytes_max = lengths().max().unwrap_or_default();
        let (grams, leads) = (Grams::new(&needles), Leads::new(&resumes.stands));
        Self { grams, leads, resumes, bytes_min, bytes_max, needles }
    }

    /// All hits of a text that is whole. No escape is shorter than what it stands for, so most names and values of headers are
    /// too short to hold a needle.
    pub(crate) fn hits(&self, text: &[u8]) -> Vec<Hit> {
        if text.len() < self.bytes_min { Vec::new() } else { self.found(text).hits }
    }

    /// All hits. One credential is told once where a form of it lies within another.
    pub(crate) fn found(&self, text: &[u8]) -> Found {
        let mut found = Found { work: Work::new(text, self.bytes_max), ..Found::default() };
        if self.needles.is_empty() {
            return found;
        }
        self.grams.candidates(text, |needle, start| self.literal(text, needle, start, &mut found));
        self.leads.places(text, |at| {
            if let Some((before, rest)) = text.split_at_checked(at)
                && self.resumes.may_resume(before, rest)
            {
                self.escaped(before, rest, text, &mut found);
            }
        });
        for needle in found.work.used_up() {
            self.repeating(text, needle, &mut found);
        }
        if !found.hits.is_empty() {
            found.hits.sort_by_key(|hit| (hit.range.start, Reverse(hit.range.end)));
            without_inner(&mut found.hits);
        }
        found
    }

    /// A needle that has cost too much: all of it again.
    #[cold]
    fn repeating(&self, text: &[u8], place: usize, found: &mut Found) {
        let Some(needle) = self.needles.get(place) else { return };
        let repeated = repeated(text, needle);
        found.repeating_words += repeated.words;
        // What stands as it is has been found before: to look for that alone costs too little.
        let hits = repeated.ranges.into_iter().map(|range| hit(text, needle, Encoding::Escaped, range));
        found.hits.extend(hits);
        let (start, words) = cut_off(text, needle);
        found.repeating_words += words;
        start.into_iter().for_each(|start| found.cut_off_at(start));
    }

    /// A needle that stands as it is, or does so up to the text's end or an escape that the end cuts off.
    fn literal(&self, text: &[u8], place: usize, start: usize, found: &mut Found) {
        let Some(needle) = self.needles.get(place).filter(|_| !found.work.is_used_up(place)) else { return };
        let end = start + needle.bytes.len();
        found.work.add(place, comparing(needle.bytes.len()));
        if text.get(start..end) == Some(needle.bytes.as_slice()) {
            let trail = needle.trail && text.get(end).copied().is_some_and(is_base64);
            found.hits.push(hit(text, needle, needle.encoding, start..end + usize::from(trail)));
        }
        if end + ESCAPE_BYTES_MAX > text.len() && found.cut_off.is_none_or(|earlier| start < earlier) {
            // An escape that the end cuts off is in the last bytes; what stands before them has to be there as it is.
            let last = text.len().saturating_sub(ESCAPE_BYTES_MAX).clamp(start, end);
            let is_there = text.get(start..last) == needle.bytes.get(..last - start);
            if is_there && self.followed(text, place, (last, last - start), found).open {
                found.cut_off_at(start);
            }
        }
    }

    /// A needle from a place on, of which so many bytes stand before it.
    fn followed(&self, text: &[u8], place: usize, from: (usize, usize), found: &mut Found) -> Walked {
        let Some(needle) = self.needles.get(place) else { return Walked::default() };
        let walked = walk(text, needle, from, found.work.left(place));
        found.work.add(place, walked.steps);
        walked
    }

    /// Needles of which the first escaped byte is at the beginning of the rest.
    #[cold]
    fn escaped(&self, before: &[u8], rest: &[u8], text: &[u8], found: &mut Found) {
        for reading in readings(rest).iter() {
            let behind = rest.get(reading.text_bytes()..).unwrap_or_default();
            let tell = |needle, offset| {
                found.work.add(needle, 1);
                self.resumed(text, before.len(), reading, (needle, offset), found);
                !found.work.is_used_up(needle)
            };
            self.resumes.candidates(before, reading.value(), behind, tell);
        }
    }

    fn resumed(&self, text: &[u8], at: usize, reading: &Reading, resume: (usize, usize), found: &mut Found) {
        let (place, offset) = resume;
        let Some(needle) = self.needles.get(place).filter(|_| !found.work.is_used_up(place)) else { return };
        found.work.add(place, comparing(offset));
        let Some(start) = at.checked_sub(offset) else { return };
        let Some((before, behind)) = needle.bytes.split_at_checked(offset) else { return };
        if text.get(start..at) != Some(before) || !behind.starts_with(reading.value()) {
            return;
        }
        let from = (at + reading.text_bytes(), offset + reading.value().len());
        let walked = self.followed(text, place, from, found);
        found.hits.extend(walked.end.map(|end| hit(text, needle, Encoding::Escaped, start..end)));
        if walked.open {
            found.cut_off_at(start);
        }
    }
}

fn hit(text: &[u8], needle: &Needle, encoding: Encoding, Range { start, end }: Range<usize>) -> Hit {
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
