//! Certificates that are renewed while the server runs.

use super::connections::{Running, shake_hands, write_files};
use super::world::{World, options};
use crate::tls::{Files, Look, Shown};
use crate::{Drained, Options, Transport};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_rustls::rustls::pki_types::CertificateDer;

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
