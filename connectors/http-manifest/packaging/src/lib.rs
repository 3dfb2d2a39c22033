//! Derives the `connector.toml` of a connector that is packaged with a low-code manifest: its name and version, the
//! hosts and credentials that it asks for, and what the user is asked for.
//!
//! It runs where connectors are built, outside of the sandbox, and reads nothing but the text that it is given. The
//! hosts are those that the manifest names; a link that an answer gives is judged when it is followed.

mod authenticator;
mod config;
mod credentials;
mod endpoint;
mod expression;
mod host;
mod hosts;
mod identity;
mod package;

pub use http_manifest_dialect::{Fault, Faults, PROGRAM_KEY, Place};
pub use package::{Identity, Package, derive};
