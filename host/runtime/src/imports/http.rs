//! `wasi:http/outgoing-handler`, served by the port [`HttpOut`] and by nothing else.

use super::{recorded, replayed, told};
use crate::executor::Task;
use crate::meter::Meter;
use crate::peaks::{Peak, Peaks};
use crate::state::State;
use async_trait::async_trait;
use bytes::Bytes;
use cassette::{Failure, Tape};
use egress::{Body, SlowDown, Timeouts, Usage};
use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use scrub::Watch;
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Handle;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler;
use wasmtime_wasi_http::p2::bindings::http::types::{self, OutgoingRequest};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// The way out for one connection.
///
/// Called once for each request of a guest, many at a time: begun on the guest's thread, and what has to wait goes on on the host's own.
/// It must judge, cap and record the request, for nothing else does. It must send nothing that the guest said in the place of what the
/// host says (Host, credentials). Dropping the future abandons the request.
#[async_trait]
pub trait HttpOut: Send + Sync {
    /// Send one request; redirects come back as responses. What fails is told as far as a guest, or the report of its run, may
    /// know it: without these secrets.
    async fn answer(&self, request: Request<Body>, secrets: &Watch) -> Answer;

    /// What this connection used so far.
    fn usage(&self) -> Usage;

    /// What it was told of secrets before it sent them, so that they are seen where they come back. Asked for once.
    fn secrets(&self) -> Watch {
        Watch::new()
    }
}

#[async_trait]
impl HttpOut for egress::Client {
    async fn answer(&self, request: Request<Body>, secrets: &Watch) -> Answer {
        let response = self.send(request).await.map_err(|error| told::failure(&error, secrets))?;
        let secrets = secrets.clone();
        Ok(response.map(|body| body.map_err(move |error| told::failure(&error, &secrets)).boxed_unsync()))
    }

    fn usage(&self) -> Usage {
        egress::Client::usage(self)
    }

    fn secrets(&self) -> Watch {
        egress::Client::secrets(self)
    }
}

/// No way out: for calls that must not reach anything, and for runs that are answered from a cassette.
pub struct NoHttp;

