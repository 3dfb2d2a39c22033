//! A server that listens: over TLS and without, in both versions of HTTP, and how it ends.

use super::world::{World, options};
use crate::{Drained, Options, Server, Transport};
use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A server under way.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) operations: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Running {
    pub(super) async fn start(world: &World, options: Options) -> Self {
        Self::of(Server::bind(world.parts.clone(), options).await.unwrap())
    }

    pub(super) fn of(server: Server) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (address, operations) = (server.address(), server.operations_address());
        let ended = tokio::spawn(server.run(async move { drop(stopped.await) }));
        Self { address, operations, stop, ended }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(super) fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.ended
    }
}

/// Everything until the other side closes.
pub(super) async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ended = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn write_files(folder: &Path) -> (Transport, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    (Transport::Tls { certificate, key }, cert.der().clone())
}

pub(super) async fn shake_hands(
    running: &Running,
    trusted: &[CertificateDer<'static>],
    protocol: &[u8],
) -> TlsStream<TcpStream> {
    offering(running, trusted, &[protocol], "localhost").await.unwrap()
}

/// Comes for this name and offers these protocols.
pub(super) async fn offering(
    running: &Running,
    trusted: &[CertificateDer<'static>],
    protocols: &[&[u8]],
    name: &'static str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted.iter().cloned());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from(name).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, running.connect().await).await
}

#[tokio::test]
async fn over_tls_both_versions_of_http_are_spoken() {
    let (world, folder) = (World::new().await, TempDir::new().unwrap());
    let (transport, root) = write_files(folder.path());
    let running = Running::start(&world, Options { transport, ..options() }).await;
    let request = || Request::get("https://localhost/healthz").header("host", "localhost");

    let stream = TokioIo::new(shake_hands(&running, std::slice::from_ref(&root), b"h2").await);
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let answered = send.send_request(request().body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!((answered.status(), answered.version()), (StatusCode::OK, Version::HTTP_2));
    assert!(answered.headers().contains_key("strict-transport-security"));
    assert_eq!(answered.into_body().collect().await.unwrap().to_bytes(), r#"{"status":"ok"}"#);
    drop(send);
    connection.await.unwrap().unwrap();

    let stream = TokioIo::new(shake_hands(&running, &[root], b"http/1.1").await);
    let (mut send, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let answered = send.send_request(request().body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!((answered.status(), answered.version()), (StatusCode::OK, Version::HTTP_11));
    drop(send);
    connection.await.unwrap().unwrap();
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}

#[tokio::test]
async fn without_tls_other_machines_are_refused() {
    let world = World::new().await;
    for (address, code) in [("0.0.0.0:0", "CD1301"), ("[::]:0", "CD1301"), ("192.0.2.1:0", "CD1301")] {
        let options = Options { address: address.parse().unwrap(), ..options() };
        let bound = Server::bind(world.parts.clone(), options).await;
        assert_eq!(bound.map(|_| ()).unwrap_err().code(), code, "{address}");
    }
}

#[tokio::test]
async fn files_of_tls_that_are_of_no_use_are_refused_by_name() {
    let (world, folder) = (World::new().await, TempDir::new().unwrap());
    let (good, _) = write_files(folder.path());
    let Transport::Tls { certificate, key } = good else { unreachable!() };
    let other = TempDir::new().unwrap();
    let (Transport::Tls { key: other_key, .. }, _) = write_files(other.path()) else { unreachable!() };
    let missing = folder.path().join("missing");
    for (certificate, key, code) in [
        (&missing, &key, "CD1303"),
        (&certificate, &missing, "CD1303"),
        (&certificate, &certificate, "CD1303"),
        (&certificate, &other_key, "CD1304"),
    ] {
        let transport = Transport::Tls { certificate: certificate.clone(), key: key.clone() };
        let bound = Server::bind(world.parts.clone(), Options { transport, ..options() }).await;
        assert_eq!(bound.map(|_| ()).unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_to_be() {
    let world = World::new().await;
    let running = Running::start(&world, options()).await;
    let bound = Server::bind(world.parts.clone(), Options { address: running.address, ..options() }).await;
    assert_eq!(bound.map(|_| ()).unwrap_err().code(), "CD1302");
}

/// The head has come and a part of the body when the server is told to end.
#[tokio::test]
async fn what_is_under_way_when_the_server_ends_is_answered() {
    let world = World::new().await;
    let running = Running::start(&world, options()).await;
    let mut under_way = running.connect().await;
    let body = r#"{"email": "a@b.example", "password": "x"}"#;
    let head = format!(
        "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    under_way.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is under way.
    let mut asked = [0; 25];
    under_way.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let address = running.address;
    let ended = running.stop();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!ended.is_finished());
    under_way.write_all(body.as_bytes()).await.unwrap();
    assert!(rest(&mut under_way).await.starts_with("HTTP/1.1 401 Unauthorized"));
    assert_eq!(ended.await.unwrap(), Drained::All);
}

#[tokio::test]
async fn who_never_ends_is_cut_off_when_the_server_does() {
    let world = World::new().await;
    let mut options = options();
    options.limits.drain = std::time::Duration::from_millis(50);
    let running = Running::start(&world, options).await;
    let mut under_way = running.connect().await;
    let head = "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    under_way.write_all(head.as_bytes()).await.unwrap();
    under_way.read_exact(&mut [0; 25]).await.unwrap();
    assert_eq!(running.stop().await.unwrap(), Drained::CutOff);
}

/// Those who listen have no end of their own.
#[tokio::test]
async fn who_listens_does_not_keep_the_server_from_ending() {
    let world = World::new().await;
    let cast = world.cast().await;
    let running = Running::start(&world, options()).await;
    let mut listening = running.connect().await;
    let head = format!(
        "GET /v1/organizations/{}/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        cast.acme, cast.user
    );
    listening.write_all(head.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"\n\n\r\n") {
        heard.push(listening.read_u8().await.unwrap());
    }
    assert!(String::from_utf8(heard).unwrap().contains("event: here\n"));
    assert_eq!(running.stop().await.unwrap(), Drained::All);
    assert_eq!(rest(&mut listening).await, "0\r\n\r\n");
}
