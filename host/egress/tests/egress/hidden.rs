//! E62: within a network that was granted as a whole a failure says nothing of the address, neither in words nor in time.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use egress::{Error, GuestClass};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::raw::{Raw, Then, ok, read_to_end};
use crate::support::{House, fetch, get, send};

const ALLOWED: Duration = Duration::from_millis(600);
/// What the clock, the scheduler and the sockets of a loaded machine may add.
const SLACK: Duration = Duration::from_secs(3);

/// An address where connections are neither taken nor refused, as behind a firewall that drops packets.
struct Filtered {
    address: SocketAddr,
    _held: Vec<TcpStream>,
    _listener: tokio::net::TcpListener,
}

impl Filtered {
    /// A listener whose queue is full: the kernel answers nobody any more.
    async fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(900), TcpStream::connect(address)).await
        {
            held.push(stream.unwrap());
        }
        Self { address, _held: held, _listener: listener }
    }
}

#[tokio::test]
async fn e62_refused_filtered_and_untrusted_look_alike_and_take_as_long() {
    let no_tls = Raw::start(|mut stream, _heads| async move {
        let _sent = stream.write_all(b"no TLS here").await;
        read_to_end(&mut stream).await;
    })
    .await;
    let filtered = Filtered::new().await;
    let house = House::default().caps(|caps| caps.connect_timeout = ALLOWED);
    house.gate.is_network.store(true, Ordering::SeqCst);
    let client = house.client();
    let mut codes = Vec::new();
    for url in [
        "http://127.0.0.1:1/".to_owned(),
        format!("http://{}/", filtered.address),
        format!("https://127.0.0.1:{}/", no_tls.port()),
    ] {
        let since = Instant::now();
        let error = send(&client, get(&url)).await.unwrap_err();
        let took = since.elapsed();
        assert_eq!(
            (error.guest_class(), error.guest_text().as_str()),
            (GuestClass::Unreachable, "connection failed"),
            "{url}"
        );
        assert!((ALLOWED..ALLOWED + SLACK).contains(&took), "{url} took {took:?}");
        codes.push(error.code());
    }
    assert_eq!(codes, ["CD0305", "CD0303", "CD0306"], "the user is told exactly");
}

#[tokio::test]
async fn a_refusal_at_an_address_of_its_own_is_told_at_once_and_success_is_never_late() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default().caps(|caps| caps.connect_timeout = Duration::from_secs(60));
    let error = send(&house.client(), get("http://127.0.0.1:1/")).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    house.gate.is_network.store(true, Ordering::SeqCst);
    assert_eq!(fetch(&house.client(), get(server.url("/"))).await.unwrap(), "hi");
}
