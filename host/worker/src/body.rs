//! Bodies that cross the socket: a piece comes when it was pulled, so that nothing piles up on either side.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use serde_bytes::ByteBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

use crate::frame::PART_BYTES;
use crate::message::{Headers, Piece, Refusal};

/// How a body of this side fails.
pub(crate) struct Errors<E> {
    /// As the other side says.
    pub(crate) failed: fn(Refusal) -> E,
    /// With the other side.
    pub(crate) lost: fn() -> E,
}

/// A body whose pieces come from the other side.
pub(crate) struct Pulled<E> {
    /// Asks for the next piece.
    pull: Box<dyn Fn() + Send>,
    pieces: mpsc::Receiver<Piece>,
    left: Option<u64>,
    is_pulled: bool,
    is_ended: bool,
    failed: fn(Refusal) -> E,
    lost: fn() -> E,
    /// Tells the other side when it is dropped.
    _dropped: Box<dyn Send>,
}

impl<E> Pulled<E> {
    pub(crate) fn new(
        pieces: mpsc::Receiver<Piece>,
        length: Option<u64>,
        pull: impl Fn() + Send + 'static,
        dropped: impl Send + 'static,
        Errors { failed, lost }: Errors<E>,
    ) -> Self {
        let (pull, dropped) = (Box::new(pull), Box::new(dropped));
        let is_ended = length == Some(0);
        Self { pull, pieces, left: length, is_pulled: false, is_ended, failed, lost, _dropped: dropped }
    }

    fn heard(&mut self, piece: Option<Piece>) -> Option<Result<Frame<Bytes>, E>> {
        match piece {
            Some(Piece::Data(data)) => {
                let data = Bytes::from(data.into_vec());
                self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                Some(Ok(Frame::data(data)))
            }
            Some(Piece::Trailers(trailers)) => Some(Ok(Frame::trailers(header_map(trailers)))),
            Some(Piece::End) => {
                self.is_ended = true;
                None
            }
            Some(Piece::Failed(refusal)) => {
                self.is_ended = true;
                Some(Err((self.failed)(refusal)))
            }
            None => {
                self.is_ended = true;
                Some(Err((self.lost)()))
            }
        }
    }
}

impl<E> Body for Pulled<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        if !std::mem::replace(&mut self.is_pulled, true) {
            (self.pull)();
        }
        let piece = std::task::ready!(self.pieces.poll_recv(context));
        self.is_pulled = false;
        Poll::Ready(self.heard(piece))
    }

    fn is_end_stream(&self) -> bool {
        self.is_ended
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The next piece of a body, no longer than a part; what is left of its last frame is in `rest`.
pub(crate) async fn next_piece<B>(body: &mut B, rest: &mut Bytes) -> Piece
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Refused>,
{
    loop {
        if !rest.is_empty() {
            let part = rest.split_to(rest.len().min(PART_BYTES));
            return Piece::Data(ByteBuf::from(Vec::from(part)));
        }
        match body.frame().await {
            None => return Piece::End,
            Some(Err(error)) => return Piece::Failed(error.into().0),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => *rest = data,
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    return Piece::Trailers(headers(&trailers));
                }
            },
        }
    }
}

/// Why a body failed, as the other side is told.
pub(crate) struct Refused(pub(crate) Refusal);

impl From<cassette::Failure> for Refused {
    fn from(failure: cassette::Failure) -> Self {
        Self(failure.into())
    }
}

/// A guest's body: how it failed is the guest's to know.
impl From<egress::Error> for Refused {
    fn from(error: egress::Error) -> Self {
        let problem = match error {
            egress::Error::RequestBody { problem } => problem,
            other => other.to_string(),
        };
        Self(Refusal::of_guest(problem))
    }
}

pub(crate) fn headers(map: &HeaderMap) -> Headers {
    let one = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), ByteBuf::from(value.as_bytes()))
    };
    map.iter().map(one).collect()
}

/// What is no header is left out; the parent's judge sees what is left.
pub(crate) fn header_map(headers: Headers) -> HeaderMap {
    let one = |(name, value): (String, ByteBuf)| {
        let value = HeaderValue::from_bytes(&value).ok()?;
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    headers.into_iter().filter_map(one).collect()
}