#[async_trait]
impl HttpOut for NoHttp {
    async fn answer(&self, request: Request<Body>, secrets: &Watch) -> Answer {
        let denied = egress::Error::RequestDenied {
            code: "CD0603",
            target: format!("{} {}", request.method(), request.uri().path()),
            reason: "this call may reach nothing".into(),
            line_to_add: None,
        };
        Err(told::failure(&denied, secrets))
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

/// Serve `handle` so that a request's options are given back to the table: wasmtime-wasi-http 48.0.8 reads them and leaves
/// them there, one handle a request, until the instance has none left.
pub(crate) fn free_request_options(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut handler = linker.instance("wasi:http/outgoing-handler@0.2.12")?;
    handler.func_wrap("handle", |mut store, (request, options): (Resource<OutgoingRequest>, Option<_>)| {
        let state: &mut State = store.data_mut();
        let options_rep = options.as_ref().map(Resource::<RequestOptions>::rep);
        let mut view = state.http();
        let handled = match outgoing_handler::Host::handle(&mut view, request, options) {
            Ok(response) => Ok(response),
            Err(error) => Err(types::Host::convert_error_code(&mut view, error)?),
        };
        if let Some(rep) = options_rep {
            state.table.delete(Resource::<RequestOptions>::new_own(rep))?;
        }
        Ok((handled,))
    })
}

/// Serve `http-error-code` so that a guest learns why a response's body failed: wasmtime-wasi-http 48.0.8 looks for the error's
/// type of the contract where it keeps the embedder's, and answers none to all.
pub(crate) fn tell_body_errors(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut types = linker.instance("wasi:http/types@0.2.12")?;
    types.func_wrap("http-error-code", |store, (error,): (Resource<types::IoError>,)| {
        let error = store.data().table.get(&error)?;
        let known = error.downcast_ref::<types::ErrorCode>().cloned();
        Ok((known.or_else(|| error.downcast_ref::<Error>().map(body_error_code)),))
    })
}

/// The errors that [`told::to_guest`] makes, in the contract's words.
fn body_error_code(error: &Error) -> types::ErrorCode {
    match error {
        Error::HttpRequestDenied => types::ErrorCode::HttpRequestDenied,
        Error::DestinationUnavailable => types::ErrorCode::DestinationUnavailable,
        Error::HttpResponseTimeout => types::ErrorCode::HttpResponseTimeout,
        Error::HttpResponseIncomplete => types::ErrorCode::HttpResponseIncomplete,
        Error::InternalError(text) => types::ErrorCode::InternalError(text.clone()),
        _ => types::ErrorCode::HttpProtocolError,
    }
}

/// What the engine asks for each request.
pub(crate) struct Hooks {
    out: Arc<dyn HttpOut>,
    tape: Option<Tape>,
    meter: Arc<Meter>,
    /// The host's own threads: sockets and connections live there, not on the guests' threads.
    io: Handle,
}

impl Hooks {
    pub(crate) fn new(out: Arc<dyn HttpOut>, tape: Option<Tape>, meter: Arc<Meter>, io: Handle) -> Self {
        Self { out, tape, meter, io }
    }
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// An answer, or what the guest is told instead of one or of its end.
pub type Answer = Result<Response<UnsyncBoxBody<Bytes, Failure>>, Failure>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _body_result: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (out, tape, meter) = (self.out.clone(), self.tape.clone(), self.meter.clone());
        let mut request = request.map(|body| {
            let body = body.map_err(to_egress);
            note_bytes(body, meter.clone(), |peaks| &peaks.request_bytes).boxed_unsync()
        });
        if let Some(options) = options {
            request.extensions_mut().insert(Timeouts {
                connect: options.connect_timeout,
                first_byte: options.first_byte_timeout,
                between_bytes: options.between_bytes_timeout,
            });
        }
        let mut answering = Box::pin(answer(out, tape, request, meter.clone()));
        // Judged, and begun, on the guest's thread: who asks again and again for what is denied keeps none of the host's busy.
        let begun = {
            let _of_the_host = self.io.enter();
            answering.as_mut().now_or_never()
        };
        let sending = match begun {
            Some(sent) => Sending::Over(sent),
            None => Sending::UnderWay(Task::new(self.io.spawn(answering))),
        };
        Box::new(async move {
            let sent = match sending {
                Sending::Over(sent) => sent,
                Sending::UnderWay(task) => task.join().await.ok_or(Error::ConnectionTerminated)?,
            };
            let response = sent.map_err(|failure| told::to_guest(failure, &meter))?;
            if let Some(wait) = response.extensions().get::<SlowDown>().and_then(|said| said.retry_after) {
                meter.left_alone(wait);
            }
            let response = response.map(|body| {
                let body = note_bytes(body, meter.clone(), |peaks| &peaks.response_bytes);
                body.map_err(move |failure| told::to_guest(failure, &meter)).boxed_unsync()
            });
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((response, done))
        })
    }
}

/// A request: denied at once, or on its way on the host's threads.
enum Sending {
    Over(Answer),
    UnderWay(Task<Answer>),
}

/// Over the way out, and kept where the run is recorded; or from the recording, and then over no way out.
async fn answer(
    out: Arc<dyn HttpOut>,
    tape: Option<Tape>,
    request: Request<Body>,
    meter: Arc<Meter>,
) -> Answer {
    let secrets = meter.secrets.clone();
    match tape {
        None => out.answer(request, &secrets).await,
        Some(Tape::Record(tape)) => recorded::answer(out.as_ref(), &tape, request, secrets).await,
        Some(Tape::Replay(tape)) => replayed::answer(tape, request, meter).await,
    }
}

/// The same body; the largest one is told in the budget report.
fn note_bytes<B: http_body::Body<Data = Bytes>>(
    body: B,
    meter: Arc<Meter>,
    peak: fn(&Peaks) -> &Peak,
) -> impl http_body::Body<Data = Bytes, Error = B::Error> {
    let mut bytes = 0;
    body.map_frame(move |frame| {
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        peak(&meter.peaks).raise(bytes);
        frame
    })
}

fn to_egress(error: Error) -> egress::Error {
    egress::Error::RequestBody { problem: error.to_string() }
}
