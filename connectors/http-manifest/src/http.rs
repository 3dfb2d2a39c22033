//! The one way to the other system, as a trait so that everything else can be tested without a host.

use std::time::Duration;

use cofferdam_sdk::{Result, http::Client};

/// A request that is put together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// Absolute, with its query.
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// An answer of any status, with all of its body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Sends requests. Called once for each page, redirects apart, and never again after an error.
pub(crate) trait Http {
    /// Send a request and read its answer; an answer that breaks off is an error. `time` is how long each wait for
    /// the other system may be.
    fn send(&mut self, call: &Call, time: Duration) -> Result<Answer>;
}

/// Sends requests through the host.
pub(crate) struct HostHttp;

impl Http for HostHttp {
    fn send(&mut self, call: &Call, time: Duration) -> Result<Answer> {
        let mut request = Client::new().timeout(time).request(call.method, &call.url);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let response = request.send()?;
        let headers = response.headers().iter();
        // A header that is no text says nothing to a template.
        let headers =
            headers.filter_map(|(name, value)| Some((name.clone(), String::from_utf8(value.clone()).ok()?)));
        Ok(Answer { status: response.status(), headers: headers.collect(), body: response.bytes()? })
    }
}

impl Call {
    /// What messages call it, without the query: it may be long, and it may hold what is nobody's business.
    pub(crate) fn label(&self) -> String {
        let end = self.url.find(['?', '#']).unwrap_or(self.url.len());
        format!("{} {}", self.method, self.url.get(..end).unwrap_or_default())
    }
}

impl Answer {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(present, _)| present.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }
}
