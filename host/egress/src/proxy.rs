//! A way out through a proxy of the operator's. It is told the judged address and never the name: a proxy that looks names
//! up would dial what nobody has judged.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::lease::{Ends, Tasks};

/// More than any proxy has to say before a connection is through.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// An HTTP proxy that takes `CONNECT`.
#[derive(Clone, Debug)]
pub struct Proxy {
    address: SocketAddr,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// A proxy at this address, which the operator answers for: no gate is asked about it.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, authorization: None }
    }

    /// What the proxy wants to see in `Proxy-Authorization`.
    #[must_use]
    pub fn authorized(mut self, mut authorization: HeaderValue) -> Self {
        authorization.set_sensitive(true);
        self.authorization = Some(authorization);
        self
    }

    /// A connection to this address through the proxy.
    pub(crate) async fn connect(&self, address: SocketAddr, tasks: Tasks) -> io::Result<TokioIo<Upgraded>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_BYTES_MAX);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        tasks.spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::trace!(%error, "connection to the proxy ended");
            }
        });
        // A proxy that never answers must not outlive who waits for it.
        let _ends = Ends(tasks);
        let response = sender.send_request(self.request(address)?).await.map_err(io::Error::other)?;
        self.check(&response)?;
        let through = hyper::upgrade::on(response).await.map_err(io::Error::other)?;
        Ok(TokioIo::new(through))
    }

    fn request(&self, address: SocketAddr) -> io::Result<Request<Empty<Bytes>>> {
        let target = address.to_string();
        let mut request = Request::connect(&target).header(HOST, &target);
        if let Some(authorization) = &self.authorization {
            request = request.header(PROXY_AUTHORIZATION, authorization);
        }
        request.body(Empty::new()).map_err(io::Error::other)
    }

    fn check(&self, response: &Response<Incoming>) -> io::Result<()> {
        if response.status().is_success() {
            return Ok(());
        }
        Err(io::Error::other(format!("the proxy `{}` answered with {}", self.address, response.status())))
    }
}
