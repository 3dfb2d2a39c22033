//! One request being put together.

use std::{
    fmt,
    io::{Cursor, Read},
    time::Duration,
};

use form_urlencoded::Serializer;
use serde::Serialize;

use super::{Response, url::Url, wire};
use crate::{Error, Result};

/// A request. What is wrong with a part of it is said by [`send`](Self::send).
pub struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Option<Box<dyn Read>>,
    pub(super) timeout: Option<Duration>,
    fault: Option<Error>,
}

impl Request {
    pub(super) fn new(method: String, url: String, timeout: Option<Duration>) -> Self {
        Self { method, url, query: String::new(), headers: Vec::new(), body: None, timeout, fault: None }
    }

    /// Add a query parameter; name and value are encoded here.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.query = Serializer::new(self.query).append_pair(name, &value.to_string()).finish();
        self
    }

    /// Set a header, in place of one of the same name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// How long to wait for a connection, for the first byte, and between bytes, within the host's own limits.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Send these bytes; their length is announced.
    pub fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let request = self.header("content-length", bytes.len().to_string());
        Self { body: Some(Box::new(Cursor::new(bytes))), ..request }
    }

    /// Send what this reader gives, while it gives it. The answer is read after the last byte was sent.
    pub fn body_from(self, reader: impl Read + 'static) -> Self {
        Self { body: Some(Box::new(reader)), ..self }
    }

    /// Send this value as JSON.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.header("content-type", "application/json").body(bytes),
            Err(fault) => {
                self.fault = Some(Error::bug(format!("a body that JSON cannot say: {fault}")));
                self
            }
        }
    }

    /// Send these pairs as a form.
    pub fn form<'a>(self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let body = Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Send it, and wait for status and headers of the answer. An answer of any status is an answer; see
    /// [`Response::success`] and [`Response::json`].
    pub fn send(self) -> Result<Response> {
        wire::Sent::new(self)?.wait()
    }

    /// The URL's parts; the first fault noticed while it was put together.
    pub(super) fn parsed(&self) -> Result<Url<'_>> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => Url::parse(&self.url),
        }
    }

    /// What messages call it. The query is left out: it may be long, and it may hold what is nobody's business.
    pub(super) fn label(&self) -> String {
        let end = self.url.find(['?', '#']).unwrap_or(self.url.len());
        format!("{} {}", self.method, self.url.get(..end).unwrap_or_default())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Request").field(&self.label()).finish()
    }
}
