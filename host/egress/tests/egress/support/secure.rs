//! A TLS server in the test process, which speaks HTTP/2 or HTTP/1.1 and echoes what it is sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::authority::Identity;

/// Ends with the test.
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Echo {
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Requests to `/hold` so far: they are never answered, and their bodies never read.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Speaks `h2` or `http/1.1` over TLS.
    pub(crate) async fn secure(identity: &Identity, protocol: &'static str) -> Self {
        Self::start(Some(acceptor(identity, protocol)), protocol == "h2").await
    }

    /// Speaks HTTP/1.1 without TLS.
    pub(crate) async fn plain() -> Self {
        Self::start(None, false).await
    }

    async fn start(tls: Option<TlsAcceptor>, is_two: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counter = || Arc::new(AtomicUsize::new(0));
        let (connections, open, held) = (counter(), counter(), counter());
        let (counted, opened, holding) = (Arc::clone(&connections), Arc::clone(&open), Arc::clone(&held));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                opened.fetch_add(1, Ordering::SeqCst);
                let (tls, open, held) = (tls.clone(), Arc::clone(&opened), Arc::clone(&holding));
                tokio::spawn(async move {
                    serve(stream, tls, is_two, held).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, connections, open, held, task }
    }
}

/// TLS with this certificate, for `h2` or `http/1.1`.
pub(crate) fn acceptor(identity: &Identity, protocol: &str) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, is_two: bool, held: Arc<AtomicUsize>) {
    let Some(tls) = tls else { return one(stream, held).await };
    let Ok(stream) = tls.accept(stream).await else { return };
    if is_two { two(stream, held).await } else { one(stream, held).await }
}

async fn one<S>(stream: S, held: Arc<AtomicUsize>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    // Clients that go away early are part of the tests.
    let _ended = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(move |request| echo(request, Arc::clone(&held))))
        .await;
}

async fn two<S>(stream: S, held: Arc<AtomicUsize>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let _ended = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service_fn(move |request| echo(request, Arc::clone(&held))))
        .await;
}

/// The body comes back as it arrives; the head comes back in headers.
async fn echo(
    request: Request<Incoming>,
    held: Arc<AtomicUsize>,
) -> Result<Response<Incoming>, hyper::Error> {
    if request.uri().path() == "/hold" {
        held.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    }
    let (head, body) = request.into_parts();
    let mut response = Response::builder().header("x-version", format!("{:?}", head.version));
    let authority = head.uri.authority().map(|authority| authority.as_str().to_owned());
    let host = head.headers.get("host").map(|host| host.to_str().unwrap().to_owned());
    response = response
        .header("x-authority", authority.unwrap_or_default())
        .header("x-host", host.unwrap_or_default());
    Ok(response.body(body).unwrap())
}
