//! Certificates that are renewed while the server runs.

use super::connections::{Running, offering, shake_hands, write_files};
use super::world::{World, options};
use crate::tls::{Certificates, Files, Look, Shown};
use crate::{Drained, Options, Transport};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate that a new connection is shown: whatever it is, it is signed by itself.
async fn shown(running: &Running, roots: &[CertificateDer<'static>]) -> CertificateDer<'static> {
    let stream = shake_hands(running, roots, b"http/1.1").await;
    let (_, connection) = stream.get_ref();
    connection.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn a_new_connection_gets_what_the_files_hold_by_then_and_the_old_one_goes_on() {
    let (world, folder) = (World::new().await, TempDir::new().unwrap());
    let (transport, first) = write_files(folder.path());
    let mut options = Options { transport, ..options() };
    options.limits.certificates = Duration::from_millis(5);
    let running = Running::start(&world, options).await;
    let before = shake_hands(&running, std::slice::from_ref(&first), b"http/1.1").await;
    let (_, second) = write_files(folder.path());
    let roots = [first.clone(), second.clone()];
    tokio::time::timeout(Duration::from_secs(20), async { while shown(&running, &roots).await != second {} })
        .await
        .unwrap();
    let (mut send, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(before)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get("/healthz").header("host", "localhost");
    let request = request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    assert_eq!(send.send_request(request).await.unwrap().status(), 200);
    drop(send);
    connection.await.unwrap().unwrap();
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}

#[test]
fn what_is_no_good_leaves_the_one_before_and_is_told_once() {
    let folder = TempDir::new().unwrap();
    let (Transport::Tls { certificate, key }, _) = write_files(folder.path()) else { unreachable!() };
    let (other, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (Transport::Tls { certificate: other_certificate, key: other_key }, _) = write_files(other.path())
    else {
        unreachable!()
    };
    let shown = Arc::new(Shown::default());
    let mut files = Files::new(certificate.clone(), key.clone(), Arc::clone(&shown));
    assert!(matches!(files.look(), Ok(Look::Changed)));
    assert!(matches!(files.look(), Ok(Look::Same)));
    let ends = shown.ends();
    assert!(ends.is_some());

    let kept = elsewhere.path().join("kept.pem");
    std::fs::copy(&certificate, &kept).unwrap();
    let swap = |from: &std::path::Path| std::fs::copy(from, &certificate).unwrap();
    // The certificate is there before its key is, as renewals are wont to write them.
    swap(&other_certificate);
    assert_eq!(files.look().unwrap_err().code(), "CD1304");
    assert!(matches!(files.look(), Ok(Look::Same)), "it is told once");
    std::fs::write(&certificate, "").unwrap();
    assert_eq!(files.look().unwrap_err().code(), "CD1303");
    std::fs::remove_file(&certificate).unwrap();
    assert_eq!(files.look().unwrap_err().code(), "CD1303", "that there is none differs from an empty one");
    assert!(matches!(files.look(), Ok(Look::Same)));
    assert_eq!(shown.ends(), ends, "it is still shown");
    swap(&other_certificate);
    std::fs::copy(&other_key, &key).unwrap();
    assert!(matches!(files.look(), Ok(Look::Changed)));
    swap(&kept);
    assert_eq!(files.look().unwrap_err().code(), "CD1304");
}

const PROOF: &[u8] = b"acme-tls/1";

fn made(name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    (cert.der().clone(), PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap())
}

/// A server with certificates that are given to it later.
async fn given(world: &World) -> (Running, Certificates) {
    let certificates = Certificates::default();
    let transport = Transport::Given(certificates.clone());
    (Running::start(world, Options { transport, ..options() }).await, certificates)
}

#[tokio::test]
async fn who_comes_for_a_proof_gets_it_and_hears_nothing_else() {
    let world = World::new().await;
    let (running, certificates) = given(&world).await;
    let ((proof, proof_key), (other, other_key)) = (made("a.localhost"), made("b.localhost"));
    let ((shown, key), roots) = (made("a.localhost"), [proof.clone(), other.clone()]);
    let roots = [&roots[..], std::slice::from_ref(&shown)].concat();
    let gets = async |protocols: &[&[u8]], name| {
        let stream = offering(&running, &roots, protocols, name).await.ok()?;
        let found = stream.get_ref().1.peer_certificates()?[0].clone().into_owned();
        Some((found, stream))
    };
    certificates.prove("A.localhost", proof.clone(), proof_key).unwrap();
    certificates.prove("b.localhost", other.clone(), other_key).unwrap();
    assert!(gets(&[b"http/1.1"], "a.localhost").await.is_none(), "a proof lets nobody in");
    let (found, mut stream) = gets(&[PROOF], "a.localhost").await.unwrap();
    assert_eq!(found, proof);
    assert_eq!(gets(&[PROOF], "b.localhost").await.unwrap().0, other);
    let _refused = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let mut heard = Vec::new();
    let _closed = stream.read_to_end(&mut heard).await;
    assert_eq!(heard, b"");

    certificates.show(vec![shown.clone()], key).unwrap();
    assert_eq!(gets(&[b"http/1.1"], "a.localhost").await.unwrap().0, shown);
    assert_eq!(gets(&[b"h2", PROOF], "a.localhost").await.unwrap().0, shown, "who offers more wants more");
    assert_eq!(gets(&[PROOF], "a.localhost").await.unwrap().0, proof);
    certificates.forget("a.Localhost");
    assert!(gets(&[PROOF], "a.localhost").await.is_none());
    assert!(gets(&[PROOF], "b.localhost").await.is_some());
    drop(stream);
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}

#[tokio::test]
async fn as_long_as_there_is_no_certificate_nobody_gets_in_and_the_server_is_not_ready() {
    let world = World::new().await;
    let certificates = Certificates::default();
    let server = crate::Server::bind(
        world.parts.clone(),
        Options { transport: Transport::Given(certificates.clone()), ..options() },
    );
    let server = server.await.unwrap().with_operations(super::operations::operations("127.0.0.1:0", None));
    let running = Running::of(server.await.unwrap());
    let operations = running.operations.unwrap();
    let ((shown, key), (_, key_of_another)) = (made("localhost"), made("localhost"));
    let enters =
        async || offering(&running, std::slice::from_ref(&shown), &[b"h2"], "localhost").await.is_ok();
    assert!(!enters().await);
    let ready = super::operations::ask(operations, "/readyz", "").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("CD1306"), "{ready}");
    assert!(super::operations::ask(operations, "/healthz", "").await.starts_with("HTTP/1.1 200"));
    assert_eq!(certificates.show(vec![shown.clone()], key_of_another).unwrap_err().code(), "CD1304");
    assert!(!enters().await);
    certificates.show(vec![shown.clone()], key).unwrap();
    assert!(enters().await);
    let ready = super::operations::ask(operations, "/readyz", "").await;
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}

/// A server whose certificates come from files proves nothing.
#[tokio::test]
async fn where_nobody_proves_names_nobody_is_heard_who_asks_for_a_proof() {
    let (world, folder) = (World::new().await, TempDir::new().unwrap());
    let (transport, root) = write_files(folder.path());
    let running = Running::start(&world, Options { transport, ..options() }).await;
    assert!(offering(&running, &[root], &[PROOF], "localhost").await.is_err());
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}
