//! Several requests at a time, without threads or futures.

use std::iter::{Enumerate, Fuse};

use wasip2::io::poll::poll;

use super::{Request, Response, wire::Sent};
use crate::Result;

/// Answers as they arrive, each with the place of its request.
pub struct InFlight<I: Iterator<Item = Request>> {
    requests: Enumerate<Fuse<I>>,
    sent: Vec<(usize, Sent)>,
    most: usize,
}

impl<I: Iterator<Item = Request>> InFlight<I> {
    pub(super) fn new(requests: I, most: usize) -> Self {
        Self { requests: requests.fuse().enumerate(), sent: Vec::new(), most: most.max(1) }
    }
}

impl<I: Iterator<Item = Request>> Iterator for InFlight<I> {
    type Item = (usize, Result<Response>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.sent.len() < self.most
            && let Some((index, request)) = self.requests.next()
        {
            match Sent::new(request) {
                Ok(sent) => self.sent.push((index, sent)),
                Err(error) => return Some((index, Err(error))),
            }
        }
        if self.sent.is_empty() {
            return None;
        }
        let ready = poll(&self.sent.iter().map(|(_, sent)| sent.ready()).collect::<Vec<_>>());
        let first = ready.first().and_then(|place| usize::try_from(*place).ok()).unwrap_or_default();
        let (index, sent) = self.sent.swap_remove(first);
        Some((index, sent.wait()))
    }
}
