//! What the tests are told in: a house with a gate, names, a ledger, and servers to reach.

pub(crate) mod authority;
pub(crate) mod certain;
pub(crate) mod dns;
pub(crate) mod kept_credentials;
pub(crate) mod nginx;
pub(crate) mod raw;
pub(crate) mod secure;
pub(crate) mod served;
pub(crate) mod tokens;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use egress::{
    Body, Caps, Client, ClientSettings, Decision, Egress, Entry, Error, Gate, Ledger, Proxy, RequestLine,
    Resolver, Settings, WallClock, credential,
};
use http::{Request, Response};
use http_body_util::BodyExt;

/// No step of a test may take longer; far above what a loaded machine needs.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Answers of the resolver for one name, in order; the last one stays.
type Answers = Vec<Vec<IpAddr>>;

/// Everything around a client.
#[derive(Clone, Default)]
pub(crate) struct House {
    pub(crate) caps: Caps,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) gate: Arc<TestGate>,
    pub(crate) names: Arc<Names>,
    pub(crate) ledger: Arc<Kept>,
    pub(crate) credentials: Option<credential::Settings>,
    pub(crate) clock: Option<WallClock>,
    pub(crate) all_kept_bodies_bytes: Option<u64>,
    pub(crate) proxy: Option<Proxy>,
}

impl House {
    /// A house whose clients place these credentials.
    pub(crate) fn placing(credentials: credential::Settings) -> Self {
        Self { credentials: Some(credentials), ..Self::default() }
    }

    pub(crate) fn caps(mut self, set: impl FnOnce(&mut Caps)) -> Self {
        set(&mut self.caps);
        self
    }

    pub(crate) fn trusting(mut self, pem: &str) -> Self {
        self.roots.push(pem.as_bytes().to_vec());
        self
    }

    pub(crate) fn name(self, host: &str, answers: &[&[&str]]) -> Self {
        let answers =
            answers.iter().map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        self.names.answers.lock().unwrap().insert(host.to_owned(), answers);
        self
    }

    pub(crate) fn egress(&self) -> Egress {
        let resolver = Arc::clone(&self.names) as Arc<dyn Resolver>;
        let mut settings = Settings { system_roots: false, resolver, ..Settings::default() };
        settings.extra_roots_pem.clone_from(&self.roots);
        if let Some(clock) = &self.clock {
            settings.clock = Arc::clone(clock);
        }
        settings.all_kept_bodies_bytes = self.all_kept_bodies_bytes.unwrap_or(settings.all_kept_bodies_bytes);
        settings.proxy.clone_from(&self.proxy);
        Egress::new(settings).unwrap()
    }

    pub(crate) fn settings(&self) -> ClientSettings {
        let (gate, ledger) = (Arc::clone(&self.gate), Arc::clone(&self.ledger));
        let settings =
            ClientSettings::new(gate as Arc<dyn Gate>, ledger as Arc<dyn Ledger>, self.caps.clone());
        ClientSettings { credentials: self.credentials.clone(), ..settings }
    }

    /// A client that asks this resolver in the place of the one of the tests.
    pub(crate) fn client_asking(&self, resolver: impl Resolver + 'static) -> Client {
        let settings = Settings { system_roots: false, resolver: Arc::new(resolver), ..Settings::default() };
        Egress::new(settings).unwrap().client(self.settings())
    }

    pub(crate) fn client(&self) -> Client {
        self.egress().client(self.settings())
    }
}

/// Allows every request but those to `denied.test`, and every address on loopback but those that were revoked.
#[derive(Default)]
pub(crate) struct TestGate {
    pub(crate) revoked: Mutex<Vec<IpAddr>>,
    /// Loopback was granted as a network.
    pub(crate) is_network: AtomicBool,
    /// What this machine has itself is not granted.
    pub(crate) is_elsewhere: AtomicBool,
}

impl Gate for TestGate {
    fn request(&self, line: &RequestLine<'_>) -> Decision {
        if line.host == "denied.test" {
            return Decision::Deny {
                code: "CD0299",
                reason: "no grant names the host".to_owned(),
                line_to_add: Some(format!("host = \"{}\"", line.host)),
            };
        }
        Decision::Allow { rule: format!("{}:{}", line.host, line.port) }
    }

    fn address(&self, address: IpAddr, _port: u16) -> Decision {
        if address.is_loopback() && !self.revoked.lock().unwrap().contains(&address) {
            return Decision::Allow { rule: "loopback".to_owned() };
        }
        Decision::Deny { code: "CD0298", reason: "not granted".to_owned(), line_to_add: None }
    }

    fn own_address(&self, address: IpAddr, port: u16) -> Decision {
        if !self.is_elsewhere.load(Ordering::SeqCst) {
            return self.address(address, port);
        }
        let reason = "it is an address of this machine itself".to_owned();
        Decision::Deny { code: "CD0297", reason, line_to_add: None }
    }

    fn is_one_of_many(&self, _address: IpAddr, _port: u16) -> bool {
        self.is_network.load(Ordering::SeqCst)
    }
}

/// A resolver that says what a test wants. Names that were not given are on 127.0.0.1.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Answers>>,
    pub(crate) asked: AtomicUsize,
    looked_up: Mutex<BTreeSet<String>>,
}

impl Names {
    /// The different names that were asked for.
    pub(crate) fn looked_up(&self) -> BTreeSet<String> {
        self.looked_up.lock().unwrap().clone()
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.looked_up.lock().unwrap().insert(host.to_owned());
        if host == "silent.test" {
            std::future::pending::<()>().await;
        }
        if host == "unknown.test" {
            return Err(io::Error::other("name is unknown"));
        }
        let mut all = self.answers.lock().unwrap();
        let Some(answers) = all.get_mut(host) else { return Ok(vec![LOOPBACK]) };
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }
}

/// A ledger that a test reads.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<Entry>>);

impl Ledger for Kept {
    fn record(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }
}

impl Kept {
    pub(crate) fn all(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn only(&self) -> Entry {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }
}

pub(crate) fn get(uri: impl AsRef<str>) -> Request<Body> {
    Request::get(uri.as_ref()).body(egress::empty()).unwrap()
}

pub(crate) fn post(uri: impl AsRef<str>, body: Body) -> Request<Body> {
    Request::post(uri.as_ref()).body(body).unwrap()
}

/// Sends within the bound of the tests.
pub(crate) async fn send(client: &Client, request: Request<Body>) -> Result<Response<Body>, Error> {
    tokio::time::timeout(BOUND, client.send(request)).await.expect("the request did not end")
}

/// Reads the whole body within the bound of the tests.
pub(crate) async fn read(response: Response<Body>) -> Result<Bytes, Error> {
    let body =
        tokio::time::timeout(BOUND, response.into_body().collect()).await.expect("the body did not end");
    Ok(body?.to_bytes())
}

/// Sends and reads: the error of either.
pub(crate) async fn fetch(client: &Client, request: Request<Body>) -> Result<Bytes, Error> {
    read(send(client, request).await?).await
}

/// Polls until it holds, within the bound of the tests.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(BOUND, wait).await.unwrap_or_else(|_| panic!("never came true: {what}"));
}
