//! A client with credentials, and a server that keeps the bytes of what arrives. Both on the thread that fuzzes, so that an
//! input does the same each time.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use egress::credential::{self, Credentials, Generation, Material, Placed, Secret, StoreError};
use egress::{
    Body, Caps, Client, ClientSettings, Decision, Egress, Entry, Gate, Ledger, RequestLine, Resolver,
    Settings,
};
use http_body_util::{BodyExt as _, StreamBody};
use manifest::Manifest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::Asked;
use super::arrived::{self, Arrived};

pub(super) const TOKEN: &str = "canary-of-the-bearer";
pub(super) const KEY: &str = "canary-of-the-header";
pub(super) const PARAMETER: &str = "canary-of-the-query";
/// Connections of a client are kept by its origins, of which an input can name any.
const SENT_BY_ONE_CLIENT_MAX: u32 = 50;
/// A request that takes so long hangs.
const BOUND: std::time::Duration = std::time::Duration::from_secs(20);

pub(super) struct House {
    runtime: Runtime,
    egress: Egress,
    settings: ClientSettings,
    client: Client,
    sent: u32,
    gate: Arc<Judge>,
    arrivals: Arc<Mutex<Vec<Arrived>>>,
}

impl House {
    pub(super) fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let arrivals = Arc::new(Mutex::default());
        runtime.spawn(serve(listener, Arc::clone(&arrivals)));
        let gate = Arc::new(Judge { port, judged: Mutex::default() });
        let egress = Egress::new(Settings {
            system_roots: false,
            resolver: Arc::new(Loopback(AtomicU32::new(0))),
            ..Settings::default()
        })
        .unwrap();
        let caps = Caps {
            requests: u64::MAX,
            requests_per_second: u64::MAX,
            host_names: u64::MAX,
            host_name_bytes: u64::MAX,
            host_names_per_second: u64::MAX,
            total_bytes_in: u64::MAX,
            total_bytes_out: u64::MAX,
            ..Caps::default()
        };
        let rights = Arc::clone(&gate) as Arc<dyn Gate>;
        let credentials =
            credential::Settings { placed: placed(port), store: Arc::new(Store), watch: scrub::Watch::new() };
        let settings = ClientSettings {
            credentials: Some(credentials),
            ..ClientSettings::new(rights, Arc::new(Nobody), caps)
        };
        let client = egress.client(settings.clone());
        Self { runtime, egress, settings, client, sent: 0, gate, arrivals }
    }

    pub(super) fn port(&self) -> u16 {
        self.gate.port
    }

    pub(super) fn send(&mut self, asked: &Asked) {
        self.sent += 1;
        if self.sent > SENT_BY_ONE_CLIENT_MAX {
            self.client = self.egress.client(self.settings.clone());
            self.sent = 0;
        }
        self.arrivals.lock().unwrap().clear();
        self.gate.judged.lock().unwrap().clear();
        let client = self.client.clone();
        let answer = self.runtime.block_on(async {
            let exchange = async {
                let response = client.send(asked.request()).await?;
                response.into_body().collect().await.map(drop)
            };
            tokio::time::timeout(BOUND, exchange).await.expect("the request hangs")
        });
        let arrivals = std::mem::take(&mut *self.arrivals.lock().unwrap());
        let judged = std::mem::take(&mut *self.gate.judged.lock().unwrap());
        arrived::check(asked, &judged, &arrivals, answer.is_ok());
    }
}

/// What was judged of a request.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) method: String,
    pub(super) path: String,
}

/// Allows all requests, and of addresses the server alone: a machine that fuzzes has other servers.
struct Judge {
    port: u16,
    judged: Mutex<Vec<Judged>>,
}

impl Gate for Judge {
    fn request(&self, line: &RequestLine<'_>) -> Decision {
        let RequestLine { host, port, method, path, .. } = *line;
        let judged = Judged { host: host.into(), port, method: method.into(), path: path.into() };
        self.judged.lock().unwrap().push(judged);
        Decision::Allow { rule: String::new() }
    }

