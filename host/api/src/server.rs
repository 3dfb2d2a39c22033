//! Takes connections, within bounds, and lets them end well when the server ends.
//!
//! Which version of HTTP a connection speaks is settled by its handshake of TLS, and is 1.1 without TLS: nobody gets to be
//! waited for while a server guesses.

use crate::error::Error;
use crate::house::House;
use crate::options::{Limits, Options, Transport};
use crate::parts::Parts;
use crate::peer::Peer;
use crate::router::router;
use crate::tls::{HTTP_2, acceptor};
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use places::Places;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

mod places;

/// Heads of this API are some hundred bytes; a browser may add cookies of other programs of the same host.
const HEAD_BYTES_MAX: usize = 32 << 10;
const HEADERS_MAX: usize = 64;
/// Requests at once on one connection: beyond what a console does, and little enough for each to be bounded.
const STREAMS_MAX: u32 = 64;
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// What the system runs out of when it cannot accept (open files) comes back in a moment.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

type Stream = Pin<Box<TimeoutStream<TcpStream>>>;

/// A server that listens, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    house: House,
    tls: Option<TlsAcceptor>,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request under way was answered.
    All,
    /// Some were cut off at the end of the time for it.
    CutOff,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// When other machines would reach it without TLS, files of TLS are of no use, or the address is taken.
    pub async fn bind(parts: Parts, options: Options) -> Result<Self, Error> {
        let address = options.address;
        let tls = match &options.transport {
            Transport::Plain if !address.ip().to_canonical().is_loopback() => {
                return Err(Error::PlainNotLoopback { address });
            }
            Transport::Plain => None,
            Transport::Tls { certificate, key } => Some(acceptor(certificate, key)?),
        };
        let fault = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        Ok(Self { listener, address, house: House::new(parts, options), tls })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` ends: then takes no more connections, and answers what is under way.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Drained {
        let Self { listener, house, tls, .. } = self;
        let limits = house.options.limits;
        let places = Places::new(&limits);
        let graceful = GracefulShutdown::new();
        let line = Line { router: router(house.clone()), limits, tls };
        tokio::pin!(stop);
        loop {
            let (place, accepted) = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&places, &listener) => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            let peer = peer.ip().to_canonical();
            let is_proxy = house.options.proxies.iter().any(|range| range.contains(&peer));
            let Some(place) = place.of(peer, is_proxy) else { continue };
            let (line, watcher) = (line.clone(), graceful.watcher());
            tokio::spawn(async move {
                line.serve(stream, peer, watcher).await;
                drop(place);
            });
        }
        drop(listener);
        house.begin_to_drain();
        match tokio::time::timeout(limits.drain, graceful.shutdown()).await {
            Ok(()) => Drained::All,
            Err(_) => Drained::CutOff,
        }
    }
}

/// A connection, as soon as there is a place for it.
async fn accept(
    places: &Arc<Places>,
    listener: &TcpListener,
) -> (places::Free, std::io::Result<(TcpStream, SocketAddr)>) {
    (places.free().await, listener.accept().await)
}

/// What every connection is served by.
#[derive(Clone)]
struct Line {
    router: Router,
    limits: Limits,
    tls: Option<TlsAcceptor>,
}

impl Line {
    /// Until the other side, we, or its time ends it. What goes wrong on the way is the other side's doing.
    async fn serve(self, stream: TcpStream, peer: IpAddr, watcher: Watcher) {
        let _best_effort = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.write));
        let stream: Stream = Box::pin(stream);
        let Some(tls) = &self.tls else { return self.http_1(stream, peer, watcher).await };
        let shaken = tokio::time::timeout(self.limits.handshake, tls.accept(stream)).await;
        let Ok(Ok(stream)) = shaken else { return };
        if stream.get_ref().1.alpn_protocol() == Some(HTTP_2) {
            self.http_2(stream, peer, watcher).await;
        } else {
            self.http_1(stream, peer, watcher).await;
        }
    }

    async fn http_1(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: IpAddr,
        watcher: Watcher,
    ) {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.limits.head);
        builder.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
        let router = self.router.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        log_end(watcher.watch(connection).await);
    }

    async fn http_2(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: IpAddr,
        watcher: Watcher,
    ) {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(PING_EVERY).keep_alive_timeout(PONG_WITHIN);
        builder.max_concurrent_streams(STREAMS_MAX);
        builder.max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
        let router = self.router.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        log_end(watcher.watch(connection).await);
    }
}

async fn answer(
    router: Router,
    peer: IpAddr,
    mut request: http::Request<Incoming>,
) -> Result<axum::response::Response, std::convert::Infallible> {
    request.extensions_mut().insert(Peer(peer));
    router.oneshot(request).await
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}
