//! The versions of the contract that this host speaks. Each is one module, and one line in the list here.

use crate::connection::Connection;
use crate::error::Error;
use crate::roles::WebhookPort;
use crate::v0_1;
use manifest::Role;
use pipeline::connector;
use std::sync::Arc;
use wasmtime::component::Component;

/// One version of the contract.
pub(crate) trait Contract: Sync {
    /// As exports and the custom section name it, such as `0.1.0`.
    fn version(&self) -> &'static str;

    /// Link a component against this version and find the functions of its roles. Called once when it is loaded.
    ///
    /// # Errors
    /// [`Error::WrongImports`] and [`Error::WrongExports`] where the component's types are not those of the contract.
    fn link(
        &self,
        engine: &wasmtime::Engine,
        component: &Component,
        roles: &[Role],
    ) -> Result<Arc<dyn Linked>, Error>;
}

/// A component linked against one version. A role is asked for only where the component plays it.
pub(crate) trait Linked: Send + Sync {
    /// The connection's connector as the port of a source.
    fn source(self: Arc<Self>, connection: Connection) -> Box<dyn connector::Source>;

    /// As the port of a destination.
    fn destination(self: Arc<Self>, connection: Connection) -> Box<dyn connector::Destination>;

    /// As the port of a transform.
    fn transform(self: Arc<Self>, connection: Connection) -> Box<dyn connector::Transform>;

    /// As one that understands messages.
    fn webhook(self: Arc<Self>, connection: Connection) -> Box<dyn WebhookPort>;
}

/// The contracts that this host speaks, newest last.
pub const CONTRACTS: &[&str] = &[
    v0_1::VERSION,
    #[cfg(test)]
    tests::VERSION,
];

const SPOKEN: &[&dyn Contract] = &[
    &v0_1::V0_1,
    #[cfg(test)]
    &tests::Later,
];

/// The contract of this version.
///
/// # Errors
/// [`Error::UnknownContract`] where this host has none.
pub(crate) fn of(version: &str) -> Result<&'static dyn Contract, Error> {
    let found = SPOKEN.iter().find(|contract| contract.version() == version);
    let unknown = || Error::UnknownContract { found: version.to_owned(), known: CONTRACTS.join(", ") };
    found.copied().ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
