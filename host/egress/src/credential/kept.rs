//! A request body of which the first bytes are kept, so that the request can be signed whole and sent once more.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;
use ring::digest::{Context as Digest, SHA256};

use super::room::Room;
use crate::{Body, Error, Limit, Result, body};

/// Smaller parts are put together up to so many bytes: kept each for itself, those of a guest that writes byte by byte
/// would take a hundred times the memory of what it wrote, and empty ones without end would take all of it.
const PART_BYTES: usize = 16 << 10;

/// A body that several attempts read, one after the other.
pub(crate) struct Kept(Arc<Mutex<Source>>);

struct Source {
    rest: Body,
    parts: Vec<Bytes>,
    /// The part that is put together now. It comes after all others.
    open: BytesMut,
    bytes: u64,
    bytes_max: u64,
    /// What all bodies of the client may take, and what this one has taken of it.
    room: Arc<Room>,
    taken: u64,
    ended: bool,
    /// The start was let go: more of the body has come than this limit lets be kept.
    over: Option<Limit>,
    /// The attempt that reads; an earlier one reads nothing more.
    attempt: u32,
}

impl Kept {
    pub(crate) fn new(rest: Body, bytes_max: u64, room: Arc<Room>) -> Self {
        let (parts, ended) = (Vec::new(), rest.is_end_stream());
        Self(Arc::new(Mutex::new(Source {
            rest,
            parts,
            open: BytesMut::new(),
            bytes: 0,
            bytes_max,
            room,
            taken: 0,
            ended,
            over: None,
            attempt: 0,
        })))
    }

    /// The body from its start; the limit for whose sake its start is no longer there.
    pub(crate) fn again(&self) -> Result<Body, Limit> {
        let mut source = lock(&self.0);
        if let Some(over) = source.over {
            return Err(over);
        }
        source.attempt += 1;
        let attempt = Attempt { source: Arc::clone(&self.0), number: source.attempt, next: Next::default() };
        Ok(attempt.boxed_unsync())
    }

    /// For the sake of which limit is the start of the body gone?
    pub(crate) fn over(&self) -> Option<Limit> {
        lock(&self.0).over
    }

    /// Reads the whole body, or says by which limit it cannot be kept.
    pub(crate) async fn fill(&self) -> Result<Result<Whole, Limit>> {
        loop {
            let part = futures::future::poll_fn(|context| lock(&self.0).poll_part(context)).await;
            let mut source = lock(&self.0);
            match part {
                Some(Err(error)) => return Err(error),
                Some(Ok(_)) => {
                    if let Some(over) = source.over {
                        source.let_go();
                        return Ok(Err(over));
                    }
                }
                None => {
                    source.close();
                    return Ok(Ok(Whole { parts: source.parts.clone() }));
                }
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
                    self.over = Some(Limit::KeptBodyBytes);
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
        if self.over.is_some() {
            return;
        }
        if self.bytes > self.bytes_max {
            self.over = Some(Limit::KeptBodyBytes);
            return;
        }
        if let Err(limit) = self.room.take(data.len() as u64) {
            self.over = Some(limit);
            return;
        }
        self.taken += data.len() as u64;
        if data.len() >= PART_BYTES {
            self.close();
            self.parts.push(data.clone());
        } else {
            self.open.extend_from_slice(data);
            if self.open.len() >= PART_BYTES {
                self.close();
            }
        }
    }

    /// Nobody can begin anew.
    fn let_go(&mut self) {
        (self.parts, self.open) = (Vec::new(), BytesMut::new());
        self.room.give_back(std::mem::take(&mut self.taken));
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.parts.push(self.open.split().freeze());
        }
    }

    /// What is kept from there on, up to the end of a part.
    fn kept(&self, next: &mut Next) -> Option<Bytes> {
        while let Some(part) = self.parts.get(next.part) {
            let rest = part.slice(next.byte.min(part.len())..);
            *next = Next { part: next.part + 1, byte: 0 };
            if !rest.is_empty() {
                return Some(rest);
            }
        }
        let rest = self.open.get(next.byte..).filter(|rest| !rest.is_empty())?;
        next.byte = self.open.len();
        Some(Bytes::copy_from_slice(rest))
    }

    /// Behind everything that is kept.
    fn end(&self) -> Next {
        Next { part: self.parts.len(), byte: self.open.len() }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn lock(source: &Mutex<Source>) -> MutexGuard<'_, Source> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One reading of the body.
struct Attempt {
    source: Arc<Mutex<Source>>,
    number: u32,
    next: Next,
}

/// Up to where a reading has come in what is kept.
#[derive(Clone, Copy, Default)]
struct Next {
    part: usize,
    byte: usize,
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
        if let Some(part) = source.kept(&mut this.next) {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        let part = ready!(source.poll_part(context));
        if source.over.is_some() {
            // What this reading still wanted of the start it has had.
            source.let_go();
        }
        this.next = source.end();
        Poll::Ready(part.map(|part| part.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        let source = lock(&self.source);
        source.ended && source.kept(&mut { self.next }).is_none()
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
