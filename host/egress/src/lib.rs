//! The only way out: judges, dials, caps and records every outgoing request.
//!
//! This crate knows no wasmtime and no storage. Who may go where is asked through [`Gate`], what happened is told
//! through [`Ledger`], names are looked up through [`Resolver`]. Redirects are never followed and proxy environment
//! variables are never read.

mod body;
mod caps;
mod carry;
mod client;
pub mod credential;
mod decode;
mod dial;
mod download;
mod error;
mod exchange;
mod gate;
mod granted;
mod headers;
mod lease;
mod ledger;
mod outlet;
mod own;
mod pool;
mod rebuild;
mod record;
mod resolve;
mod scrubbed;
mod settings;
mod target;
mod tls;
mod totals;
mod transport;
mod upload;

pub use body::{Body, empty, full};
pub use caps::{Caps, Limit, Timeouts};
pub use client::Client;
pub use error::{Class, Error, GuestClass, Result};
pub use gate::{Decision, Gate, RequestLine};
pub use ledger::{Entry, Ledger, Outcome};
pub use own::OwnCalls;
pub use resolve::{Resolver, SystemResolver};
pub use settings::{ClientSettings, Egress, Settings, WallClock};
pub use totals::Usage;
