//! A server that answers whole requests as a test says, over HTTP/1.1 or HTTP/2, with TLS or without.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::authority::Identity;
use super::secure::acceptor;

pub(crate) type Answer = Response<BoxBody<Bytes, std::convert::Infallible>>;
type Handler = dyn Fn(Request<Bytes>) -> Answer + Send + Sync;

/// Ends with the test.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Served {
    pub(crate) async fn plain(handler: impl Fn(Request<Bytes>) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(None, false, Arc::new(handler)).await
    }

    pub(crate) async fn secure(
        identity: &Identity,
        protocol: &'static str,
        handler: impl Fn(Request<Bytes>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start(Some(acceptor(identity, protocol)), protocol == "h2", Arc::new(handler)).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn start(tls: Option<TlsAcceptor>, is_two: bool, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (tls, handler) = (tls.clone(), Arc::clone(&handler));
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&handler)));
                    let one = http1::Builder::new();
                    let two = http2::Builder::new(TokioExecutor::new());
                    // Clients that go away early are part of the tests.
                    let _ended = match tls {
                        None => one.serve_connection(TokioIo::new(stream), service).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            let stream = TokioIo::new(stream);
                            match is_two {
                                true => two.serve_connection(stream, service).await,
                                false => one.serve_connection(stream, service).await,
                            }
                        }
                    };
                });
            }
        });
        Self { address, connections, task }
    }
}

async fn answer(request: Request<Incoming>, handler: Arc<Handler>) -> Result<Answer, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(handler(Request::from_parts(head, body)))
}

/// A whole answer.
pub(crate) fn reply(status: u16, body: impl Into<Bytes>) -> Answer {
    Response::builder().status(status).body(Full::new(body.into()).boxed()).unwrap()
}

/// The value of a header; nothing where there is none or more than one.
pub(crate) fn only_header(request: &Request<Bytes>, name: &str) -> Option<String> {
    let values: Vec<_> = request.headers().get_all(name).iter().collect();
    match values.as_slice() {
        [value] => Some(value.to_str().unwrap().to_owned()),
        _ => None,
    }
}
