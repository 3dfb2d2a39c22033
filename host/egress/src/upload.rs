//! The request body on its way out: counted, capped, exactly as long as declared, without trailers.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::exchange::Exchange;
use crate::{Body, Error, Limit, Result, body};

/// What is handed to the transport.
pub(crate) struct Upload {
    first: Option<Bytes>,
    body: Body,
    length: Option<u64>,
    exchange: Arc<Exchange>,
    ended: bool,
}

/// Tells the transport to stop; the reason waits in the exchange.
#[derive(Debug, thiserror::Error)]
#[error("request body failed")]
pub(crate) struct Stopped;

impl Upload {
    /// Refuses at once what is known to be too long.
    pub(crate) fn new(mut body: Body, length: Option<u64>, exchange: Arc<Exchange>) -> Result<Self> {
        let allowed = exchange.shared.caps.request_body_bytes;
        if length.is_some_and(|length| length > allowed) {
            return Err(Error::Limit { limit: Limit::RequestBodyBytes, allowed });
        }
        let ended = length == Some(0);
        if ended {
            hear_out(mem::replace(&mut body, body::empty()), 0)?;
            exchange.upload_sent();
        }
        Ok(Self { first: None, body, length, exchange, ended })
    }

    /// The same request's empty body for a second attempt.
    pub(crate) fn empty(exchange: Arc<Exchange>) -> Self {
        Self { first: None, body: body::empty(), length: Some(0), exchange, ended: true }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ended && self.length == Some(0)
    }

    pub(crate) fn has_length(&self) -> bool {
        self.length.is_some()
    }

    /// Waits for the first part of a body of unknown length: where there is none, the length is now known.
    pub(crate) async fn peek(&mut self) -> Result<()> {
        while !self.ended && self.length.is_none() && self.first.is_none() {
            match self.body.frame().await {
                Some(frame) => self.first = frame?.into_data().ok(),
                None => {
                    self.length = Some(0);
                    self.ended = true;
                    self.exchange.upload_sent();
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, data: &Bytes) -> Result<()> {
        let exchange = &self.exchange;
        let bytes = data.len() as u64;
        let caps = &exchange.shared.caps;
        let sent = exchange.add_out(bytes);
        if sent > caps.request_body_bytes {
            return Err(Error::Limit { limit: Limit::RequestBodyBytes, allowed: caps.request_body_bytes });
        }
        if let Some(length) = self.length.filter(|length| sent > *length) {
            return Err(too_long(length));
        }
        exchange.shared.totals.add_out(bytes, caps)
    }

    /// What was counted goes out. The transport stops asking at the declared length, so the end is noticed here.
    fn moved(&mut self) -> Result<()> {
        let sent = self.exchange.bytes_out();
        if self.length != Some(sent) {
            self.exchange.upload_moved();
            return Ok(());
        }
        hear_out(mem::replace(&mut self.body, body::empty()), sent)?;
        self.ended = true;
        self.exchange.upload_sent();
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let sent = self.exchange.bytes_out();
        match self.length {
            Some(length) if sent != length => Err(Error::RequestBody {
                problem: format!("ended after {sent} of its declared {length} bytes"),
            }),
            _ => {
                self.ended = true;
                self.exchange.upload_sent();
                Ok(())
            }
        }
    }

    fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        loop {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => {
                    self.exchange.upload_waits_for_caller();
                    return Poll::Pending;
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers could carry fields that may not be sent; they are dropped.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

fn too_long(declared: u64) -> Error {
    Error::RequestBody { problem: format!("longer than its declared {declared} bytes") }
}

/// A transport drops a body of which it has everything, and who made that body, and has yet to say that this was all, would take
/// that for a request that was given up. What is there already beyond the declared length is refused; what is said later is dropped
/// here: its maker is told, and the transport takes none.
fn hear_out(mut body: Body, length: u64) -> Result<()> {
    if body.is_end_stream() {
        return Ok(());
    }
    match body.frame().now_or_never() {
        Some(None | Some(Err(_))) => return Ok(()),
        Some(Some(Ok(more))) if more.data_ref().is_some_and(|data| !data.is_empty()) => {
            return Err(too_long(length));
        }
        Some(Some(Ok(_))) | None => {}
    }
    // It ends with its maker, or fails.
    tokio::spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
    Ok(())
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = Stopped;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Stopped>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let outcome = match std::task::ready!(this.poll_data(context)) {
            Some(Ok(data)) => this.count(&data).and_then(|()| this.moved()).map(|()| Some(data)),
            Some(Err(error)) => Err(error),
            None => this.end().map(|()| None),
        };
        Poll::Ready(match outcome {
            Ok(data) => data.map(|data| Ok(Frame::data(data))),
            Err(error) => {
                this.exchange.fail_upload(error);
                Some(Err(Stopped))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) => SizeHint::with_exact(length.saturating_sub(self.exchange.bytes_out())),
            None => SizeHint::default(),
        }
    }
}
