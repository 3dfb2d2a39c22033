//! One exchange while it passes. What is known of it is written when the last of those who pass it on has let go of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::body::Spool;
use crate::error::Error;
use crate::files;
use crate::format::{Exchange, Failure, Headers, Request, Response, SlowDown};
use crate::record::Recording;

/// An exchange that is being recorded. Its calls write to a disk, and fail never: what cannot be kept ends the recording, of
/// which [`Recording::fault`] tells.
pub struct Open {
    tape: Arc<Recording>,
    number: u32,
    kept: Mutex<Kept>,
}

struct Kept {
    exchange: Exchange,
    request: Spool,
    response: Spool,
}

impl Open {
    pub(crate) fn new(tape: Arc<Recording>, number: u32, method: &str, url: &str, headers: Headers) -> Self {
        let (method, url) = (method.to_owned(), url.to_owned());
        let request = Request { method, url, headers, ..Request::default() };
        let spool = |side: &str| Spool::new(tape.folder.join(format!("{number:04}.{side}")));
        let kept = Kept {
            request: spool("request"),
            response: spool("response"),
            exchange: Exchange { request, ..Exchange::default() },
        };
        Self { tape, number, kept: Mutex::new(kept) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part of the request's body.
    pub fn request_part(&self, part: &[u8]) {
        let written = self.kept().request.write(part);
        self.tape.note(written);
    }

    /// The request's body has come to its end, before which these trailers stood.
    pub fn request_ended(&self, trailers: Headers) {
        let mut kept = self.kept();
        kept.request.ended = true;
        if !trailers.is_empty() {
            kept.exchange.request.trailers = trailers;
        }
    }

    /// The head of the response.
    pub fn response(&self, status: u16, headers: Headers, slow_down: Option<SlowDown>) {
        self.kept().exchange.response = Some(Response { status, headers, slow_down, ..Response::default() });
    }

    /// A part of the response's body.
    pub fn response_part(&self, part: &[u8]) {
        let written = self.kept().response.write(part);
        self.tape.note(written);
    }

    /// The response's body has come to its end, before which these trailers stood.
    pub fn response_ended(&self, trailers: Headers) {
        let mut kept = self.kept();
        kept.response.ended = true;
        if let Some(response) = kept.exchange.response.as_mut().filter(|_| !trailers.is_empty()) {
            response.trailers = trailers;
        }
    }

    /// It failed, before there was a response or in the middle of its body.
    pub fn failed(&self, failure: Failure) {
        self.kept().exchange.failure = Some(failure);
    }

    fn write(&self) -> Result<(), Error> {
        let mut kept = self.kept();
        let taken = |spool: &mut Spool| std::mem::replace(spool, Spool::new(PathBuf::new()));
        let (request, response) = (taken(&mut kept.request), taken(&mut kept.response));
        let mut exchange = std::mem::take(&mut kept.exchange);
        exchange.request.body = request.finish()?;
        let body = response.finish()?;
        if let Some(response) = &mut exchange.response {
            response.body = body;
        }
        files::write_document(&self.tape.folder.join(files::exchange(self.number)), &exchange)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let written = self.write();
        self.tape.note(written);
    }
}
