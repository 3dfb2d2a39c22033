//! Makes a connection: resolves, judges every address, dials a judged one, speaks TLS and HTTP over it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::client::Shared;
use crate::lease::{Ends, Lease, Sender, Tasks};
use crate::resolve::ADDRESSES_MAX;
use crate::revoke::judge_address;
use crate::target::{Origin, Target};
use crate::{Error, Limit, Result, scrubbed};

/// When the next address is tried beside the one that has not answered yet (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);
/// hyper reads at least this much at once.
const READ_BYTES_MIN: usize = 8192;

/// A fresh connection, or why there is none.
///
/// Within a network that was granted as a whole every failure takes as long as the one that takes longest: told sooner, it
/// would say which addresses have a machine, and which machines a service.
pub(crate) async fn dial(shared: &Shared, target: &Target, allowed: Duration) -> Result<Lease> {
    let end = Instant::now() + allowed;
    let late = |_elapsed| Error::Timeout { limit: Limit::ConnectTimeout, allowed };
    let addresses = tokio::time::timeout_at(end, vetted(shared, target)).await.map_err(late)??;
    let reached =
        tokio::time::timeout_at(end, reach(shared, target, &addresses)).await.map_err(late).flatten();
    if reached.is_err() && addresses.iter().any(|at| shared.gate.is_one_of_many(at.ip(), at.port())) {
        tokio::time::sleep_until(end).await;
    }
    reached
}

async fn reach(shared: &Shared, target: &Target, addresses: &[SocketAddr]) -> Result<Lease> {
    let origin = &target.origin;
    let failed = |source| Error::Connect { host: origin.host.as_ref().to_owned(), port: origin.port, source };
    match &shared.outlet.proxy {
        None => {
            let (stream, address) = first(addresses, TcpStream::connect).await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            speak(shared, target, stream, address).await
        }
        Some(proxy) => {
            let through = |address| proxy.connect(address, Tasks::under(&shared.standing.revoked));
            let (stream, address) = first(addresses, through).await.map_err(failed)?;
            speak(shared, target, stream, address).await
        }
    }
}

/// TLS where it is asked for, and HTTP.
async fn speak<S>(shared: &Shared, target: &Target, stream: S, address: SocketAddr) -> Result<Lease>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let origin = &target.origin;
    let tasks = Tasks::under(&shared.standing.revoked);
    let ends = Arc::new(Ends(tasks.clone()));
    let sender = if origin.secure {
        let failed = |source| Error::Tls {
            host: origin.host.as_ref().to_owned(),
            source: scrubbed::tls(&shared.secrets, source),
        };
        let name = server_name(target).map_err(failed)?;
        let config = shared.tls_config().await.map_err(failed)?;
        let (config, shown) = match &origin.identity {
            Some(identity) => {
                let (config, shown) = identity.present(&config);
                (config, Some((identity, shown)))
            }
            None => (config, None),
        };
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(failed)?;
        if let Some((identity, shown)) = shown {
            identity.check(&shown)?;
        }
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            handshake_two(shared, origin, stream, tasks).await?
        } else {
            handshake_one(shared, origin, stream, tasks).await?
        }
    } else {
        handshake_one(shared, origin, stream, tasks).await?
    };
    Ok(Lease { origin: origin.clone(), address, sender, reused: false, ends })
}

/// The addresses that may be dialed. One refused address refuses the name: which of them answers is up to the network.
async fn vetted(shared: &Shared, target: &Target) -> Result<Vec<SocketAddr>> {
    let origin = &target.origin;
    let failed = |source| Error::Resolve { host: origin.host.as_ref().to_owned(), source };
    let found = match target.literal {
        Some(address) => vec![address],
        None => {
            shared.lookups.admit(&origin.host, &shared.caps).await?;
            shared.outlet.resolver.resolve(&origin.host).await.map_err(failed)?
        }
    };
    if found.is_empty() {
        return Err(failed(io::Error::new(io::ErrorKind::NotFound, "the name has no addresses")));
    }
    if found.len() > ADDRESSES_MAX {
        return Err(failed(io::Error::other("the name has more addresses than any honest name")));
    }
    let addresses: Vec<SocketAddr> =
        found.into_iter().map(|address| SocketAddr::new(address, origin.port)).collect();
    for address in &addresses {
        judge_address(&*shared.gate, origin, *address)?;
    }
    Ok(interleaved(addresses))
}

