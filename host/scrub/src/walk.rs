//! Follows one needle through a text in which each byte may be escaped.

use std::collections::BTreeSet;

use crate::escape::{is_lead, readings};
use crate::needle::{Needle, is_base64};

/// What became of a needle that was followed from one place.
#[derive(Default)]
pub(crate) struct Walked {
    /// Where it ends, if it is there.
    pub(crate) end: Option<usize>,
    /// Whether it could go on behind the end of the text.
    pub(crate) open: bool,
    /// What it took.
    pub(crate) steps: u64,
}

/// What a fork takes, beside one step.
const FORK_STEPS: u64 = 16;

impl Walked {
    fn end_at(&mut self, end: usize) {
        self.end = self.end.max(Some(end));
    }
}

/// A place in the text up to which so many bytes of the needle were found.
type Step = (usize, usize);

/// Follows `needle`, of which the first `known` bytes stand before `at`, for so many steps at most: what takes more is not known.
pub(crate) fn walk(text: &[u8], needle: &Needle, (at, known): Step, steps_max: u64) -> Walked {
    let mut walked = Walked::default();
    let mut walk = Walk { text, needle, todo: Vec::new(), seen: BTreeSet::new() };
    let mut next = Some((at, known));
    while let Some(step) = next.filter(|_| walked.steps < steps_max) {
        walk.follow(step, &mut walked);
        next = walk.todo.pop();
    }
    walked
}

struct Walk<'a> {
    text: &'a [u8],
    needle: &'a Needle,
    /// Other readings, which are rare: most walks need no memory.
    todo: Vec<Step>,
    /// Forks that were taken, so that a text of backslashes does not take for ever.
    seen: BTreeSet<Step>,
}

impl Walk<'_> {
    fn follow(&mut self, mut step: Step, walked: &mut Walked) {
        loop {
            let (at, known) = step;
            walked.steps += 1;
            let Some(wanted) = self.needle.bytes.get(known) else {
                return self.arrive(at, walked);
            };
            let Some(byte) = self.text.get(at) else {
                walked.open = true;
                return;
            };
            let literal = byte == wanted;
            // What begins no escape is common, and goes on without a fork.
            if !is_lead(*byte) && (literal || *byte != b'+') {
                if !literal {
                    return;
                }
                step = (at + 1, known + 1);
                continue;
            }
            match self.fork(step, literal, walked) {
                Some(next) => step = next,
                None => return,
            }
        }
    }

    /// The next step; all others are put off.
    fn fork(&mut self, (at, known): Step, literal: bool, walked: &mut Walked) -> Option<Step> {
        walked.steps += FORK_STEPS;
        let others = self.todo.len();
        let wanted = self.needle.bytes.get(known..).unwrap_or_default();
        let readings = readings(self.text.get(at..).unwrap_or_default());
        walked.open |= readings.open;
        let mut next = literal.then_some((at + 1, known + 1));
        for reading in readings.iter().filter(|reading| wanted.starts_with(reading.value())) {
            let step = (at + reading.text_bytes(), known + reading.value().len());
            if let Some(other) = next.replace(step) {
                self.todo.push(other);
            }
        }
        if self.todo.len() > others && !self.seen.insert((at, known)) {
            self.todo.truncate(others);
            return None;
        }
        next
    }

    fn arrive(&self, at: usize, walked: &mut Walked) {
        if !self.needle.trail {
            return walked.end_at(at);
        }
        match self.text.get(at) {
            Some(byte) => walked.end_at(at + usize::from(is_base64(*byte))),
            None => {
                walked.end_at(at);
                walked.open = true;
            }
        }
    }
}
