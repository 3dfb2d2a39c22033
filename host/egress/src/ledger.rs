//! The port to which every request is told once it has ended.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use crate::SlowDown;

/// Keeps what left the house.
///
/// Called once for each request when it has ended, denied and failed ones included, on whichever task ended it, also
/// from `drop`: it must be quick and may not block. Of requests beyond the cap on requests only the first is told.
pub trait Ledger: Send + Sync {
    /// Keeps one entry.
    fn record(&self, entry: Entry);
}

/// One request and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Entry {
    /// The method.
    pub method: String,
    /// `http` or `https`; empty where the request was too malformed to tell.
    pub scheme: String,
    /// The host, without brackets; empty where the request was too malformed to tell.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address that was dialed.
    pub address: Option<SocketAddr>,
    /// The path as a template, `/v1/items/{id}`, without its query: ids and values may be personal or secret.
    pub path: String,
    /// The status of the response, when one came.
    pub status: Option<u16>,
    /// Body bytes sent.
    pub bytes_out: u64,
    /// Body bytes received as the server sent them.
    pub bytes_in_wire: u64,
    /// Body bytes received after decoding.
    pub bytes_in: u64,
    /// From the start of the request to the end of the response.
    pub duration: Duration,
    /// The rule that allowed the request.
    pub rule: Option<String>,
    /// The credential that was placed on it.
    pub credential: Option<String>,
    /// The guest received content in an encoding that the host did not undo.
    pub opaque: bool,
    /// The server wants to be asked less.
    pub slow_down: Option<SlowDown>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Outcome {
    /// The whole response was handed over.
    Completed,
    /// It was not allowed: nothing was sent, or what went on was cut when the right to it was taken back.
    Denied {
        /// The stable code.
        code: &'static str,
        /// Why.
        reason: String,
        /// The line that would allow it.
        line_to_add: Option<String>,
    },
    /// It failed.
    Failed {
        /// The stable code.
        code: &'static str,
        /// The error and its causes.
        message: String,
    },
    /// The caller stopped before the response had ended.
    #[default]
    Abandoned,
}
