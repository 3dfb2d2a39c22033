//! A request body of which the first bytes are kept, so that the request can be signed whole and sent once more.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;
use ring::digest::{Context as Digest, SHA256};

use crate::{Body, Error, Result, body};

/// A body that several attempts read, one after the other.
pub(crate) struct Kept(Arc<Mutex<Source>>);

struct Source {
    rest: Body,
    parts: Vec<Bytes>,
    bytes: u64,
    bytes_max: u64,
    ended: bool,
    /// The start was let go: too much of the body has come.
    is_over: bool,
    /// The attempt that reads; an earlier one reads nothing more.
    attempt: u32,
}

impl Kept {
    pub(crate) fn new(rest: Body, bytes_max: u64) -> Self {
        let (parts, ended) = (Vec::new(), rest.is_end_stream());
        Self(Arc::new(Mutex::new(Source {
            rest,
            parts,
            bytes: 0,
            bytes_max,
            ended,
            is_over: false,
            attempt: 0,
        })))
    }

    /// The body from its start; none when its start is no longer there.
    pub(crate) fn again(&self) -> Option<Body> {
        let mut source = lock(&self.0);
        if source.is_over {
            return None;
        }
        source.attempt += 1;
        let attempt = Attempt { source: Arc::clone(&self.0), number: source.attempt, next: 0 };
        Some(attempt.boxed_unsync())
    }

    /// Is the start of the body gone?
    pub(crate) fn is_over(&self) -> bool {
        lock(&self.0).is_over
    }

    /// Reads the whole body, if it is small enough to be kept.
    pub(crate) async fn fill(&self) -> Result<Option<Whole>> {
        loop {
            let part = futures::future::poll_fn(|context| lock(&self.0).poll_part(context)).await;
            let source = lock(&self.0);
            match part {
                Some(Err(error)) => return Err(error),
                Some(Ok(_)) if source.is_over => return Ok(None),
                Some(Ok(_)) => {}
                None => return Ok(Some(Whole { parts: source.parts.clone() })),
            }
        }
    }
}

/// All of a body.
pub(crate) struct Whole {
    pub(crate) parts: Vec<Bytes>,
}

impl Whole {
    pub(crate) fn sha256_hex(&self) -> String {
        let mut digest = Digest::new(&SHA256);
        self.parts.iter().for_each(|part| digest.update(part));
        hex(digest.finish().as_ref())
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Source {
    /// The next part, which is kept where there is room for it.
    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut self.rest).poll_frame(context)) {
                None => self.ended = true,
                Some(Err(error)) => {
                    self.rest = body::empty();
                    self.is_over = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(frame)) => {
                    // Trailers are sent by nobody.
                    if let Ok(data) = frame.into_data() {
                        self.keep(&data);
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }

    fn keep(&mut self, data: &Bytes) {
        self.bytes = self.bytes.saturating_add(data.len() as u64);
        if self.bytes > self.bytes_max {
            self.is_over = true;
        } else {
            self.parts.push(data.clone());
        }
    }
}

fn lock(source: &Mutex<Source>) -> MutexGuard<'_, Source> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One reading of the body.
struct Attempt {
    source: Arc<Mutex<Source>>,
    number: u32,
    next: usize,
}

impl HttpBody for Attempt {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let mut source = lock(&this.source);
        if source.attempt != this.number {
            let problem = "it is being sent anew".to_owned();
            return Poll::Ready(Some(Err(Error::RequestBody { problem })));
        }
        if let Some(part) = source.parts.get(this.next) {
            this.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(part.clone()))));
        }
        let part = ready!(source.poll_part(context));
        this.next = source.parts.len();
        if source.is_over {
            // Nobody can begin anew, and what this reading still wanted of the start it has had.
            source.parts = Vec::new();
        }
        Poll::Ready(part.map(|part| part.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        let source = lock(&self.source);
        source.ended && self.next >= source.parts.len()
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
