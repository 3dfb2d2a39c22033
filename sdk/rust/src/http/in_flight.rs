//! Several requests at a time, without threads or futures.

use std::iter::{Enumerate, Fuse};

use wasip2::io::poll::poll;

use super::{Request, Response, wire::Sent};
use crate::Result;

/// Answers as they arrive, each with the place of its request.
pub struct InFlight<I: Iterator<Item = Request>> {
    requests: Enumerate<Fuse<I>>,
    sent: Vec<(usize, Sent)>,
    /// Those whose answer is here: one call of the host finds all of them.
    answered: Vec<(usize, Sent)>,
    most: usize,
}

impl<I: Iterator<Item = Request>> InFlight<I> {
    pub(super) fn new(requests: I, most: usize) -> Self {
        Self {
            requests: requests.fuse().enumerate(),
            sent: Vec::new(),
            answered: Vec::new(),
            most: most.max(1),
        }
    }
}

impl<I: Iterator<Item = Request>> Iterator for InFlight<I> {
    type Item = (usize, Result<Response>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.sent.len() + self.answered.len() < self.most
            && let Some((index, request)) = self.requests.next()
        {
            match Sent::new(request) {
                Ok(sent) => self.sent.push((index, sent)),
                Err(error) => return Some((index, Err(error))),
            }
        }
        if self.answered.is_empty() {
            self.await_answers();
        }
        let (index, sent) = self.answered.pop()?;
        Some((index, sent.take()))
    }
}

impl<I: Iterator<Item = Request>> InFlight<I> {
    /// Waits for at least one answer, if any is to come.
    fn await_answers(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let ready = poll(&self.sent.iter().map(|(_, sent)| sent.ready()).collect::<Vec<_>>());
        // From behind, so that the places of the others stay true.
        for place in ready.into_iter().rev() {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            if place < self.sent.len() {
                self.answered.push(self.sent.swap_remove(place));
            }
        }
    }
}
