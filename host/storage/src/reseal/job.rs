//! The record of a job: `generation u32 | records u64 | bytes u64 | unreadable u64 | started u64 | resealed in this walk u64
//! | state u8 (0 begins a walk, 1 within one, 2 finished) | cursor`.

use super::Resealing;
use crate::error::Error;

/// A job and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) done: Resealing,
    /// The last record that was looked at; none: a walk begins.
    pub(super) cursor: Option<Vec<u8>>,
    /// How many records were sealed anew since it began.
    pub(super) in_this_walk: u64,
    is_finished: bool,
}

impl Job {
    pub(super) fn new(generation: u32, started_ms: u64) -> Self {
        let done = Resealing { generation, started_ms, ..Resealing::default() };
        Self { done, cursor: None, in_this_walk: 0, is_finished: false }
    }

    /// Whether a whole walk has found nothing that was to be sealed anew.
    pub(super) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// The walk has come to its end: the job is finished when it was one that found nothing, otherwise another one begins.
    pub(super) fn end_walk(&mut self) {
        self.is_finished = self.in_this_walk == 0;
        if !self.is_finished {
            self.done.unreadable = 0;
        }
        self.in_this_walk = 0;
        self.cursor = None;
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let Resealing { generation, records, bytes, unreadable, started_ms } = self.done;
        let mut encoded = generation.to_be_bytes().to_vec();
        for number in [records, bytes, unreadable, started_ms, self.in_this_walk] {
            encoded.extend_from_slice(&number.to_be_bytes());
        }
        encoded.push(if self.is_finished { 2 } else { self.cursor.is_some().into() });
        encoded.extend_from_slice(self.cursor.as_deref().unwrap_or_default());
        encoded
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).ok_or(Error::Format { found: bytes.first().copied().unwrap_or_default() })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (generation, rest) = bytes.split_first_chunk()?;
        let (numbers, rest) = rest.split_first_chunk::<40>()?;
        let mut numbers = numbers.as_chunks::<8>().0.iter().map(|number| u64::from_be_bytes(*number));
        let done = Resealing {
            generation: u32::from_be_bytes(*generation),
            records: numbers.next()?,
            bytes: numbers.next()?,
            unreadable: numbers.next()?,
            started_ms: numbers.next()?,
        };
        let in_this_walk = numbers.next()?;
        let (state, cursor) = rest.split_first()?;
        let cursor = (*state == 1).then(|| cursor.to_vec());
        Some(Self { done, cursor, in_this_walk, is_finished: *state == 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::Job;

    #[test]
    fn a_job_is_read_as_it_was_written() {
        let mut job = Job::new(3, 77);
        assert_eq!(Job::decode(&job.encode()).unwrap(), job);
        job.cursor = Some(b"here".to_vec());
        job.in_this_walk = 9;
        job.done.unreadable = 1;
        assert_eq!(Job::decode(&job.encode()).unwrap(), job);
        assert_eq!(Job::decode(b"short").unwrap_err().code(), "CD1003");
    }

    #[test]
    fn only_a_walk_that_found_nothing_finishes_a_job() {
        let mut job = Job::new(2, 0);
        job.in_this_walk = 1;
        job.end_walk();
        assert!(!job.is_finished());
        job.end_walk();
        assert!(job.is_finished() && Job::decode(&job.encode()).unwrap().is_finished());
    }
}
