//! The way out of a worker: over the socket to the parent, which judges, places credentials and dials.

use async_trait::async_trait;
use cassette::Failure;
use egress::{Body, SlowDown, Timeouts, Usage};
use http::{Request, Response};
use http_body_util::BodyExt;
use runtime::{Answer, HttpOut};
use scrub::Watch;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::connections::{Outbox, lock};
use crate::body::{Errors, Pulled, header_map, headers, next_piece};
use crate::message::{Asked, Head, Piece, Refusal, ToParent};

/// Requests under way, by the numbers that this worker gave them.
pub(super) struct Requests {
    outbox: Outbox,
    /// Held while a request is sent: they leave in the order of their numbers, whichever threads they are of.
    last: Mutex<u64>,
    open: Mutex<HashMap<u64, Open>>,
}

struct Open {
    answer: Option<oneshot::Sender<Result<Head, Refusal>>>,
    pieces: mpsc::Sender<Piece>,
    pulls: mpsc::Sender<()>,
    sending: AbortHandle,
}

impl Requests {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self { outbox, last: Mutex::default(), open: Mutex::default() }
    }

    pub(super) fn answered(&self, request: u64, answer: Result<Head, Refusal>) {
        let waiting = lock(&self.open).get_mut(&request).and_then(|open| open.answer.take());
        if let Some(waiting) = waiting {
            // Whoever asked may be gone by now.
            let _ = waiting.send(answer);
        }
    }

    pub(super) fn piece(&self, request: u64, piece: Piece) {
        if let Some(open) = lock(&self.open).get(&request) {
            // One was pulled, so there is room.
            let _ = open.pieces.try_send(piece);
        }
    }

    pub(super) fn pull(&self, request: u64) {
        if let Some(open) = lock(&self.open).get(&request) {
            let _ = open.pulls.try_send(());
        }
    }

    /// The guest learns it as it does where the other system closes: what it writes fails.
    pub(super) fn dropped(&self, request: u64) {
        if let Some(open) = lock(&self.open).get(&request) {
            open.sending.abort();
        }
    }
}

/// Ends a request on both sides.
struct Ends {
    request: u64,
    requests: Arc<Requests>,
}

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(open) = lock(&self.requests.open).remove(&self.request) {
            open.sending.abort();
        }
        self.requests.outbox.send(&ToParent::Done { request: self.request });
    }
}

/// The way out of one connection.
pub(super) struct OverSocket {
    pub(super) connection: u32,
    pub(super) requests: Arc<Requests>,
}

/// What comes of a request that was sent.
struct Begun {
    ends: Ends,
    answered: oneshot::Receiver<Result<Head, Refusal>>,
    coming: mpsc::Receiver<Piece>,
}

impl OverSocket {
    fn begin(&self, request: Request<Body>) -> Result<Begun, Failure> {
        let (head, body) = request.into_parts();
        let (answer, answered) = oneshot::channel();
        let (pieces, coming) = mpsc::channel(1);
        let (pulls, pulled) = mpsc::channel(1);
        let (connection, length) = (self.connection, body.size_hint_exact());
        let (requests, head) = (Arc::clone(&self.requests), asked(&head, length));
        let mut last = lock(&requests.last);
        *last += 1;
        let request = *last;
        let sending = tokio::spawn(send(request, body, pulled, requests.outbox.clone())).abort_handle();
        lock(&requests.open).insert(request, Open { answer: Some(answer), pieces, pulls, sending });
        let is_sent = requests.outbox.send(&ToParent::Request { connection, request, head });
        drop(last);
        let ends = Ends { request, requests };
        if is_sent {
            Ok(Begun { ends, answered, coming })
        } else {
            Err(Refusal::of_guest("the head of the request is too long".into()).into())
        }
    }
}

