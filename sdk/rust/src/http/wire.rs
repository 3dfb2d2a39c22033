//! Carries requests and answers over `wasi:http`.
//!
//! Each call of the host costs about as much as parsing a small header, and a request is some twenty of them: what goes
//! without saying (no body, the method GET, the host's time limits, the end of a body of known length) is not said.

use std::{
    io::{self, Read},
    time::Duration,
};

use wasip2::{
    http::{
        outgoing_handler::handle,
        types::{
            Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
            OutgoingRequest, RequestOptions, Scheme, http_error_code,
        },
    },
    io::{
        poll::{Pollable, poll},
        streams::{InputStream, OutputStream, StreamError},
    },
};

use super::{Request, Response, fault, url::Url};
use crate::{Error, Result};

/// How much of a body moves in one call of the host.
const CHUNK_BYTES: usize = 64 << 10;

/// A request that is on its way, with all of its body.
pub(super) struct Sent {
    // Fields are dropped in order, and this one belongs to the next.
    ready: Pollable,
    future: FutureIncomingResponse,
    /// The answer, if it came before the body was taken.
    early: Option<Result<IncomingResponse>>,
    /// Not all of the body was taken.
    cut: bool,
    label: String,
}

impl Sent {
    /// Send a request and its body.
    pub(super) fn new(mut request: Request) -> Result<Self> {
        let label = request.label();
        let body = request.body.take();
        let url = request.parsed()?;
        if cfg!(not(target_arch = "wasm32")) {
            return Err(Error::transient(format!("{label}: there is no host to send it")));
        }
        let outgoing = outgoing(&label, &request, &url)?;
        let sink = body.map(|body| Ok((outgoing.body()?, body))).transpose();
        let sink = sink.map_err(|()| spent(&label))?;
        let options = request.timeout.map(options);
        let future = handle(outgoing, options).map_err(|code| fault::from_code(&label, &code))?;
        let mut sent = Self { ready: future.subscribe(), future, early: None, cut: false, label };
        if let Some((sink, body)) = sink {
            sent.send_body(sink, body)?;
        }
        Ok(sent)
    }

    /// Ready once there is an answer.
    pub(super) fn ready(&self) -> &Pollable {
        &self.ready
    }

    /// The answer, once its headers have come.
    pub(super) fn wait(self) -> Result<Response> {
        if self.early.is_none() {
            self.ready.block();
        }
        self.take()
    }

    /// The answer, whose headers are here.
    pub(super) fn take(mut self) -> Result<Response> {
        let answer = match self.early.take() {
            Some(answer) => answer?,
            None => self.answer()?,
        };
        // A refusal explains why the rest was not wanted. A success does not: something of what it is for is missing.
        if self.cut && answer.status() < 300 {
            let status = answer.status();
            return Err(Error::transient(format!(
                "{}: the answer was {status}, but the body was cut off before all of it was taken",
                self.label
            )));
        }
        response(self.label, &answer)
    }

    fn answer(&self) -> Result<IncomingResponse> {
        let answer = self.future.get().and_then(std::result::Result::ok).ok_or_else(|| spent(&self.label))?;
        answer.map_err(|code| fault::from_code(&self.label, &code))
    }

    fn send_body(&mut self, sink: OutgoingBody, body: Box<dyn Read>) -> Result<()> {
        let stream = sink.write().map_err(|()| spent(&self.label))?;
        // A body that was not taken ends the request, but what the other system said about it may be there still.
        if !self.pump(&stream, body)? {
            self.cut = true;
            return Ok(());
        }
        // The stream is a child of the sink, and must go before it.
        drop(stream);
        OutgoingBody::finish(sink, None).map_err(|code| fault::from_code(&self.label, &code))
    }

