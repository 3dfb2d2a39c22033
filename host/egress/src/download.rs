//! The response body on its way in: counted, capped, timed, decoded; never silently short.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::decode::{Coding, Decoder};
use crate::exchange::Exchange;
use crate::lease::{Lease, Sender};
use crate::record::Record;
use crate::{Error, Limit, Result, headers, scrubbed, transport};

/// The body as the server sends it. Holds the connection until it has ended.
pub(crate) struct Wire {
    incoming: Incoming,
    lease: Option<Lease>,
    exchange: Arc<Exchange>,
    between_bytes: Duration,
    received: u64,
    ended: bool,
    since: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    timer_is_set: bool,
    trailers: Option<HeaderMap>,
}

impl Wire {
    pub(crate) fn new(
        incoming: Incoming,
        lease: Lease,
        exchange: Arc<Exchange>,
        between_bytes: Duration,
    ) -> Self {
        Self {
            incoming,
            lease: Some(lease),
            exchange,
            between_bytes,
            received: 0,
            ended: false,
            since: Instant::now(),
            timer: None,
            timer_is_set: false,
            trailers: None,
        }
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// The server has sent all it wanted to send.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            match Pin::new(&mut self.incoming).poll_frame(context) {
                Poll::Ready(None) => {
                    self.ended = true;
                    // A connection that we have cut looks to the transport like one that has come to its end.
                    if let Some(cut) = self.cut() {
                        return Poll::Ready(Some(Err(cut)));
                    }
                    self.release();
                    // An answer that came before the upload was cut is no success of the whole.
                    return Poll::Ready(self.exchange.take_upload_failure().map(Err));
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(transport::in_body(error, self.received, &self.exchange))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    self.timer_is_set = false;
                    match frame.into_data() {
                        Ok(data) => return Poll::Ready(Some(self.count(data))),
                        Err(frame) => self.keep_trailers(frame)?,
                    }
                }
                Poll::Pending => return self.poll_silence(context).map(|error| Some(Err(error))),
            }
        }
    }

    /// Why the connection was cut, where it was: also for the sake of another request that went over it.
    fn cut(&self) -> Option<Error> {
        let lost = || Error::BodyEndedEarly {
            received: self.received,
            source: io::Error::from(io::ErrorKind::ConnectionAborted),
        };
        let is_lost = self.lease.as_ref().is_some_and(Lease::is_cut);
        self.exchange.passage.ended().or_else(|| is_lost.then(lost))
    }

    fn count(&mut self, data: Bytes) -> Result<Bytes> {
        let caps = &self.exchange.shared.caps;
        self.received += data.len() as u64;
        if self.received > caps.response_body_bytes {
            return Err(Error::Limit { limit: Limit::ResponseBodyBytes, allowed: caps.response_body_bytes });
        }
        self.exchange.shared.totals.add_in_wire(data.len() as u64, caps)?;
        Ok(data)
    }

    fn keep_trailers(&mut self, frame: Frame<Bytes>) -> Result<()> {
        if let Ok(trailers) = frame.into_trailers() {
            headers::check_size(
                &trailers,
                self.exchange.shared.caps.response_head_bytes,
                Limit::ResponseHeadBytes,
            )?;
            self.trailers = Some(trailers);
        }
        Ok(())
    }

    /// Ready with the error when nothing has moved for too long. The timer is made only for bodies that wait.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        if !self.timer_is_set {
            self.since = Instant::now();
        }
        loop {
            let at = self.exchange.quiet_at(self.since, self.between_bytes).min(self.exchange.end);
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
            if !self.timer_is_set {
                timer.as_mut().reset(at);
                self.timer_is_set = true;
            }
            ready!(timer.as_mut().poll(context));
            let checked =
                self.exchange.check_silence(self.since, self.between_bytes, Limit::BetweenBytesTimeout);
            if let Err(error) = checked {
                return Poll::Ready(error);
            }
            let at = self.exchange.quiet_at(self.since, self.between_bytes).min(self.exchange.end);
            timer.as_mut().reset(at);
        }
    }

    /// Gives the connection back for the next request, if it is fit for one.
    fn release(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        // An answered request whose upload still runs would hold up the next one.
        if matches!(lease.sender, Sender::One(_)) && self.exchange.is_upload_sent() {
            self.exchange.shared.pool.keep(lease);
        }
    }
}

impl Stream for Wire {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_data(context).map_err(io::Error::other)
    }
}

/// The body as the guest reads it.
pub(crate) struct Download {
    content: Content,
    decoded: u64,
    /// Blanks the secrets of the connection, where it has any.
    scrubbed: Option<scrub::Stream>,
    /// What is still to be handed over when all has come.
    last: Last,
    exchange: Arc<Exchange>,
    record: Option<Record>,
}

#[derive(Default)]
struct Last {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the body is boxed whole; a second box would cost each request one more"
)]
enum Content {
    Plain(Wire),
    Coded(Box<Decoder>),
    Ended,
}

