//! Proves the contract: in each role it does what its configuration says and tells in log lines what it was asked.
//!
//! The tests hold both against the contract's rules. Nothing here is an example of how to write a connector.

mod destination;
mod files;
mod script;
mod show;
mod source;
mod streams;
mod transform;
mod webhook;

use std::collections::BTreeMap;

use cofferdam_sdk::{Error, FieldFault, Result, RetryHint, export};
use serde::Deserialize;

/// What to do.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// One call that fails.
    fail: Option<Fail>,
    /// What the calls of `next` answer, one after the other; then the end.
    steps: Vec<script::Act>,
    /// What the destination says that it can do, by the contract's names; nothing: much of it.
    abilities: Vec<String>,
    /// Rows that the destination rejects in each batch.
    reject: Vec<u32>,
    /// Batches and rows that the destination rejects at its commit.
    reject_late: Vec<(u64, u32)>,
    /// Whether the destination keeps rows in files under `/data`.
    keep: bool,
    /// Credentials as the host tells of them. What is revealed the destination gives away in its verdicts.
    credentials: BTreeMap<String, Credential>,
}

/// What the host tells of a credential.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Credential {
    revealed: BTreeMap<String, String>,
}

/// A call, such as `reader.next`, and the error that it returns.
#[derive(Deserialize)]
struct Fail {
    at: String,
    with: Told,
}

/// The contract's errors.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Told {
    Config(Vec<(String, String)>),
    Unauthorized(String),
    Denied(String),
    RateLimited(String, Option<u64>),
    Transient(String, Option<u64>),
    Data(String),
    Bug(String),
}

impl Config {
    /// A secret that it was given.
    fn secret(&self) -> Option<&String> {
        self.credentials.values().flat_map(|credential| credential.revealed.values()).next()
    }

    /// An error if this is the call that must fail.
    fn pass(&self, call: &str) -> Result<()> {
        match &self.fail {
            Some(fail) if fail.at == call => Err(fail.with.to_error()),
            _ => Ok(()),
        }
    }
}

impl Told {
    fn to_error(&self) -> Error {
        let hint = |message: &String, retry_after_ms: &Option<u64>| RetryHint {
            message: message.clone(),
            retry_after_ms: *retry_after_ms,
        };
        match self {
            Self::Config(faults) => {
                let fault = |(path, message): &(String, String)| FieldFault {
                    path: path.clone(),
                    message: message.clone(),
                };
                Error::Config(faults.iter().map(fault).collect())
            }
            Self::Unauthorized(text) => Error::Unauthorized(text.clone()),
            Self::Denied(text) => Error::Denied(text.clone()),
            Self::RateLimited(text, after) => Error::RateLimited(hint(text, after)),
            Self::Transient(text, after) => Error::Transient(hint(text, after)),
            Self::Data(text) => Error::Data(text.clone()),
            Self::Bug(text) => Error::Bug(text.clone()),
        }
    }
}

/// The connector in all its roles.
struct Proof;

export!(source = Proof, destination = Proof, transform = Proof, webhook = Proof, manifest = "connector.toml");
