//! The only way out: judges, dials, caps and records every outgoing request.
//!
//! This crate knows no wasmtime and no storage. Who may go where is asked through [`Gate`], what happened is told
//! through [`Ledger`], names are looked up through [`Resolver`], credentials are had through
//! [`Credentials`](credential::Credentials). Redirects are never followed and proxy environment
//! variables are never read.

mod answers;
mod body;
mod caps;
mod carry;
mod client;
pub mod credential;
mod decode;
mod dial;
mod dns;
mod download;
mod error;
mod exchange;
mod gate;
mod granted;
mod headers;
mod lease;
mod ledger;
mod lookups;
mod name_servers;
mod narrowing;
mod outlet;
mod own;
mod pace;
mod pool;
mod proxy;
mod rebuild;
mod record;
mod resolve;
mod retry_after;
mod revoke;
mod scrubbed;
mod settings;
mod target;
mod template;
mod this_machine;
mod tls;
mod totals;
mod transport;
mod upload;

pub use body::{Body, empty, full};
pub use caps::{Caps, Limit, Timeouts};
pub use client::Client;
pub use dns::{Dns, DnsResolver};
pub use error::{Class, Error, GuestClass, Result};
pub use gate::{Decision, Gate, RequestLine};
pub use ledger::{Entry, Ledger, Outcome};
pub use name_servers::ask_name_server;
pub use narrowing::Narrowing;
pub use own::OwnCalls;
pub use proxy::Proxy;
pub use resolve::Resolver;
pub use retry_after::SlowDown;
pub use revoke::{Revocation, Revoker};
pub use settings::{ClientSettings, Egress, Settings, WallClock};
pub use tls::Authorities;
pub use totals::Usage;
pub use transport::Cause;