impl Download {
    pub(crate) fn new(wire: Wire, coding: Option<Coding>, record: Record) -> Self {
        let exchange = Arc::clone(&wire.exchange);
        let scrubbed =
            exchange.shared.broker.as_ref().map(|broker| broker.watch().stream(scrub::Place::Body));
        let mut download = Self {
            content: Content::Ended,
            decoded: 0,
            scrubbed,
            last: Last::default(),
            exchange,
            record: Some(record),
        };
        download.content = match coding {
            Some(coding) => Content::Coded(Box::new(Decoder::new(coding, wire))),
            None => Content::Plain(wire),
        };
        download.finish_if_over();
        download
    }

    fn count(&mut self, data: Bytes) -> Result<Bytes> {
        let caps = &self.exchange.shared.caps;
        self.decoded += data.len() as u64;
        if self.decoded > caps.response_body_bytes {
            return Err(Error::Limit { limit: Limit::ResponseBodyBytes, allowed: caps.response_body_bytes });
        }
        self.exchange.shared.totals.add_in(data.len() as u64, caps)?;
        Ok(data)
    }

    /// The length is known to be reached: do not wait for the guest to ask for an end that it may never ask for.
    fn finish_if_over(&mut self) {
        if self.is_over()
            && let Content::Plain(wire) = &mut self.content
        {
            wire.release();
            self.complete();
        }
    }

    fn is_over(&self) -> bool {
        matches!(&self.content, Content::Plain(wire) if wire.incoming.is_end_stream())
    }

    fn wire(&mut self) -> Option<&mut Wire> {
        match &mut self.content {
            Content::Plain(wire) => Some(wire),
            Content::Coded(decoder) => decoder.wire(),
            Content::Ended => None,
        }
    }

    /// What may be handed over of a part that has come.
    fn scrub(&mut self, data: Bytes) -> Bytes {
        let is_last = self.is_over();
        match &mut self.scrubbed {
            Some(scrubbed) if is_last => scrubbed.last(data),
            Some(scrubbed) => scrubbed.push(data),
            None => data,
        }
    }

    /// All has come: what was held back is handed over next, then the trailers.
    fn complete(&mut self) {
        let mut trailers = self.wire().and_then(|wire| wire.trailers.take());
        if let (Some(broker), Some(trailers)) = (&self.exchange.shared.broker, &mut trailers) {
            scrubbed::headers(broker.watch(), trailers);
        }
        let data = self.scrubbed.take().map(|mut scrubbed| scrubbed.finish()).filter(|data| !data.is_empty());
        self.last = Last { data, trailers };
        self.finish(None);
    }

    /// Writes the ledger and lets go of the connection.
    fn finish(&mut self, error: Option<&Error>) {
        let received = self.wire().map_or(0, |wire| wire.received);
        if let Some(mut record) = self.record.take() {
            record.received(received, self.decoded);
            match error {
                Some(error) => record.fail(error),
                None => record.complete(),
            }
        }
        self.content = Content::Ended;
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        loop {
            let next = match &mut this.content {
                Content::Plain(wire) => ready!(wire.poll_data(context)),
                Content::Coded(decoder) => ready!(decoder.poll_part(context)),
                Content::Ended => return Poll::Ready(this.last.next().map(Ok)),
            };
            match next.map(|data| data.and_then(|data| this.count(data))) {
                Some(Ok(data)) => {
                    let data = this.scrub(data);
                    this.finish_if_over();
                    if !data.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Some(Err(error)) => {
                    this.finish(Some(&error));
                    return Poll::Ready(Some(Err(error)));
                }
                None => this.complete(),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Ended) && self.last.data.is_none() && self.last.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.scrubbed.as_ref().map_or(0, scrub::Stream::held_bytes) as u64;
        match &self.content {
            Content::Plain(wire) => more(&wire.incoming.size_hint(), held),
            Content::Coded(_) => SizeHint::default(),
            Content::Ended => SizeHint::with_exact(self.last.data.as_ref().map_or(0, Bytes::len) as u64),
        }
    }
}

impl Last {
    fn next(&mut self) -> Option<Frame<Bytes>> {
        self.data.take().map(Frame::data).or_else(|| self.trailers.take().map(Frame::trailers))
    }
}

/// What is still on the wire, and what was held back of what has come.
fn more(on_the_wire: &SizeHint, held: u64) -> SizeHint {
    let mut hint = SizeHint::new();
    if let Some(upper) = on_the_wire.upper() {
        hint.set_upper(upper.saturating_add(held));
    }
    hint.set_lower(on_the_wire.lower().saturating_add(held));
    hint
}

impl Drop for Download {
    fn drop(&mut self) {
        // The guest stopped reading: what it has read so far is told, the outcome stays `Abandoned`.
        let received = self.wire().map_or(0, |wire| wire.received);
        if let Some(record) = &mut self.record {
            record.received(received, self.decoded);
        }
    }
}
