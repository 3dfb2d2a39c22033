//! The schema of a connector's configuration, and configurations held against it.

mod schema;
mod secrets;
mod validate;

pub(crate) use schema::read_schema;
pub(crate) use secrets::Secrets;
pub(crate) use validate::{default_at, validate};

use serde::{Deserialize, Serialize};

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFault {
    /// JSON Pointer (RFC 6901) into the configuration; empty for the whole of it.
    pub path: String,
    /// What is wrong and what would be right. Never the value itself, which may be private.
    pub message: String,
    /// Whether the value is a secret: the document's line is then shown without it.
    #[serde(default)]
    pub is_secret: bool,
}

impl ConfigFault {
    /// A fault of a value that may be shown in its document.
    #[must_use]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), is_secret: false }
    }
}
