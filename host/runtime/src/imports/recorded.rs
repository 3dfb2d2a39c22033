//! Requests of a run that is recorded: they go where they would go, and are kept while they pass. As the guest made them, which is
//! before credentials are placed, and as the guest sees the answers, which is after secrets were blanked.

use super::http::{Answer, HttpOut};
use bytes::Bytes;
use cassette::{Failure, Headers, Open, Recording, Value};
use egress::{Body, SlowDown};
use http::{HeaderMap, Request};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use scrub::Watch;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What is kept goes to a disk where it passes: an author waits for a recording, and nobody else does.
pub(super) async fn answer(
    out: &dyn HttpOut,
    tape: &Arc<Recording>,
    request: Request<Body>,
    secrets: Watch,
) -> Answer {
    let url = request.uri().to_string();
    let open = Arc::new(tape.exchange(request.method().as_str(), &url, kept(request.headers())));
    let request = request.map(|body| Kept::new(body, Side::Request, open.clone()).boxed_unsync());
    let response = match out.answer(request, &secrets).await {
        Ok(response) => response,
        Err(failure) => {
            open.failed(failure.clone());
            return Err(failure);
        }
    };
    let slow_down = response.extensions().get::<SlowDown>().map(|said| cassette::SlowDown {
        retry_after_ms: said.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    });
    open.response(response.status().as_u16(), kept(response.headers()), slow_down);
    Ok(response.map(|body| {
        let body = Kept::new(body, Side::Response, open.clone());
        let failing = move |failure: Failure| {
            open.failed(failure.clone());
            failure
        };
        body.map_err(failing).boxed_unsync()
    }))
}

/// Names and values in their order.
pub(super) fn kept(headers: &HeaderMap) -> Headers {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), Value::of(value.as_bytes()))).collect()
}

#[derive(Clone, Copy)]
enum Side {
    Request,
    Response,
}

/// A body that is kept while it passes.
struct Kept<E> {
    body: UnsyncBoxBody<Bytes, E>,
    side: Side,
    open: Arc<Open>,
}

impl<E> Kept<E> {
    fn new(body: UnsyncBoxBody<Bytes, E>, side: Side, open: Arc<Open>) -> Self {
        let kept = Self { body, side, open };
        kept.look_at_end(Headers::new());
        kept
    }

    fn passes(&self, frame: &Frame<Bytes>) {
        if let Some(part) = frame.data_ref() {
            match self.side {
                Side::Request => self.open.request_part(part),
                Side::Response => self.open.response_part(part),
            }
            self.look_at_end(Headers::new());
        } else if let Some(trailers) = frame.trailers_ref() {
            self.ended(kept(trailers));
        }
    }

    /// A body whose length is known is not asked again once it is whole.
    fn look_at_end(&self, trailers: Headers) {
        if self.body.is_end_stream() {
            self.ended(trailers);
        }
    }

    fn ended(&self, trailers: Headers) {
        match self.side {
            Side::Request => self.open.request_ended(trailers),
            Side::Response => self.open.response_ended(trailers),
        }
    }
}

impl<E> http_body::Body for Kept<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => self.passes(frame),
            Poll::Ready(None) => self.ended(Headers::new()),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