    /// Whether all of the body was taken.
    fn pump(&mut self, stream: &OutputStream, mut body: Box<dyn Read>) -> Result<bool> {
        let room = stream.subscribe();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let length = body.read(&mut chunk)?;
            if length == 0 {
                return Ok(stream.flush().is_ok() && self.wait_for_room(stream, &room).is_some());
            }
            let mut rest = chunk.get(..length).unwrap_or_default();
            while !rest.is_empty() {
                let Some(bytes) = self.wait_for_room(stream, &room) else { return Ok(false) };
                let (now, later) = rest.split_at(rest.len().min(bytes));
                if stream.write(now).is_err() {
                    return Ok(false);
                }
                rest = later;
            }
        }
    }

    /// How many bytes the stream takes now; none if there is no point in sending more: the stream is closed, or the
    /// other system has answered meanwhile, and not with success. An early success is no reason to stop.
    fn wait_for_room(&mut self, stream: &OutputStream, room: &Pollable) -> Option<usize> {
        loop {
            match stream.check_write() {
                Ok(0) => {}
                Ok(bytes) => return Some(usize::try_from(bytes).unwrap_or(usize::MAX)),
                Err(_) => return None,
            }
            if self.early.is_some() {
                room.block();
            } else if !poll(&[room, &self.ready]).contains(&0) {
                let answer = self.answer();
                let go_on = answer.as_ref().is_ok_and(|answer| answer.status() < 300);
                self.early = Some(answer);
                if !go_on {
                    return None;
                }
            }
        }
    }
}

fn outgoing(label: &str, request: &Request, url: &Url<'_>) -> Result<OutgoingRequest> {
    let headers = Fields::from_list(&request.headers).map_err(|fault| fault::from_header(label, &fault))?;
    let outgoing = OutgoingRequest::new(headers);
    let scheme = if url.secure { Scheme::Https } else { Scheme::Http };
    let method = method(&request.method);
    let set = if matches!(method, Method::Get) { Ok(()) } else { outgoing.set_method(&method) };
    let set = set
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(url.authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&url.target(&request.query))));
    match set {
        Ok(()) => Ok(outgoing),
        Err(()) => Err(Error::config("", format!("`{label}` is no request that can be sent"))),
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let nanoseconds = u64::try_from(timeout.as_nanos()).ok();
    // A host that does not know one of these limits has its own.
    let _ = options.set_connect_timeout(nanoseconds);
    let _ = options.set_first_byte_timeout(nanoseconds);
    let _ = options.set_between_bytes_timeout(nanoseconds);
    options
}

fn response(label: String, answer: &IncomingResponse) -> Result<Response> {
    let (status, headers) = (answer.status(), answer.headers().entries());
    let body = answer.consume().map_err(|()| spent(&label))?;
    let stream = body.stream().map_err(|()| spent(&label))?;
    let left = length(&headers);
    let body = Body { stream, _owner: body, label: label.clone(), left };
    Ok(Response::of(label, status, headers, body))
}

/// How long the body is, where the answer says so in one way. The host holds the body to it, and takes the header away
/// where it decodes the body.
fn length(headers: &[(String, Vec<u8>)]) -> Option<u64> {
    let mut lengths = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    match (lengths.next(), lengths.next()) {
        (Some((_, value)), None) => std::str::from_utf8(value).ok()?.parse().ok(),
        _ => None,
    }
}

/// Something that can be had once was asked for twice; only a fault of this file could do that.
fn spent(label: &str) -> Error {
    Error::bug(format!("{label}: a part of the exchange was used twice"))
}

struct Body {
    // Fields are dropped in order, and this one belongs to the next.
    stream: InputStream,
    _owner: IncomingBody,
    label: String,
    /// What is still to come, where that is known: then the end need not be asked for.
    left: Option<u64>,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.left == Some(0) {
            return Ok(0);
        }
        let wanted = u64::try_from(buffer.len().min(CHUNK_BYTES)).unwrap_or(1);
        loop {
            match self.stream.blocking_read(wanted) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                    return io::Cursor::new(bytes).read(buffer);
                }
                Err(StreamError::Closed) => return Ok(0),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(io::Error::other(match http_error_code(&error) {
                        Some(code) => fault::from_code(&self.label, &code),
                        None => Error::transient(format!("{}: {}", self.label, error.to_debug_string())),
                    }));
                }
            }
        }
    }
}
