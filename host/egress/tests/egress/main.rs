//! The crate against real servers: honest ones, nginx with TLS, and raw sockets that lie. Nothing here leaves loopback.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests fail as tests do"
)]

mod addresses;
mod capped;
mod credentials;
mod duplex;
mod encodings;
mod granted;
mod hidden;
mod kept;
mod liars;
mod narrowed;
mod paced;
mod proxied;
mod recorded;
mod requests;
mod revoked;
mod section_e;
mod support;
mod tls;
