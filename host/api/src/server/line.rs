//! What every connection is served by: its handshake, and the version of HTTP that it settles.

use crate::options::Limits;
use crate::peer::Peer;
use crate::tls::{HTTP_2, PROOF};
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use measures::{Measures, Refused};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Heads of this API are some hundred bytes; a browser may add cookies of other programs of the same host.
const HEAD_BYTES_MAX: usize = 32 << 10;
const HEADERS_MAX: usize = 64;
/// Requests at once on one connection: beyond what a console does, and little enough for each to be bounded.
const STREAMS_MAX: u32 = 64;
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(10);

type Stream = Pin<Box<TimeoutStream<TcpStream>>>;

/// What every connection is served by.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) measures: Arc<Measures>,
}

impl Line {
    /// Until the other side, we, or its time ends it. What goes wrong on the way is the other side's doing.
    pub(super) async fn serve(self, stream: TcpStream, peer: IpAddr, watcher: Watcher) {
        let _open = self.measures.connection();
        let _best_effort = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.write));
        let stream: Stream = Box::pin(stream);
        let Some(tls) = &self.tls else { return self.http_1(stream, peer, watcher).await };
        let shaken = tokio::time::timeout(self.limits.handshake, tls.accept(stream)).await;
        let Ok(Ok(mut stream)) = shaken else {
            return self.measures.connection_refused(Refused::Handshake);
        };
        match stream.get_ref().1.alpn_protocol() {
            // The proof was the handshake.
            Some(PROOF) => drop(tokio::time::timeout(self.limits.handshake, stream.shutdown()).await),
            Some(HTTP_2) => self.http_2(stream, peer, watcher).await,
            _ => self.http_1(stream, peer, watcher).await,
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
