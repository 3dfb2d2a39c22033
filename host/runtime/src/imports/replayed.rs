//! Requests of a run that is replayed: answered from the recording, over no way out, and bounded by the limits that hold for it.

use super::http::Answer;
use super::recorded::kept;
use super::told;
use crate::meter::Meter;
use bytes::Bytes;
use cassette::{Asked, Error, Failure, Headers, Played, Playing, Recorded, Seen, Told};
use egress::{Body, Limit, SlowDown, Usage};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// What one connector used in a replay: nothing of it went over a way out that could count it.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    requests: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
}

impl Replayed {
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            requests: self.requests.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            ..Usage::default()
        }
    }
}

/// Adds, and fails where it is more than allowed.
fn count(counter: &AtomicU64, more: u64, allowed: u64, limit: Limit) -> Result<(), egress::Error> {
    let total = counter.fetch_add(more, Ordering::Relaxed).saturating_add(more);
    if total > allowed { Err(egress::Error::Limit { limit, allowed }) } else { Ok(()) }
}

/// The body is read to its end before the request is looked for: it is part of what is looked for.
pub(super) async fn answer(tape: Arc<Played>, request: Request<Body>, meter: Arc<Meter>) -> Answer {
    let (parts, body) = request.into_parts();
    let read = match count(&meter.replayed.requests, 1, meter.limits.requests, Limit::Requests) {
        Ok(()) => seen(body, &meter).await,
        Err(error) => Err(error),
    };
    let (body, trailers) = read.map_err(|error| told::failure(&error, &meter.secrets))?;
    let (method, url) = (parts.method.as_str().to_owned(), parts.uri.to_string());
    let asked = Asked { method, url, headers: kept(&parts.headers), body, trailers };
    let Recorded { response, failure } = tape.answer(&asked).map_err(|error| off(&tape, error))?;
    match (response, failure) {
        (Some((head, body)), failure) => response_of(head, body, failure, &tape, meter),
        (None, Some(failure)) => Err(failure),
        // The guest did not wait for it to end in the recording.
        (None, None) => std::future::pending().await,
    }
}

/// The replay has left the recording: nothing that comes after it means anything.
fn off(tape: &Played, error: Error) -> Failure {
    let code = error.code().to_owned();
    tape.note(error);
    Failure { code, told: Told::Denied, text: None, denied: None, limit: None }
}

/// A body that its guest broke off is looked for as far as it came.
async fn seen(mut body: Body, meter: &Meter) -> Result<(Seen, Headers), egress::Error> {
    let (mut seen, mut trailers) = (Seen::new(), Headers::new());
    let limits = &meter.limits;
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(part) = frame.data_ref() {
            seen.add(part);
            count(&meter.replayed.bytes_out, part.len() as u64, limits.bytes_out, Limit::TotalBytesOut)?;
            if seen.bytes() > limits.request_bytes {
                return Err(egress::Error::Limit {
                    limit: Limit::RequestBodyBytes,
                    allowed: limits.request_bytes,
                });
            }
        } else if let Some(fields) = frame.trailers_ref() {
            trailers = kept(fields);
        }
    }
    Ok((seen, trailers))
}

fn response_of(
    head: cassette::Response,
    playing: Playing,
    failure: Option<Failure>,
    tape: &Arc<Played>,
    meter: Arc<Meter>,
) -> Answer {
    let trailers = (!head.trailers.is_empty()).then(|| fields(&head.trailers));
    let body = ReplayedBody { playing, trailers, failure, bytes: 0, tape: tape.clone(), meter };
    let mut response = Response::new(body.boxed_unsync());
    if let Ok(status) = http::StatusCode::from_u16(head.status) {
        *response.status_mut() = status;
    }
    if let Some(slow_down) = head.slow_down {
        let retry_after = slow_down.retry_after_ms.map(Duration::from_millis);
        response.extensions_mut().insert(SlowDown { status: head.status, retry_after });
    }
    *response.headers_mut() = fields(&head.headers);
    Ok(response)
}

/// What was edited into something that no header can be is left out.
fn fields(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.bytes()))
        else {
            continue;
        };
        map.append(name, value);
    }
    map
}

/// A recorded body in the parts in which it came.
struct ReplayedBody {
    playing: Playing,
    trailers: Option<HeaderMap>,
    failure: Option<Failure>,
    bytes: u64,
    tape: Arc<Played>,
    meter: Arc<Meter>,
}

impl ReplayedBody {
    fn part(&mut self) -> Result<Option<Bytes>, Failure> {
        let part = self.playing.part().map_err(|error| off(&self.tape, error))?;
        let Some(part) = part else { return Ok(None) };
        self.bytes += part.len() as u64;
        self.count(part.len() as u64).map_err(|error| told::failure(&error, &self.meter.secrets))?;
        Ok(Some(part.into()))
    }

    fn count(&self, more: u64) -> Result<(), egress::Error> {
        let limits = &self.meter.limits;
        count(&self.meter.replayed.bytes_in, more, limits.bytes_in, Limit::TotalBytesIn)?;
        if self.bytes > limits.response_bytes {
            return Err(egress::Error::Limit {
                limit: Limit::ResponseBodyBytes,
                allowed: limits.response_bytes,
            });
        }
        Ok(())
    }
}

impl http_body::Body for ReplayedBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match self.part() {
            Ok(Some(part)) => return Poll::Ready(Some(Ok(Frame::data(part)))),
            Ok(None) => {}
            Err(failure) => return Poll::Ready(Some(Err(failure))),
        }
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Some(Err(failure)));
        }
        if self.playing.cut {
            // The guest left here: nobody knows what would have come. If it stays this time, its limits end the wait.
            return Poll::Pending;
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }
}
