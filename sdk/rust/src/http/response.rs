//! One answer.

use std::{
    fmt,
    io::{self, Read},
    time::Duration,
};

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// How much of an unwanted answer a message quotes.
const QUOTE_BYTES_MAX: u64 = 300;

/// An answer: its status and headers are here, its body is read as it comes (it is a [`Read`]).
pub struct Response {
    label: String,
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Box<dyn Read>,
}

impl Response {
    /// An answer put together by hand. For tests of a connector.
    pub fn new(status: u16, headers: Vec<(String, Vec<u8>)>, body: impl Read + 'static) -> Self {
        Self::of("request".to_owned(), status, headers, body)
    }

    pub(super) fn of(
        label: String,
        status: u16,
        headers: Vec<(String, Vec<u8>)>,
        body: impl Read + 'static,
    ) -> Self {
        Self { label, status, headers, body: Box::new(body) }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// All headers, in the order in which they came.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// The first header of this name whose value is text; case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(present, _)| present.eq_ignore_ascii_case(name));
        found.find_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// How long the other system asked to be left alone (`Retry-After` in seconds).
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }

    /// The answer itself if its status is 2xx; otherwise the error that its status means, with the beginning of its
    /// body (see [`Error::from_status`]).
    pub fn success(self) -> Result<Self> {
        if self.is_success() {
            return Ok(self);
        }
        let (status, wait) = (self.status, self.retry_after());
        let mut quote = Vec::new();
        // The status is the news; a body that breaks off adds nothing to it.
        let _ = self.body.take(QUOTE_BYTES_MAX).read_to_end(&mut quote);
        let quote = String::from_utf8_lossy(&quote);
        let quote = quote.split_whitespace().collect::<Vec<_>>().join(" ");
        let separator = if quote.is_empty() { "" } else { ": " };
        let message = format!("{} answered {status}{separator}{quote}", self.label);
        Err(Error::from_status(status, wait, message))
    }

    /// The body of a successful answer as a value.
    pub fn json<T: DeserializeOwned>(self) -> Result<T> {
        let answer = self.success()?;
        let label = answer.label.clone();
        serde_json::from_slice(&answer.bytes()?).map_err(|fault| Error::from(fault).context(label))
    }

    /// The body of a successful answer as text.
    pub fn text(self) -> Result<String> {
        let answer = self.success()?;
        let label = answer.label.clone();
        String::from_utf8(answer.bytes()?)
            .map_err(|_| Error::data(format!("{label} answered bytes that are not UTF-8")))
    }

    /// The body, whatever the status.
    pub fn bytes(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for Response {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("request", &self.label)
            .field("status", &self.status)
            .finish()
    }
}
