//! HTTP through the host's gate.
//!
//! The host decides what may be reached, places credentials after the connector's last touch, decompresses, and
//! follows no redirect. There are no retries here: an answer of 429 or 5xx becomes an [`Error`](crate::Error) with the
//! wait that the other system asked for, and the host tries again from the last checkpoint.
//!
//! Outside of a component each request fails, for there is no host.

mod fault;
mod in_flight;
mod request;
mod response;
mod url;
mod wire;

use std::time::Duration;

pub use in_flight::InFlight;
pub use request::Request;
pub use response::Response;

/// Makes requests that share headers and a time limit.
///
/// ```no_run
/// use cofferdam_sdk::http::Client;
///
/// #[derive(serde::Deserialize)]
/// struct Movies {
///     items: Vec<serde_json::Value>,
/// }
///
/// let client = Client::new().header("accept-language", "en");
/// let movies: Movies = client.get("https://api.example.com/movies").query("page", 3).send()?.json()?;
/// client.post("https://api.example.com/seen").json(&movies.items.len()).send()?.success()?;
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    headers: Vec<(String, String)>,
    timeout: Option<Duration>,
}

impl Client {
    /// No headers but a user agent, and the time limits of the host.
    pub fn new() -> Self {
        let agent = concat!("cofferdam-connector/", env!("CARGO_PKG_VERSION"));
        Self { headers: vec![("user-agent".to_owned(), agent.to_owned())], timeout: None }
    }

    /// Send this header with each request. Names are compared without regard to case; the last one counts.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// How long to wait for a connection, for the first byte, and between bytes. The host's own limits hold as well, and
    /// alone where this is not called.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// GET this absolute URL.
    pub fn get(&self, url: impl Into<String>) -> Request {
        self.request("GET", url)
    }

    /// POST to this absolute URL.
    pub fn post(&self, url: impl Into<String>) -> Request {
        self.request("POST", url)
    }

    /// PUT to this absolute URL.
    pub fn put(&self, url: impl Into<String>) -> Request {
        self.request("PUT", url)
    }

    /// PATCH at this absolute URL.
    pub fn patch(&self, url: impl Into<String>) -> Request {
        self.request("PATCH", url)
    }

    /// DELETE at this absolute URL.
    pub fn delete(&self, url: impl Into<String>) -> Request {
        self.request("DELETE", url)
    }

    /// Any method at this absolute URL.
    pub fn request(&self, method: &str, url: impl Into<String>) -> Request {
        let request = Request::new(method.to_owned(), url.into(), self.timeout);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// Send many requests, at most `in_flight` of them at a time. Answers come as they arrive, each with the place of
    /// its request; a request is made when there is room for it.
    ///
    /// ```no_run
    /// use cofferdam_sdk::http::Client;
    ///
    /// let client = Client::new();
    /// let pages = (1..=100).map(|page| client.get("https://api.example.com/movies").query("page", page));
    /// for (index, response) in client.send_all(pages, 8) {
    ///     let items: Vec<serde_json::Value> = response?.json()?;
    ///     println!("page {} has {} items", index + 1, items.len());
    /// }
    /// # Ok::<(), cofferdam_sdk::Error>(())
    /// ```
    pub fn send_all<I: IntoIterator<Item = Request>>(
        &self,
        requests: I,
        in_flight: usize,
    ) -> InFlight<I::IntoIter> {
        InFlight::new(requests.into_iter(), in_flight)
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
