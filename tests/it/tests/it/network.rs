//! A guest on the network: real servers in this process, the real egress, and rights made of asks and grants.

mod answers;
mod caps;
mod denied;
mod duplex;
mod headers;
mod paging;
mod servers;
mod time;

use crate::contract::Proof;
use crate::harness::{budget, guest};
use async_trait::async_trait;
use egress::{Caps, ClientSettings, Dns, DnsResolver, Egress, Entry, Ledger, Resolver, Settings};
use grants::{Basis, Rights};
use manifest::{AddressGrant, HostAsk, HostPattern, Role};
use pipeline::connector::{Reader, Source as _};
use pipeline::failure::Failure;
use pipeline::model::Step;
use runtime::{Grants, Limits};
use serde_json::Value;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A source and what it is granted.
pub(crate) struct Plan {
    guest: &'static str,
    config: Value,
    hosts: Vec<String>,
    addresses: Vec<SocketAddr>,
    limits: Limits,
    resolver: Arc<dyn Resolver>,
}

/// A source that reaches what it was granted, and everything that is seen of it.
pub(crate) struct Wired {
    pub(crate) proof: Proof,
    pub(crate) ledger: Arc<Kept>,
}

impl Plan {
    /// A guest that is pointed at this server and granted all of it.
    pub(crate) fn to(server: SocketAddr, guest: &'static str, config: Value) -> Self {
        let plan = Self::named(&format!("http://{server}"), guest, config);
        Self { addresses: vec![server], ..plan }
    }

    /// A guest that is pointed at this URL and granted it, though none of the addresses behind it.
    pub(crate) fn named(base_url: &str, guest: &'static str, mut config: Value) -> Self {
        config["base_url"] = base_url.into();
        let (hosts, addresses) = (vec![base_url.to_owned()], Vec::new());
        let (limits, resolver) = (Limits::defaults(), Arc::new(DnsResolver::new(Dns::default())));
        Self { guest, config, hosts, addresses, limits, resolver }
    }

    pub(crate) fn without_grants(self) -> Self {
        Self { hosts: Vec::new(), addresses: Vec::new(), ..self }
    }

    pub(crate) fn granting(self, address: SocketAddr) -> Self {
        Self { addresses: vec![address], ..self }
    }

    pub(crate) fn limits(mut self, set: impl FnOnce(&mut Limits)) -> Self {
        set(&mut self.limits);
        self
    }

    pub(crate) fn resolver(self, resolver: impl Resolver + 'static) -> Self {
        Self { resolver: Arc::new(resolver), ..self }
    }

    pub(crate) async fn start(self) -> Wired {
        let component = guest(self.guest).await;
        let asks = component.inspection().manifest.resolve_asks(&self.config).unwrap();
        let host = |url: &String| HostAsk { pattern: HostPattern::parse(url).unwrap(), reason: None };
        let address = |at: &SocketAddr| AddressGrant::exact(at.ip(), at.port());
        let granted = manifest::Grants {
            hosts: self.hosts.iter().map(host).collect(),
            addresses: self.addresses.iter().map(address).collect(),
            ..manifest::Grants::default()
        };
        let basis = Basis {
            document: grants::Document::Sync,
            role: Role::Source,
            name: self.guest,
            connector: self.guest,
            asks: &asks,
            grants: &granted,
            organization: None,
            host: None,
        };
        let ledger = Arc::new(Kept::default());
        let egress =
            Egress::new(Settings { system_roots: false, resolver: self.resolver, ..Settings::default() });
        let rights = Arc::new(Rights::new(&basis));
        let settings = ClientSettings::new(rights, ledger.clone(), caps(&self.limits));
        let client = egress.unwrap().client(settings);
        let grants = Grants { http: Arc::new(client), limits: self.limits, ..Grants::none() };
        Wired { proof: Proof::of(self.guest, self.config, grants).await, ledger }
    }

    /// Start it and read its first stream to the end.
    pub(crate) async fn read(self) -> Result<Vec<Step>, Failure> {
        self.start().await.read(None).await
    }
}

fn caps(limits: &Limits) -> Caps {
    Caps {
        request_body_bytes: limits.request_bytes,
        response_body_bytes: limits.response_bytes,
        total_bytes_out: limits.bytes_out,
        total_bytes_in: limits.bytes_in,
        requests: limits.requests,
        requests_per_second: limits.requests_per_second,
        concurrent_requests: limits.concurrent_requests,
        total_timeout: Duration::from_millis(limits.request_ms),
        ..Caps::default()
    }
}

impl Wired {
    /// A reader of the first stream.
    pub(crate) async fn reader(&self, checkpoint: Option<&str>) -> Box<dyn Reader> {
        let source = self.proof.source();
        let schema = source.discover().await.unwrap().streams.remove(0).schema;
        let mut read = crate::harness::read_of(schema);
        read.checkpoint = checkpoint.map(ToOwned::to_owned);
        source.open(read).await.unwrap()
    }

    /// All steps but the end.
    pub(crate) async fn read(&self, checkpoint: Option<&str>) -> Result<Vec<Step>, Failure> {
        let mut reader = self.reader(checkpoint).await;
        let mut steps = Vec::new();
        loop {
            match reader.next(budget()).await? {
                Step::End => return Ok(steps),
                step => steps.push(step),
            }
        }
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

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Every name has this address.
pub(crate) struct Always(pub(crate) IpAddr);

#[async_trait]
impl Resolver for Always {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![self.0])
    }
}

/// No name is ever resolved.
pub(crate) struct Never;

#[async_trait]
impl Resolver for Never {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}
