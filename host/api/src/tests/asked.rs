//! One request and what becomes of it.

use super::world::World;
use crate::peer::Peer;
use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use std::net::IpAddr;
use tower::ServiceExt;

pub(crate) const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// A request that is sent when it is awaited.
pub(crate) struct Asking<'a> {
    world: &'a World,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    from: IpAddr,
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(world: &'a World, method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        let headers = vec![("host".to_owned(), "cofferdam.test".to_owned())];
        Self { world, method, path, headers, body: Bytes::new(), from: HERE }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn from(self, address: &str) -> Self {
        Self { from: address.parse().unwrap(), ..self }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// The bytes of a component.
    pub(crate) fn wasm(self, body: impl Into<Bytes>) -> Self {
        let asking = self.header("content-type", "application/wasm");
        Self { body: body.into(), ..asking }
    }

    pub(crate) fn body(self, body: impl Into<Bytes>) -> Self {
        let asking = self.header("content-type", "application/json");
        Self { body: body.into(), ..asking }
    }
}

impl Asking<'_> {
    /// The answer without its body, which may have no end.
    pub(crate) async fn open(self) -> (Reply, Body) {
        let mut request = Request::builder().method(self.method.as_str()).uri(self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(Body::from(self.body)).unwrap();
        request.extensions_mut().insert(Peer(self.from));
        let (parts, body) = self.world.router.clone().oneshot(request).await.unwrap().into_parts();
        (Reply { status: parts.status, headers: parts.headers, body: Bytes::new() }, body)
    }
}

impl<'a> IntoFuture for Asking<'a> {
    type Output = Reply;
    type IntoFuture = BoxFuture<'a, Reply>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (reply, body) = self.open().await;
            // What has no end is not waited for.
            if reply.header("content-type") == Some("text/event-stream") {
                return reply;
            }
            let body = body.collect().await.unwrap().to_bytes();
            Reply { body, ..reply }
        })
    }
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    /// The text at this pointer.
    pub(crate) fn text(&self, pointer: &str) -> String {
        let json = self.json();
        let text = json.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text at {pointer}: {json}")).to_owned()
    }

    /// The code of a refusal, with its status.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status(), self.text("/code"))
    }
}
