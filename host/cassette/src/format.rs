//! What stands in the files of a cassette. `cassette.json` is the [`Head`]; each instance of a connector has a folder with one
//! [`Exchange`] a file and its `tape.jsonl`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lines;

/// What is known of the whole recording.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the format.
    pub cassette: u32,
    /// The version of the program that wrote it.
    pub cofferdam: String,
    /// The sync.
    pub sync: String,
    /// The run's number, by which destinations and commits know it.
    pub run: u64,
    /// When the recording began, in milliseconds since 1970.
    pub started_ms: u64,
    /// Whether the recorded run came to its end, well or not.
    pub complete: bool,
    /// The connections by their names.
    pub connections: BTreeMap<String, Connection>,
    /// Where each commit unit stood when the run began, as whoever keeps that writes it.
    pub units: BTreeMap<String, serde_json::Value>,
    /// The instances' folders, and how many exchanges each has.
    pub instances: BTreeMap<String, u32>,
}

/// One connection as it was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The connector's name.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// The component's digest.
    pub component: String,
    /// The digest of the configuration as the connector got it.
    pub config: String,
    /// What the connector was told of its credentials: names and public parts.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub credentials: serde_json::Value,
}

/// Names and values, in the order in which they stood.
pub type Headers = Vec<(String, Value)>;

/// Text where it is one, so that a person can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Bytes that are no text.
    Binary(Vec<u8>),
}

impl Value {
    /// These bytes.
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Binary(bytes.to_vec()),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// One request and what became of it. With neither response nor failure it was left before either was there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// As the connector made it.
    pub request: Request,
    /// As the connector saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// Why there is no response, or why its body ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// A request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers that the connector set.
    #[serde(with = "lines")]
    pub headers: Headers,
    /// The body.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub(crate) body: Body,
    /// What followed the body.
    #[serde(default, with = "lines", skip_serializing_if = "Vec::is_empty")]
    pub trailers: Headers,
}

/// A response.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    #[serde(with = "lines")]
    pub headers: Headers,
    /// The server wants to be asked less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_down: Option<SlowDown>,
    /// The body.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub(crate) body: Body,
    /// What followed the body.
    #[serde(default, with = "lines", skip_serializing_if = "Vec::is_empty")]
    pub trailers: Headers,
}

/// A server's wish to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowDown {
    /// For how long, as far as it said so.
    pub retry_after_ms: Option<u64>,
}

/// A body: in the file where it is short, beside it where it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Body {
    /// The body, where it is short and text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// The body, where it is short and no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base64: Option<String>,
    /// The name of the file beside this one that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// How long that file is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    /// The parts in which it came: so long each, so many of them. None: in one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<(u64, u64)>,
    /// Whoever read it left before its end was seen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) cut: bool,
}

impl Body {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What the connector was told of a request that failed, and the run's report beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable code of what happened.
    pub code: String,
    /// What the connector was told.
    pub told: Told,
    /// The text that it was told, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the report says that the host refused, with the line that would allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    /// The limit that was hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limited>,
}

/// The kinds of failure that a connector can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// The request is not granted.
    Denied,
    /// The request is malformed, or a cap was reached.
    Invalid,
    /// No connection.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The answer is broken or incomplete.
    Incomplete,
}

/// A limit that was hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limited {
    /// Its name.
    pub name: String,
    /// How much was allowed.
    pub allowed: u64,
}
