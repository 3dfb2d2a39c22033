//! The parts in which a body came: how much a connector gets at once is part of what it sees.

use std::collections::VecDeque;

/// As many changes of length are kept; what comes after them is told in parts of the default length.
const RUNS_MAX: usize = 10_000;
/// How a body is told whose parts are not known.
const PART_BYTES: u64 = 16 << 10;

/// Counts parts as they pass.
#[derive(Debug, Default)]
pub(crate) struct Counted(Vec<(u64, u64)>);

impl Counted {
    pub(crate) fn add(&mut self, bytes: u64) {
        let runs = self.0.len();
        match self.0.last_mut() {
            Some((length, times)) if *length == bytes => *times += 1,
            _ if runs < RUNS_MAX => self.0.push((bytes, 1)),
            _ => {}
        }
    }

    /// Nothing where there was one part: that is how a body is told anyway.
    pub(crate) fn into_parts(self) -> Vec<(u64, u64)> {
        if let [(length, 1)] = self.0.as_slice()
            && *length <= PART_BYTES
        {
            return Vec::new();
        }
        self.0
    }
}

/// Tells lengths of parts again.
#[derive(Debug)]
pub(crate) struct Parts {
    runs: VecDeque<(u64, u64)>,
    left: u64,
}

impl Parts {
    /// Of a body of so many bytes. A body that was edited has other parts than were counted, so these are not used.
    pub(crate) fn new(runs: &[(u64, u64)], bytes: u64) -> Self {
        let sum =
            runs.iter().fold(0_u64, |sum, (length, times)| sum.saturating_add(length.saturating_mul(*times)));
        let is_told = sum == bytes || (runs.len() == RUNS_MAX && sum < bytes);
        Self { runs: if is_told { runs.iter().copied().collect() } else { VecDeque::new() }, left: bytes }
    }

    /// The next part; none at the end.
    pub(crate) fn next(&mut self) -> Option<u64> {
        while let Some((length, times)) = self.runs.front_mut() {
            if *times == 0 {
                self.runs.pop_front();
                continue;
            }
            *times -= 1;
            let part = (*length).min(self.left);
            self.left -= part;
            return Some(part);
        }
        let part = PART_BYTES.min(self.left);
        self.left -= part;
        (part > 0).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, PART_BYTES, Parts, RUNS_MAX};

    fn told(runs: &[(u64, u64)], bytes: u64) -> Vec<u64> {
        let mut parts = Parts::new(runs, bytes);
        std::iter::from_fn(|| parts.next()).collect()
    }

    fn counted(lengths: &[u64]) -> Vec<(u64, u64)> {
        let mut counted = Counted::default();
        lengths.iter().for_each(|length| counted.add(*length));
        counted.into_parts()
    }

    #[test]
    fn parts_are_told_as_they_were_counted() {
        for lengths in [&[][..], &[5], &[5, 5, 5], &[1, 2, 1, 1, 7], &[3, 0, 4], &[PART_BYTES + 1]] {
            let bytes = lengths.iter().sum();
            assert_eq!(told(&counted(lengths), bytes), lengths);
        }
        assert_eq!(counted(&[4, 4, 4]), [(4, 3)], "what repeats is written once");
    }

    #[test]
    fn parts_beyond_what_is_kept_are_told_in_the_default_length() {
        let kept = (0..RUNS_MAX as u64).map(|part| 1 + part % 2);
        let lengths: Vec<u64> = kept.chain([3; 3]).collect();
        let (counted, bytes) = (counted(&lengths), lengths.iter().sum());
        assert_eq!(counted.len(), RUNS_MAX);
        let told = told(&counted, bytes);
        assert_eq!(told[..RUNS_MAX], lengths[..RUNS_MAX]);
        assert_eq!(told[RUNS_MAX..], [9], "three parts of three bytes");
    }

    #[test]
    fn a_body_that_was_edited_is_told_whole() {
        assert_eq!(told(&[(4, 3)], 13), [13]);
        assert_eq!(told(&[(4, 3)], PART_BYTES * 2 + 1), [PART_BYTES, PART_BYTES, 1]);
    }
}
