//! Bodies whose every byte is known from its place, so that large ones can be checked without being kept.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use egress::{Body, Error};
use http_body::Frame;
use http_body_util::BodyExt;

const PART_BYTES: usize = 64 << 10;
/// Prime, so that shifted parts do not look alike.
const PERIOD: u8 = 251;

/// A part, and one period more to begin it at any place.
static PATTERN: LazyLock<Bytes> =
    LazyLock::new(|| (0..PERIOD).cycle().take(PART_BYTES + usize::from(PERIOD)).collect::<Vec<u8>>().into());

/// The bytes from a place on.
fn at(place: u64, bytes: usize) -> Bytes {
    let shift = usize::try_from(place % u64::from(PERIOD)).unwrap();
    PATTERN.slice(shift..shift + bytes)
}

/// A body of that many bytes that is made while it is sent. Its length is not known to the client.
pub(crate) fn body(bytes: u64) -> Body {
    Made { place: 0, bytes }.boxed_unsync()
}

struct Made {
    place: u64,
    bytes: u64,
}

impl http_body::Body for Made {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let end = this.bytes.min(this.place + PART_BYTES as u64);
        if end == this.place {
            return Poll::Ready(None);
        }
        let part = at(this.place, usize::try_from(end - this.place).unwrap());
        this.place = end;
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}

/// Checks parts as they come.
#[derive(Default)]
pub(crate) struct Check {
    pub(crate) bytes: u64,
}

impl Check {
    pub(crate) fn part(&mut self, part: &[u8]) {
        for part in part.chunks(PART_BYTES) {
            assert!(at(self.bytes, part.len()) == part, "wrong bytes after {}", self.bytes);
            self.bytes += part.len() as u64;
        }
    }
}
