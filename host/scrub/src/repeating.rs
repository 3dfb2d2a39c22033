//! Finds one needle in a time that depends on lengths alone, also where needle and text repeat themselves.
//!
//! All places of the needle at which a reader could be are followed at once, a bit each: first from the end of the text to its
//! beginning, which tells where the needle begins, then forward from those places, which tells where it ends. That takes much
//! longer than to look for what is rare, and no longer where it is common.

use std::collections::VecDeque;
use std::ops::Range;

use crate::escape::{ESCAPE_BYTES_MAX, Readings, is_lead, readings};
use crate::needle::{Needle, is_base64};
use crate::places::{Places, Rows};

/// Where one needle stands.
#[derive(Default)]
pub(crate) struct Repeated {
    /// As many as it stands there, if each text can be read in one way only. What lies between two that overlap is in them.
    pub(crate) ranges: Vec<Range<usize>>,
    /// How much was done: a word of bits that was followed over a byte is one.
    pub(crate) words: u64,
}

struct Search<'a> {
    text: &'a [u8],
    needle: &'a Needle,
    rows: &'a Rows,
    places: Places,
    words: u64,
}

/// Every place where the needle stands.
pub(crate) fn repeated(text: &[u8], needle: &Needle) -> Repeated {
    let mut search = Search::new(text, needle);
    let starts = search.starts();
    let ranges = search.ranges(&starts);
    Repeated { ranges, words: search.words }
}

/// Where the first needle begins that the end of the text cuts off, and how much was done.
pub(crate) fn cut_off(text: &[u8], needle: &Needle) -> (Option<usize>, u64) {
    let mut search = Search::new(text, needle);
    let first = search.first_cut_off();
    (first, search.words)
}

impl<'a> Search<'a> {
    fn new(text: &'a [u8], needle: &'a Needle) -> Self {
        let rows = needle.rows();
        Self { text, needle, rows, places: Places::new(rows), words: 0 }
    }

    fn readings(&mut self, at: usize) -> (u8, Readings) {
        let rest = self.text.get(at..).unwrap_or_default();
        let first = rest.first().copied().unwrap_or_default();
        let readings = if is_lead(first) || first == b'+' { readings(rest) } else { Readings::default() };
        self.words += (self.rows.words() * (1 + readings.iter().count())) as u64;
        (first, readings)
    }

    /// From which places of the needle whatever comes behind `at` is reached, by what stands there.
    fn step_back(&mut self, at: usize, byte: u8, readings: &Readings) {
        self.places.clear(at);
        self.places.back(self.rows, at, at + 1, &[byte]);
        for reading in readings.iter() {
            self.places.back(self.rows, at, at + reading.text_bytes(), reading.value());
        }
    }

    /// Where the needle begins, the last place first.
    fn starts(&mut self) -> Vec<usize> {
        let mut starts = Vec::new();
        self.places.clear(self.text.len());
        self.places.add_last(self.text.len());
        for at in (0..self.text.len()).rev() {
            let (byte, readings) = self.readings(at);
            self.step_back(at, byte, &readings);
            if self.places.has_first(at) {
                starts.push(at);
            }
            self.places.add_last(at);
        }
        starts
    }

    /// From those starts on, up to its ends.
    fn ranges(&mut self, starts: &[usize]) -> Vec<Range<usize>> {
        let (mut ranges, mut begun) = (Vec::<Range<usize>>::new(), VecDeque::new());
        let mut starts = starts.iter().rev().copied().peekable();
        self.places.clear_all();
        // Up to there something is under way.
        let mut under_way = None;
        while let Some(at) = under_way.or_else(|| starts.peek().copied()) {
            if starts.next_if_eq(&at).is_some() {
                if begun.is_empty()
                    && under_way.is_some()
                    && let Some(last) = ranges.last_mut()
                {
                    // Something that began earlier may end only later: what lies between belongs to it.
                    last.end = last.end.max(at);
                }
                begun.push_back(at);
                self.places.add_first(at);
            }
            if self.places.has_last(at) {
                let trail = self.needle.trail && self.text.get(at).copied().is_some_and(is_base64);
                let end = at + usize::from(trail);
                match (begun.pop_front(), ranges.last_mut()) {
                    (Some(start), _) => ranges.push(start..end),
                    (None, Some(last)) => last.end = last.end.max(end),
                    (None, None) => {}
                }
            }
            under_way = self.step_on(at);
            if under_way.is_none() {
                begun.clear();
            }
        }
        ranges
    }

    /// The next place, if something goes on there or behind it.
    fn step_on(&mut self, at: usize) -> Option<usize> {
        if at < self.text.len() && self.places.has_any(at) {
            let (byte, readings) = self.readings(at);
            self.places.forward(self.rows, at, at + 1, &[byte]);
            for reading in readings.iter() {
                self.places.forward(self.rows, at, at + reading.text_bytes(), reading.value());
            }
        }
        self.places.clear(at);
        self.places.goes_on(at).then_some(at + 1)
    }

    fn first_cut_off(&mut self) -> Option<usize> {
        let (length, mut first) = (self.text.len(), None);
        self.places.clear_all();
        self.places.add_all_but_last(length);
        if self.needle.trail {
            self.places.add_last(length);
        }
        for at in (0..length).rev() {
            let is_last = length - at <= ESCAPE_BYTES_MAX;
            if !is_last && !self.places.goes_on(at) {
                break;
            }
            let (byte, readings) = self.readings(at);
            self.step_back(at, byte, &readings);
            if readings.open {
                self.places.add_all_but_last(at);
            }
            if self.places.has_first(at) {
                first = Some(at);
            }
        }
        first
    }
}
