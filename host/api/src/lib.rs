//! The management API over HTTP: routes, who asks, what becomes of an error, and the description of all that.
//!
//! Decides nothing: who may do what is asked of `control`, which also remembers. Knows no engine, no connector and no
//! database.
//!
//! # The way of a request
//!
//! ```text
//! connection (limits, TLS) ─▶ around (id, time, panics) ─▶ authenticate (who, from where, how often, from which page)
//!    ─▶ once (requests that come again) ─▶ route ─▶ control
//! ```
//! Whatever refuses on this way answers a [`refusal::Refusal`]; one place makes a body of it.

mod around;
mod at;
mod authenticate;
mod body;
mod caller;
mod consents;
mod cookie;
mod error;
mod etag;
mod fault;
mod house;
mod left;
mod limiter;
mod listeners;
mod mapped;
mod once;
mod openapi;
mod operations;
mod options;
mod page;
mod parts;
mod peer;
mod ports;
mod refusal;
mod router;
mod routes;
mod secret;
mod server;
mod strict;
mod tls;
mod upload;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use left::forget;
pub use openapi::document;
pub use operations::{Figures, Operations};
pub use options::{Limits, Options, Rates, Transport};
pub use parts::{Given, Parts};
pub use ports::{
    AskedConsent, Blame, Challenge, ChallengeAnswer, ConnectorFault, Connectors, ConsentAnswer,
    ConsentTokens, Consenting, Inspected, Providers, Way,
};
pub use server::{Drained, Server};
pub use tls::{Certificates, certificate_ends};
