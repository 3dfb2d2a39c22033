//! A server on loopback that answers the same to everything, on a thread of its own.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use bytes::Bytes;
use egress::{Entry, Ledger};
use grants::{Basis, Rights};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use manifest::{AddressGrant, Asks, Grants, HostAsk, HostPattern, Role};
use tokio::net::TcpListener;

/// Counts what it answers, and what came with an authorization.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    answered: Arc<AtomicU64>,
    authorized: Arc<AtomicU64>,
    _runtime: tokio::runtime::Runtime,
}

impl Upstream {
    pub(crate) fn answering(body: Bytes) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let (answered, authorized) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counted = (answered.clone(), authorized.clone());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let ((answered, authorized), body) = (counted.clone(), body.clone());
                let answer = move |request: http::Request<_>| {
                    answered.fetch_add(1, Ordering::Relaxed);
                    if request.headers().contains_key(http::header::AUTHORIZATION) {
                        authorized.fetch_add(1, Ordering::Relaxed);
                    }
                    std::future::ready(Ok::<_, Infallible>(hyper::Response::new(Full::new(body.clone()))))
                };
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), hyper::service::service_fn(answer));
                // A connection that breaks is seen by its client.
                tokio::spawn(async move { drop(serving.await) });
            }
        });
        Ok(Self { address, answered, authorized, _runtime: runtime })
    }

    /// Without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs, and holds the count of requests against what the client says.
    pub(crate) fn expecting<T>(&self, requests: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self.answered.load(Ordering::Relaxed);
        let done = work()?;
        let answered = self.answered.load(Ordering::Relaxed) - before;
        ensure!(answered == requests as u64, "{answered} requests instead of {requests}");
        Ok(done)
    }

    /// How many requests came with an authorization so far.
    pub(crate) fn authorized(&self) -> u64 {
        self.authorized.load(Ordering::Relaxed)
    }

    /// Rights that allow this server and nothing else.
    pub(crate) fn rights(&self) -> Result<Rights> {
        let host = HostAsk { pattern: HostPattern::parse(&self.url())?, reason: None };
        let asks = Asks { hosts: vec![host.clone()], ..Asks::default() };
        let address = AddressGrant::exact(self.address.ip(), self.address.port());
        let grants = Grants { hosts: vec![host], addresses: vec![address], ..Grants::default() };
        let (role, name) = (Role::Source, "source");
        Ok(Rights::new(&Basis {
            document: grants::Document::Sync,
            role,
            name,
            connector: "source",
            asks: &asks,
            grants: &grants,
            organization: None,
            host: None,
        }))
    }
}

/// Counts entries: a run's ledger costs what its keeper makes it cost, and this is about egress.
#[derive(Default)]
pub(crate) struct Counting(pub(crate) AtomicU64);

impl Ledger for Counting {
    fn record(&self, _: Entry) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
