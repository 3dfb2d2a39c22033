//! Requests of a worker's guests: made here, where credentials are placed and addresses judged, and handed over piece by piece.

use bytes::Bytes;
use egress::{Body, SlowDown, Timeouts};
use http::{Method, Request, Uri};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::link::Shared;
use super::served::Served;
use crate::body::{Errors, Pulled, header_map, headers, next_piece};
use crate::frame::Broken;
use crate::message::{Asked, Head, Piece, Refusal, ToWorker};

/// Under way at one time for one worker: a few connections, each with as many as any limit allows (256), and those that wait
/// for their turn.
const OPEN_MAX: usize = 4_096;

/// A request that was begun and not done with.
pub(super) struct Open {
    task: AbortHandle,
    pieces: mpsc::Sender<Piece>,
    pulls: mpsc::Sender<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn protocol(what: String) -> Broken {
    Broken::Protocol(what)
}

/// A guest asks. Numbers rise, so that none is used twice.
pub(super) fn begin(
    shared: &Arc<Shared>,
    served: &Arc<Served>,
    number: u64,
    head: Asked,
) -> Result<(), Broken> {
    let mut state = shared.state();
    if number <= state.last_request {
        return Err(protocol(format!("it began request {number} after {}", state.last_request)));
    }
    if state.requests.len() >= OPEN_MAX {
        return Err(protocol(format!("it began more than {OPEN_MAX} requests at one time")));
    }
    state.last_request = number;
    let (pieces, coming) = mpsc::channel(1);
    let (pulls, pulled) = mpsc::channel(1);
    let request = asked(shared, number, head, coming)?;
    let (shared, served) = (Arc::clone(shared), Arc::clone(served));
    let task = tokio::spawn(async move { serve(&shared, &served, number, request, pulled).await });
    state.requests.insert(number, Open { task: task.abort_handle(), pieces, pulls });
    Ok(())
}

/// A piece of its body, after it was asked for.
pub(super) fn piece(shared: &Shared, number: u64, piece: Piece) -> Result<(), Broken> {
    let pieces = open(shared, number, |open| open.pieces.clone())?;
    match pieces.try_send(piece) {
        // Nobody wants it any more.
        Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        Err(mpsc::error::TrySendError::Full(_)) => {
            Err(protocol(format!("it sent more of the body of request {number} than was asked for")))
        }
    }
}

/// The next piece of the answer's body.
pub(super) fn pull(shared: &Shared, number: u64) -> Result<(), Broken> {
    let pulls = open(shared, number, |open| open.pulls.clone())?;
    match pulls.try_send(()) {
        Ok(()) | Err(mpsc::error::TrySendError::Closed(())) => Ok(()),
        Err(mpsc::error::TrySendError::Full(())) => Err(protocol(format!(
            "it asked for more of the answer to request {number} before it had what it asked for"
        ))),
    }
}

/// Nothing more of it is wanted.
pub(super) fn done(shared: &Shared, number: u64) -> Result<(), Broken> {
    let open = shared.state().requests.remove(&number);
    open.map(drop).ok_or_else(|| protocol(format!("it ended request {number}, which it does not have")))
}

fn open<T>(shared: &Shared, number: u64, of: impl FnOnce(&Open) -> T) -> Result<T, Broken> {
    let state = shared.state();
    let open = state.requests.get(&number).map(of);
    open.ok_or_else(|| protocol(format!("it spoke of request {number}, which it does not have")))
}

/// What is no request cannot come from the engine, which has judged it.
fn asked(
    shared: &Arc<Shared>,
    number: u64,
    head: Asked,
    coming: mpsc::Receiver<Piece>,
) -> Result<Request<Body>, Broken> {
    let wrong = |what: &str| protocol(format!("the {what} of request {number} is none"));
    let method = Method::from_bytes(head.method.as_bytes()).map_err(|_| wrong("method"))?;
    let uri: Uri = head.uri.parse().map_err(|_| wrong("address"))?;
    let (pulling, dropping) = (Arc::clone(shared), Dropped { number, shared: Arc::clone(shared) });
    let pull = move || pulling.send(&ToWorker::Pull { request: number });
    let failed = |refusal: Refusal| egress::Error::RequestBody { problem: refusal.into_text() };
    let lost = || egress::Error::RequestBody { problem: "the connector is gone".into() };
    let body = Pulled::new(coming, head.length, pull, dropping, Errors { failed, lost });
    let mut request = Request::new(body.boxed_unsync());
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    *request.headers_mut() = header_map(head.headers);
    let [connect, first_byte, between_bytes] = head.timeouts_ms.map(|ms| ms.map(Duration::from_millis));
    request.extensions_mut().insert(Timeouts { connect, first_byte, between_bytes });
    Ok(request)
}

/// Tells the worker that no more of a request's body is wanted.
struct Dropped {
    number: u64,
    shared: Arc<Shared>,
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.shared.send(&ToWorker::Dropped { request: self.number });
    }
}

async fn serve(
    shared: &Shared,
    served: &Served,
    request: u64,
    asked: Request<Body>,
    mut pulled: mpsc::Receiver<()>,
) {
    let answer = served.answer(asked).await;
    let (head, mut body) = match answer {
        Ok(response) => parted(response),
        Err(failure) => {
            served.refused(&failure);
            shared.send(&ToWorker::Answered { request, answer: Err(failure.into()) });
            return;
        }
    };
    shared.send(&ToWorker::Answered { request, answer: Ok(head) });
    let mut rest = Bytes::new();
    let mut watched = Watched { body: &mut body, served };
    while pulled.recv().await.is_some() {
        let piece = next_piece(&mut watched, &mut rest).await;
        let is_last = matches!(piece, Piece::End | Piece::Failed(_));
        shared.send(&ToWorker::Piece { request, piece });
        if is_last {
            break;
        }
    }
}

type Answered = UnsyncBoxBody<Bytes, cassette::Failure>;

fn parted(response: http::Response<Answered>) -> (Head, Answered) {
    let (parts, body) = response.into_parts();
    let ms = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let head = Head {
        status: parts.status.as_u16(),
        headers: headers(&parts.headers),
        length: http_body::Body::size_hint(&body).exact(),
        slow_down: parts.extensions.get::<SlowDown>().map(|said| said.retry_after.map(ms)),
    };
    (head, body)
}

/// A body whose failure is kept for the report before the worker hears of it.
struct Watched<'a> {
    body: &'a mut Answered,
    served: &'a Served,
}

impl http_body::Body for Watched<'_> {
    type Data = Bytes;
    type Error = cassette::Failure;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, cassette::Failure>>> {
        let polled = std::pin::Pin::new(&mut *self.body).poll_frame(context);
        if let std::task::Poll::Ready(Some(Err(failure))) = &polled {
            self.served.refused(failure);
        }
        polled
    }
}
