//! Where connections come in: as many as there are places for, each on a task of its own.

use super::line::Line;
use super::places::{self, Places};
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use measures::Refused;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// What the system runs out of when it cannot accept (open files) comes back in a moment.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

pub(super) struct Gate {
    listener: TcpListener,
    line: Line,
    places: Arc<Places>,
    proxies: Vec<IpNet>,
}

impl Gate {
    pub(super) fn new(listener: TcpListener, line: Line) -> Self {
        let places = Places::new(&line.limits);
        Self { listener, line, places, proxies: Vec::new() }
    }

    /// Behind these are many people.
    pub(super) fn behind(self, proxies: Vec<IpNet>) -> Self {
        Self { proxies, ..self }
    }

    /// Takes whoever comes. What it waits for may be dropped at any time.
    pub(super) async fn take_all(&self, graceful: &GracefulShutdown) -> Infallible {
        loop {
            let (place, accepted) = self.accept().await;
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            let peer = peer.ip().to_canonical();
            let is_proxy = self.proxies.iter().any(|range| range.contains(&peer));
            let Some(place) = place.of(peer, is_proxy) else {
                self.line.measures.connection_refused(Refused::AddressFull);
                continue;
            };
            let (line, watcher) = (self.line.clone(), graceful.watcher());
            tokio::spawn(async move {
                line.serve(stream, peer, watcher).await;
                drop(place);
            });
        }
    }

    /// A connection, as soon as there is a place for it.
    async fn accept(&self) -> (places::Free, std::io::Result<(TcpStream, SocketAddr)>) {
        (self.places.free().await, self.listener.accept().await)
    }
}