#[async_trait]
impl HttpOut for OverSocket {
    /// Secrets are with the parent, which blanks them before anything comes here.
    async fn answer(&self, request: Request<Body>, _: &Watch) -> Answer {
        let Begun { ends, answered, coming } = self.begin(request)?;
        let number = ends.request;
        let head = answered.await.unwrap_or_else(|_| Err(Refusal::lost()))?;
        let (outbox, length) = (self.requests.outbox.clone(), head.length);
        let pull = move || {
            outbox.send(&ToParent::Pull { request: number });
        };
        let errors = Errors { failed: Failure::from, lost: || Refusal::lost().into() };
        let body = Pulled::new(coming, length, pull, ends, errors);
        Ok(response(head, body))
    }

    /// The parent counts what its connection used.
    fn usage(&self) -> Usage {
        Usage::default()
    }
}

fn asked(head: &http::request::Parts, length: Option<u64>) -> Asked {
    let allowed = head.extensions.get::<Timeouts>();
    let ms = |of: fn(&Timeouts) -> Option<Duration>| {
        let allowed = allowed.and_then(of)?;
        Some(u64::try_from(allowed.as_millis()).unwrap_or(u64::MAX))
    };
    Asked {
        method: head.method.as_str().to_owned(),
        uri: head.uri.to_string(),
        headers: headers(&head.headers),
        length,
        timeouts_ms: [ms(|one| one.connect), ms(|one| one.first_byte), ms(|one| one.between_bytes)],
    }
}

fn response(
    head: Head,
    body: Pulled<Failure>,
) -> Response<http_body_util::combinators::UnsyncBoxBody<bytes::Bytes, Failure>> {
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = http::StatusCode::from_u16(head.status).unwrap_or_default();
    *response.headers_mut() = header_map(head.headers);
    if let Some(retry_after_ms) = head.slow_down {
        let retry_after = retry_after_ms.map(Duration::from_millis);
        response.extensions_mut().insert(SlowDown { status: head.status, retry_after });
    }
    response
}

/// Sends a body, piece by piece as the parent pulls.
async fn send(request: u64, mut body: Body, mut pulled: mpsc::Receiver<()>, outbox: Outbox) {
    let mut rest = bytes::Bytes::new();
    while pulled.recv().await.is_some() {
        let piece = next_piece(&mut body, &mut rest).await;
        let is_last = matches!(piece, Piece::End | Piece::Failed(_));
        outbox.send(&ToParent::Piece { request, piece });
        if is_last {
            break;
        }
    }
}

trait ExactLength {
    fn size_hint_exact(&self) -> Option<u64>;
}

impl ExactLength for Body {
    fn size_hint_exact(&self) -> Option<u64> {
        http_body::Body::size_hint(self).exact()
    }
}

#[cfg(test)]
mod tests {
    use super::{Outbox, OverSocket, Requests};
    use crate::frame::decoded;
    use crate::message::ToParent;
    use http::Request;
    use std::sync::Arc;
    use tokio::runtime::Handle;
    use tokio::sync::mpsc;

    const THREADS: usize = 8;
    const REQUESTS_EACH: usize = 500;

    #[tokio::test]
    async fn requests_of_many_threads_leave_in_the_order_of_their_numbers() {
        let (frames, mut left) = mpsc::unbounded_channel();
        let requests = Arc::new(Requests::new(Outbox::new(frames)));
        let tokio = Handle::current();
        std::thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    let _entered = tokio.enter();
                    let way_out = OverSocket { connection: 1, requests: Arc::clone(&requests) };
                    for _ in 0..REQUESTS_EACH {
                        way_out.begin(Request::new(egress::empty())).unwrap();
                    }
                });
            }
        });
        let mut numbers = Vec::new();
        while let Ok(frame) = left.try_recv() {
            if let ToParent::Request { request, .. } = decoded(&frame[4..]).unwrap() {
                numbers.push(request);
            }
        }
        let all = u64::try_from(THREADS * REQUESTS_EACH).unwrap();
        assert!(numbers.iter().copied().eq(1..=all), "{numbers:?}");
    }
}
