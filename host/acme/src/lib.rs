//! Certificates by ACME (RFC 8555): an account at a directory, orders, the proof that names are ours (`tls-alpn-01`, RFC
//! 8737), and when a certificate is renewed. Account, key and certificate are kept sealed, and nowhere else.
//!
//! Knows no server: what is to be shown to whoever connects is told through [`Shows`]. Requests go through `egress`.
//!
//! # What bounds it
//!
//! - One order is under way at a time, within ten minutes; answers have at most a megabyte.
//! - An attempt is durable before it begins, with the moment before which there is no other: a server that is started over
//!   and over asks no more often than one that runs.
//! - While an attempt fails, what was shown before stays.

mod account;
mod attempts;
mod certificate;
mod challenge;
mod error;
mod hint;
mod kept;
mod order;
mod problem;
mod renewal;
mod settings;
mod shows;
mod wire;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use renewal::{Parts, Renewal};
pub use settings::{ExternalAccount, LETS_ENCRYPT, Settings, contact, directory, external_key, name};
pub use shows::{NotShown, Shows};
pub use wire::reach;
