//! An upload and its echo at the same time: whatever is ready moves, and only when nothing is does the guest wait.

use cofferdam_sdk::{Error, Result};
use wasip2::{
    http::types::{FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody},
    io::{
        poll::{Pollable, poll},
        streams::{InputStream, OutputStream, StreamError},
    },
};

use crate::outgoing::{Sent, send};

const CHUNK_BYTES: u64 = 64 << 10;
/// Prime, so that shifted parts do not look alike.
const PERIOD: u64 = 251;

/// Send so many bytes and hold what comes back against them.
pub(crate) fn echo(base_url: &str, path: &str, bytes: u64) -> Result<()> {
    let Sent { body, future } = send("POST", base_url, path)?;
    let stream = body.write().map_err(|()| broken("no stream to write to"))?;
    let mut up = Some(Up { room: stream.subscribe(), stream, body, sent: 0, bytes });
    let answered = future.subscribe();
    let mut down: Option<Down> = None;
    let (mut sent, mut first) = (0, None);
    loop {
        if let Some(now) = up.take() {
            up = now.push()?;
            sent = up.as_ref().map_or(bytes, |up| up.sent);
        }
        match &mut down {
            None if answered.ready() => down = Some(Down::new(&future)?),
            None => {}
            Some(down) => {
                let open = down.pull()?;
                if down.received > 0 {
                    first.get_or_insert(sent);
                }
                if !open {
                    log::info!("sent {sent}, received {}, first after {first:?}", down.received);
                    return Ok(());
                }
            }
        }
        let waits =
            [up.as_ref().map(|up| &up.room), Some(down.as_ref().map_or(&answered, |down| &down.some))];
        poll(&waits.into_iter().flatten().collect::<Vec<_>>());
    }
}

struct Up {
    // Fields are dropped in order, and each belongs to the next.
    room: Pollable,
    stream: OutputStream,
    body: OutgoingBody,
    sent: u64,
    bytes: u64,
}

impl Up {
    /// Send what there is room for; none when all was sent.
    fn push(mut self) -> Result<Option<Self>> {
        let room = self.stream.check_write().map_err(|fault| broken(&format!("{fault:?}")))?;
        let length = room.min(CHUNK_BYTES).min(self.bytes - self.sent);
        if length == 0 && self.sent < self.bytes {
            return Ok(Some(self));
        }
        let part: Vec<u8> = (self.sent..self.sent + length).map(byte_at).collect();
        self.stream.write(&part).map_err(|fault| broken(&format!("{fault:?}")))?;
        self.sent += length;
        if self.sent < self.bytes {
            return Ok(Some(self));
        }
        self.stream.blocking_flush().map_err(|fault| broken(&format!("{fault:?}")))?;
        let Self { room, stream, body, .. } = self;
        drop((room, stream));
        OutgoingBody::finish(body, None).map_err(|code| broken(&format!("{code:?}")))?;
        Ok(None)
    }
}

struct Down {
    // Fields are dropped in order, and each belongs to the next.
    some: Pollable,
    stream: InputStream,
    _body: IncomingBody,
    _answer: IncomingResponse,
    received: u64,
}

impl Down {
    fn new(future: &FutureIncomingResponse) -> Result<Self> {
        let answer = future.get().and_then(std::result::Result::ok);
        let answer =
            answer.ok_or_else(|| broken("no answer"))?.map_err(|code| broken(&format!("{code:?}")))?;
        log::info!("status {}", answer.status());
        let body = answer.consume().map_err(|()| broken("no body"))?;
        let stream = body.stream().map_err(|()| broken("no stream to read from"))?;
        Ok(Self { some: stream.subscribe(), stream, _body: body, _answer: answer, received: 0 })
    }

    /// Read what is there; whether more may come.
    fn pull(&mut self) -> Result<bool> {
        match self.stream.read(CHUNK_BYTES) {
            Ok(part) => {
                let right = part.iter().zip(self.received..).all(|(byte, place)| *byte == byte_at(place));
                self.received += part.len() as u64;
                if right { Ok(true) } else { Err(broken("other bytes came back")) }
            }
            Err(StreamError::Closed) => Ok(false),
            Err(fault) => Err(broken(&format!("{fault:?}"))),
        }
    }
}

fn byte_at(place: u64) -> u8 {
    u8::try_from(place % PERIOD).unwrap_or_default()
}

fn broken(what: &str) -> Error {
    Error::bug(what)
}
