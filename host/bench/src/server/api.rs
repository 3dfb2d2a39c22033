//! The API of a server, as a program asks it that has a token.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Requests at one time while something is set up. More of one organization that stand on the same connections would too often
/// be in each other's way, and be asked to come again.
const AT_ONCE: usize = 4;

/// A server, and what is shown to it.
#[derive(Clone)]
pub(super) struct Api {
    client: Client<HttpConnector, Full<Bytes>>,
    url: Arc<str>,
    token: Arc<str>,
}

impl Api {
    pub(super) fn new(url: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, url: url.into(), token: "".into() }
    }

    /// The same server, asked as somebody else.
    pub(super) fn with(&self, token: &str) -> Self {
        Self { token: token.into(), ..self.clone() }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.json(Method::GET, path, (Bytes::new(), "application/json")).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { Bytes::new() } else { serde_json::to_vec(body)?.into() };
        self.json(Method::POST, path, (body, "application/json")).await
    }

    pub(super) async fn upload(&self, path: &str, component: Vec<u8>) -> Result<Value> {
        self.json(Method::POST, path, (component.into(), "application/wasm")).await
    }

    /// Several posts at one time; their answers in no order.
    pub(super) async fn post_all(&self, posts: Vec<(String, Value)>) -> Result<Vec<Value>> {
        let asked = posts.into_iter().map(|(path, body)| async move { self.post(&path, &body).await });
        stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Whatever an answer is, as text.
    pub(super) async fn read(&self, path: &str) -> Result<String> {
        Ok(String::from_utf8(self.open(path).await?.collect().await?.to_bytes().to_vec())?)
    }

    /// An answer that is not read yet.
    pub(super) async fn open(&self, path: &str) -> Result<Incoming> {
        self.ask(Method::GET, path, (Bytes::new(), "application/json")).await
    }

    async fn json(&self, method: Method, path: &str, body: (Bytes, &str)) -> Result<Value> {
        let body = self.ask(method, path, body).await?.collect().await?.to_bytes();
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&body)?) }
    }

    async fn ask(&self, method: Method, path: &str, (body, kind): (Bytes, &str)) -> Result<Incoming> {
        let mut request = Request::builder().method(&method).uri(self.url(path)).header(CONTENT_TYPE, kind);
        if !self.token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        }
        let answer = self.client.request(request.body(Full::new(body))?).await;
        let answer = answer.with_context(|| format!("failed to ask for `{path}`"))?;
        let status = answer.status();
        if !status.is_success() {
            let said = answer.into_body().collect().await?.to_bytes();
            bail!("{method} {path}: {status} {}", String::from_utf8_lossy(&said));
        }
        Ok(answer.into_body())
    }
}

/// A text of an answer.
pub(super) fn text(answer: &Value, name: &str) -> Result<String> {
    let found = answer.get(name).and_then(Value::as_str);
    Ok(found.with_context(|| format!("an answer has no `{name}`: {answer}"))?.to_owned())
}

/// A part of an answer.
pub(super) fn part<'a>(answer: &'a Value, name: &str) -> Result<&'a Value> {
    answer.get(name).with_context(|| format!("an answer has no `{name}`: {answer}"))
}

/// A number of an answer.
pub(super) fn number(answer: &Value, name: &str) -> Result<u64> {
    let found = answer.get(name).and_then(Value::as_u64);
    found.with_context(|| format!("an answer has no `{name}`: {answer}"))
}
