//! What waits at an endpoint, as it is remembered: where it lies, how much it is and when it ends. Not what is in it.

use std::collections::VecDeque;
use storage::Revision;

/// What waits.
pub(super) struct State {
    pub(super) next: u64,
    /// The head as it was read.
    pub(super) seen: Revision,
    /// In the order of their numbers, and so of their ends.
    pub(super) batches: VecDeque<Waiting>,
    /// Of all batches. Counted along: a sum over a full queue would cost more than the message that it is made for.
    count: u64,
    pub(super) bytes: u64,
    /// Up to which message runs have committed, as far as this process knows.
    pub(super) done: u64,
}

/// Messages that were made durable together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) bytes: u64,
    pub(super) received_ms: u64,
    pub(super) ends_ms: u64,
}

impl Waiting {
    fn count(&self) -> u64 {
        (self.last + 1).saturating_sub(self.first)
    }
}

impl State {
    pub(super) fn new(next: u64, seen: Revision) -> Self {
        Self { next, seen, batches: VecDeque::new(), count: 0, bytes: 0, done: 0 }
    }

    pub(super) fn push(&mut self, batch: Waiting) {
        self.count += batch.count();
        self.bytes += batch.bytes;
        self.batches.push_back(batch);
    }

    pub(super) fn pop(&mut self) {
        let Some(batch) = self.batches.pop_front() else { return };
        self.count = self.count.saturating_sub(batch.count());
        self.bytes = self.bytes.saturating_sub(batch.bytes);
    }

    /// Messages that no run has committed. Of the first batch alone some may be.
    pub(super) fn waiting(&self) -> u64 {
        let committed = self.batches.front().map_or(0, |batch| (self.done + 1).saturating_sub(batch.first));
        self.count.saturating_sub(committed)
    }

    /// What has ended is gone, whether or not a run has come for it.
    pub(super) fn end(&mut self, now_ms: u64) {
        while self.batches.front().is_some_and(|batch| batch.ends_ms <= now_ms) {
            self.pop();
        }
    }

    /// How many messages wait, their bytes, and since when the first of them does.
    pub(super) fn told(&self) -> (u64, u64, Option<u64>) {
        (self.waiting(), self.bytes, self.batches.front().map(|batch| batch.received_ms))
    }

    /// The batches in which messages behind this number are, so many of them.
    pub(super) fn behind(&self, after: u64, count: usize) -> Vec<Waiting> {
        let first = self.batches.partition_point(|batch| batch.last <= after);
        self.batches.range(first..).take(count).copied().collect()
    }
}
