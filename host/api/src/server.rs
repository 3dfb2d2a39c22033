//! Takes connections, within bounds, and lets them end well when the server ends.
//!
//! Which version of HTTP a connection speaks is settled by its handshake of TLS, and is 1.1 without TLS: nobody gets to be
//! waited for while a server guesses.

use crate::error::Error;
use crate::house::House;
use crate::operations::Operations;
use crate::options::{Options, Transport};
use crate::parts::Parts;
use crate::router::router;
use crate::tls::{Files, Shown, acceptor};
use gate::Gate;
use hyper_util::server::graceful::GracefulShutdown;
use line::Line;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

mod gate;
mod line;
mod places;

/// Whoever operates the server reaches it by a few connections, however many others there are.
const OPERATIONS_CONNECTIONS_MAX: usize = 32;

/// A server that listens, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    house: House,
    tls: Option<Tls>,
    operations: Option<(TcpListener, SocketAddr, Operations)>,
}

/// How connections are encrypted, and where that comes from.
struct Tls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    /// None: somebody else sees to certificates.
    files: Option<Files>,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request under way was answered.
    All,
    /// Some were cut off at the end of the time for it.
    CutOff,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// When other machines would reach it without TLS, files of TLS are of no use, or the address is taken.
    pub async fn bind(parts: Parts, options: Options) -> Result<Self, Error> {
        let address = options.address;
        let tls = match &options.transport {
            Transport::Plain if !address.ip().to_canonical().is_loopback() => {
                return Err(Error::PlainNotLoopback { address });
            }
            Transport::Plain => None,
            Transport::Tls { certificate, key } => {
                let shown = Arc::new(Shown::default());
                let mut files = Files::new(certificate.clone(), key.clone(), Arc::clone(&shown));
                files.look()?;
                Some(Tls { acceptor: acceptor(Arc::clone(&shown), false)?, shown, files: Some(files) })
            }
            Transport::Given(certificates) => {
                let shown = Arc::clone(&certificates.0);
                Some(Tls { acceptor: acceptor(Arc::clone(&shown), true)?, shown, files: None })
            }
        };
        let (listener, address) = listen(address).await?;
        Ok(Self { listener, address, house: House::new(parts, options), tls, operations: None })
    }

    /// Listens for who operates it, too.
    ///
    /// # Errors
    /// When others would read what it counts, or the address is taken.
    pub async fn with_operations(mut self, operations: Operations) -> Result<Self, Error> {
        operations.judge(self.tls.is_some())?;
        let (listener, address) = listen(operations.address).await?;
        self.operations = Some((listener, address, operations));
        Ok(self)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for who operates it.
    #[must_use]
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.operations.as_ref().map(|(_, address, _)| *address)
    }

    /// Answers until `stop` ends: then takes no more connections, and answers what is under way.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Drained {
        let Self { listener, house, tls, operations, .. } = self;
        let (limits, measures) = (house.options.limits, Arc::clone(&house.parts.measures));
        let (acceptor, shown) =
            tls.as_ref().map(|tls| (tls.acceptor.clone(), Arc::clone(&tls.shown))).unzip();
        let line = |router, tls| Line { router, limits, tls, measures: Arc::clone(&measures) };
        let graceful = GracefulShutdown::new();
        let for_people = Gate::new(listener, line(router(house.clone()), acceptor.clone()))
            .behind(house.options.proxies.clone());
        // Who operates a server wants to know, too, how it ends.
        let beside = GracefulShutdown::new();
        let for_operators = operations.map(|(listener, address, operations)| {
            let ends = move || shown.as_ref().and_then(|shown| shown.ends());
            let tls = acceptor.filter(|_| !address.ip().to_canonical().is_loopback());
            let mut line = line(operations.router(house.clone(), ends), tls);
            line.limits.connections_max = OPERATIONS_CONNECTIONS_MAX;
            Gate::new(listener, line)
        });
        let watching = async {
            match tls.and_then(|tls| tls.files) {
                Some(files) => files.watch(limits.certificates).await,
                None => std::future::pending().await,
            }
        };
        let operating = async {
            match &for_operators {
                Some(gate) => gate.take_all(&beside).await,
                None => std::future::pending().await,
            }
        };
        let draining = async {
            tokio::select! {
                () = stop => {}
                never = for_people.take_all(&graceful) => match never {},
            }
            drop(for_people);
            house.begin_to_drain();
            tokio::time::timeout(limits.drain, graceful.shutdown()).await
        };
        let drained = tokio::select! {
            drained = draining => drained,
            never = operating => match never {},
            never = watching => match never {},
        };
        if drained.is_ok() { Drained::All } else { Drained::CutOff }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let fault = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    Ok((listener, address))
}