    fn address(&self, address: IpAddr, port: u16) -> Decision {
        if address.is_loopback() && port == self.port {
            return Decision::Allow { rule: String::new() };
        }
        Decision::Deny { code: "CD0208", reason: String::new(), line_to_add: None }
    }

    fn own_address(&self, address: IpAddr, port: u16) -> Decision {
        self.address(address, port)
    }
}

/// Another address of this machine for each connection: its ports are used up soon otherwise.
struct Loopback(AtomicU32);

#[async_trait]
impl Resolver for Loopback {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let [_, high, middle, low] = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Ok(vec![Ipv4Addr::new(127, high, middle, low.max(1)).into()])
    }
}

struct Nobody;

impl Ledger for Nobody {
    fn record(&self, _: Entry) {}
}

struct Store;

#[async_trait]
impl Credentials for Store {
    fn organization(&self) -> &str {
        "acme"
    }

    async fn material(&self, credential: &str) -> Result<Material, StoreError> {
        let (field, value) = match credential {
            "bearer" => ("token", TOKEN),
            "header" => ("value", KEY),
            _ => ("value", PARAMETER),
        };
        Ok(Material::new(Generation(1)).with(field, Secret::new(value.to_owned())))
    }

    async fn mark(&self, _: &str, _: Generation) -> Result<(), StoreError> {
        Err(StoreError::Superseded)
    }

    async fn unmark(&self, _: &str, _: Generation) -> Result<(), StoreError> {
        Err(StoreError::Superseded)
    }

    async fn persist(&self, _: &str, _: Generation, _: Material) -> Result<Generation, StoreError> {
        Err(StoreError::Superseded)
    }
}

fn placed(port: u16) -> Vec<Placed> {
    let head = "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\nroles = [\"source\"]\ntitle = \"A\"\n";
    let ask = |host: &str, name: &str, kind: &str| {
        format!(
            "[[asks.credentials]]\nname = \"{name}\"\naudience = [{{ url = \"http://{host}:{port}\" }}]\n{kind}\n"
        )
    };
    let text = [
        head.to_owned(),
        format!("[[asks.hosts]]\nurl = \"http://*.example.test:{port}\"\n[[asks.hosts]]\nurl = \"http://api.test:{port}\"\n"),
        format!("[[asks.hosts]]\nurl = \"http://query.test:{port}\"\n"),
        ask("api.test", "bearer", "kind = \"bearer\""),
        ask("api.test", "header", "kind = \"header\"\nheader = \"x-api-key\""),
        ask("query.test", "query", "kind = \"query\"\nparameter = \"api_key\""),
    ]
    .concat();
    let manifest = Manifest::parse("connector.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
    manifest.asks.credentials.into_iter().map(|ask| Placed { stored: ask.name.clone(), ask }).collect()
}

pub(super) fn of_unknown_length(bytes: Vec<u8>) -> Body {
    let frame = Ok::<_, egress::Error>(http_body::Frame::data(Bytes::from(bytes)));
    StreamBody::new(futures::stream::iter([frame])).boxed_unsync()
}

async fn serve(listener: TcpListener, arrivals: Arc<Mutex<Vec<Arrived>>>) {
    while let Ok((stream, from)) = listener.accept().await {
        tokio::spawn(answer(stream, from, Arc::clone(&arrivals)));
    }
}

/// By which a connection begins that is to be of TLS (RFC 8446, 5.1). Who guesses our port may ask for it; there is none here.
const TLS_HANDSHAKE: u8 = 22;

/// Answers each request as soon as it is there, and keeps its bytes.
async fn answer(mut stream: TcpStream, _: SocketAddr, arrivals: Arc<Mutex<Vec<Arrived>>>) {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 16 << 10];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
        if bytes.first() == Some(&TLS_HANDSHAKE) {
            return;
        }
        while let Some((arrived, length)) = Arrived::read(&bytes) {
            bytes.drain(..length);
            arrivals.lock().unwrap().push(arrived);
            if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err() {
                return;
            }
        }
    }
}
