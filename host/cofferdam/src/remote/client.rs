//! Asks a server: one connection for one request. Knows no route.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsConnector, rustls};
use vault::Plaintext;

use super::Error;
use super::address::Address;
use super::refused::refused;
use crate::problem::Problems;

const DIAL_WITHIN: Duration = Duration::from_secs(10);
/// Longer than a server gives itself for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// A page of a list is smaller, whatever is on it.
const DOCUMENT_BYTES_MAX: usize = 32 << 20;
/// By which a server knows a request that comes again.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const NAME: &str = concat!("cofferdam/", env!("CARGO_PKG_VERSION"));

/// Asks one server, as one person or program, or as nobody.
pub(crate) struct Client {
    pub(crate) address: Address,
    tls: Option<TlsConnector>,
    token: Option<Plaintext>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What a server answers.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Incoming,
}

impl Wish {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn with(mut self, kind: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        self.body = body.into();
        self
    }

    pub(crate) fn with_json(self, body: &Value) -> Self {
        self.with("application/json", body.to_string())
    }

    /// What is to come again when nobody knows whether it was done: a server does it once.
    pub(crate) fn once(mut self) -> Self {
        if self.method == Method::POST
            && let Ok(key) = HeaderValue::from_str(&format!("{:032x}", fastrand::u128(..)))
        {
            self.headers.insert(IDEMPOTENCY_KEY, key);
        }
        self
    }

    /// Whether it may be sent again when its answer was lost.
    fn may_repeat(&self) -> bool {
        self.method != Method::POST || self.headers.contains_key(IDEMPOTENCY_KEY)
    }
}

impl Client {
    pub(super) fn new(address: Address, tls: Option<TlsConnector>, token: Option<Plaintext>) -> Self {
        Self { address, tls, token }
    }

    /// The answer to what was done, whose body is still on its way. What the server refuses is a problem.
    pub(crate) async fn ask(&self, wish: &Wish) -> Result<Answer, Problems> {
        let answered = match self.send(wish).await {
            // The connection broke when the request was on its way.
            Err(Lost::OnTheWay(_)) if wish.may_repeat() => self.send(wish).await,
            other => other,
        };
        let (status, answer) = match answered {
            Ok(answer) => answer,
            Err(Lost::Before(error)) => return Err(error.into()),
            Err(Lost::OnTheWay(reason)) => return Err(self.unreached(reason).into()),
        };
        if status.is_success() { Ok(answer) } else { Err(refused(self, status, answer).await) }
    }

    /// The document that is answered; null where there is none.
    pub(crate) async fn document(&self, wish: &Wish) -> Result<Value, Problems> {
        Ok(self.tagged(wish).await?.0)
    }

    /// The same, with the name of what it shows.
    pub(crate) async fn tagged(&self, wish: &Wish) -> Result<(Value, Option<HeaderValue>), Problems> {
        let Answer { headers, body } = self.ask(wish).await?;
        let bytes = self.whole(body).await?;
        let tag = headers.get(http::header::ETAG).cloned();
        if bytes.is_empty() {
            return Ok((Value::Null, tag));
        }
        let document = serde_json::from_slice(&bytes);
        Ok((document.map_err(|error| self.strange(format!("its answer is no JSON: {error}")))?, tag))
    }

    /// All of a body.
    pub(super) async fn whole(&self, body: Incoming) -> Result<Bytes, Error> {
        let whole = Limited::new(body, DOCUMENT_BYTES_MAX).collect().await;
        Ok(whole.map_err(|error| self.strange(format!("its answer breaks off: {error}")))?.to_bytes())
    }

    pub(super) fn strange(&self, reason: String) -> Error {
        Error::Strange { server: self.address.to_string(), reason }
    }

    fn unreached(&self, reason: String) -> Error {
        Error::Unreached { server: self.address.to_string(), reason, is_untrusted: false }
    }

    async fn send(&self, wish: &Wish) -> Result<(StatusCode, Answer), Lost> {
        let dialed = tokio::time::timeout(DIAL_WITHIN, self.dial()).await;
        let stream =
            dialed.map_err(|_| Lost::Before(self.unreached("it does not answer in time".to_owned())))?;
        let stream = stream.map_err(Lost::Before)?;
        let way = |error: hyper::Error| Lost::OnTheWay(causes(&error));
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(way)?;
        // Ends with the answer's body, or when nobody waits for it any more.
        tokio::spawn(connection);
        let request = self.request(wish).map_err(Lost::Before)?;
        let sent = tokio::time::timeout(ANSWER_WITHIN, sender.send_request(request)).await;
        let late = |_| Lost::Before(self.unreached("the answer does not come in time".to_owned()));
        let response = sent.map_err(late)?.map_err(way)?;
        let (head, body) = response.into_parts();
        Ok((head.status, Answer { headers: head.headers, body }))
    }

    fn request(&self, wish: &Wish) -> Result<Request<Full<Bytes>>, Error> {
        let strange = |_| self.strange("what is asked for cannot be written as a request".to_owned());
        let mut request = Request::builder().method(wish.method.clone()).uri(&wish.path);
        if let Some(headers) = request.headers_mut() {
            headers.extend(wish.headers.clone());
            headers.insert(USER_AGENT, HeaderValue::from_static(NAME));
            headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
            headers.insert(
                HOST,
                HeaderValue::from_str(&self.address.authority())
                    .map_err(|_| self.strange("its name cannot be written in a request".to_owned()))?,
            );
            if let Some(token) = &self.token {
                let bearer = [b"Bearer ", token.expose()].concat();
                let mut value = HeaderValue::from_bytes(&bearer).map_err(|_| self.not_logged_in())?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
        }
        request.body(Full::new(wish.body.clone())).map_err(strange)
    }

    fn not_logged_in(&self) -> Error {
        Error::NotLoggedIn { server: self.address.to_string() }
    }

    async fn dial(&self) -> Result<Box<dyn Stream>, Error> {
        let Address { host, port, .. } = &self.address;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let found = found.map_err(|error| self.unreached(error.to_string()))?;
        let mut reason = "its name stands for no address that may be asked".to_owned();
        for address in found.filter(|address| self.address.may_dial(address)) {
            match TcpStream::connect(address).await {
                Ok(stream) => return self.secured(stream).await,
                Err(error) => reason = format!("{address}: {error}"),
            }
        }
        Err(self.unreached(reason))
    }

    async fn secured(&self, stream: TcpStream) -> Result<Box<dyn Stream>, Error> {
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(self.address.host.clone());
        let name = name.map_err(|error| self.unreached(error.to_string()))?;
        let failed = |error: std::io::Error| {
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            let is_untrusted = matches!(tls, Some(rustls::Error::InvalidCertificate(_)));
            let (server, reason) = (self.address.to_string(), error.to_string());
            Error::Unreached { server, reason, is_untrusted }
        };
        Ok(Box::new(tls.connect(name, stream).await.map_err(failed)?))
    }
}

/// Why there is no answer.
enum Lost {
    /// Nothing was done.
    Before(Error),
    /// Something may have been done.
    OnTheWay(String),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

fn causes(error: &dyn std::error::Error) -> String {
    let rest = std::iter::successors(error.source(), |cause| cause.source());
    rest.fold(error.to_string(), |all, cause| format!("{all}: {cause}"))
}