/// The families in turn, so that one that is not routed costs one stagger only.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut ordered = Vec::with_capacity(one.len() + other.len());
    one.reverse();
    other.reverse();
    loop {
        let (a, b) = (one.pop(), other.pop());
        if a.is_none() && b.is_none() {
            return ordered;
        }
        ordered.extend(a.into_iter().chain(b));
    }
}

/// The first of the addresses that answers. The next is tried when one fails, or is slow.
async fn first<S, W>(
    addresses: &[SocketAddr],
    connect: impl Fn(SocketAddr) -> W,
) -> io::Result<(S, SocketAddr)>
where
    W: Future<Output = io::Result<S>>,
{
    let connect = |address: &SocketAddr| {
        let (address, connecting) = (*address, connect(*address));
        async move { connecting.await.map(|stream| (stream, address)) }
    };
    let mut waiting = addresses.iter();
    let mut attempts = FuturesUnordered::new();
    attempts.extend(waiting.next().map(connect));
    loop {
        tokio::select! {
            attempt = attempts.next() => match (attempt, waiting.next()) {
                (Some(Ok(stream)), _) => return Ok(stream),
                (_, Some(address)) => attempts.push(connect(address)),
                (Some(Err(error)), None) if attempts.is_empty() => return Err(error),
                (Some(Err(_)), None) => {}
                (None, None) => return Err(io::Error::from(io::ErrorKind::AddrNotAvailable)),
            },
            () = tokio::time::sleep(STAGGER), if waiting.len() > 0 => {
                attempts.extend(waiting.next().map(connect));
            }
        }
    }
}

fn server_name(target: &Target) -> io::Result<ServerName<'static>> {
    match target.literal {
        Some(IpAddr::V4(address)) => Ok(ServerName::IpAddress(IpAddr::V4(address).into())),
        Some(IpAddr::V6(address)) => Ok(ServerName::IpAddress(IpAddr::V6(address).into())),
        None => ServerName::try_from(target.origin.host.as_ref().to_owned()).map_err(io::Error::other),
    }
}

async fn handshake_one<S>(shared: &Shared, origin: &Origin, stream: S, tasks: Tasks) -> Result<Sender>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let head = shared.caps.response_head_bytes;
    let mut builder = http1::Builder::new();
    builder.max_header_size(head).max_buf_size(head.max(READ_BYTES_MIN));
    let (sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|source| lost(origin, source))?;
    tasks.spawn(ignore_end(connection));
    Ok(Sender::One(sender))
}

async fn handshake_two<S>(shared: &Shared, origin: &Origin, stream: S, tasks: Tasks) -> Result<Sender>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let head = u32::try_from(shared.caps.response_head_bytes).unwrap_or(u32::MAX);
    let mut builder = http2::Builder::new(tasks.clone());
    builder.max_header_list_size(head);
    let (sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|source| lost(origin, source))?;
    tasks.spawn(ignore_end(connection));
    Ok(Sender::Two(sender))
}

/// How a connection ends is told to the request that it carried; an idle one may end as it likes.
async fn ignore_end(connection: impl Future<Output = hyper::Result<()>>) {
    if let Err(error) = connection.await {
        tracing::trace!(%error, "connection ended");
    }
}

fn lost(origin: &Origin, source: hyper::Error) -> Error {
    Error::ConnectionLost { host: origin.host.as_ref().to_owned(), source: source.into() }
}
