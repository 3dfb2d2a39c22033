//! The adapter for contract 0.1.0: its imports, its roles, and the way between its types and the port's.
//!
//! A later contract is one more folder under `wit/` and one more module like this one.

mod bindings;
mod destination;
mod from_guest;
mod imports;
mod source;
mod to_guest;
mod transform;
mod webhook;

pub use destination::Destination;
pub use source::Source;
pub use transform::Transform;
pub use webhook::{Challenge, ChallengeAnswer, Message, Webhook};

use crate::connection::Connection;
use crate::error::Error;
use crate::state::State;
use manifest::Role;
use pipeline::failure::GuestError;
use pipeline::model::Reject;
use wasmtime::component::{Component, InstancePre};

/// A component linked against this contract, with the places of each role's functions.
pub(crate) struct Linked {
    pub(crate) pre: InstancePre<State>,
    pub(crate) source: Option<bindings::source::GuestIndices>,
    pub(crate) destination: Option<bindings::destination::GuestIndices>,
    pub(crate) transform: Option<bindings::transform::GuestIndices>,
    pub(crate) webhook: Option<bindings::webhook::GuestIndices>,
}

impl Linked {
    /// Link, and find each role's functions.
    ///
    /// # Errors
    /// [`Error::WrongImports`] and [`Error::WrongExports`] where the component's types are not those of the contract.
    pub(crate) fn new(
        engine: &wasmtime::Engine,
        component: &Component,
        roles: &[Role],
    ) -> Result<Self, Error> {
        let mut linker = crate::imports::linker(engine)
            .map_err(|error| Error::Engine { message: format!("{error:#}") })?;
        imports::add(&mut linker).map_err(|error| Error::Engine { message: format!("{error:#}") })?;
        let wrong_imports = |error: wasmtime::Error| Error::WrongImports { message: format!("{error:#}") };
        let pre = linker.instantiate_pre(component).map_err(wrong_imports)?;
        let mut linked = Self { pre, source: None, destination: None, transform: None, webhook: None };
        for role in roles {
            let found = match role {
                Role::Source => {
                    bindings::source::GuestIndices::new(&linked.pre).map(|found| linked.source = Some(found))
                }
                Role::Destination => bindings::destination::GuestIndices::new(&linked.pre)
                    .map(|found| linked.destination = Some(found)),
                Role::Transform => bindings::transform::GuestIndices::new(&linked.pre)
                    .map(|found| linked.transform = Some(found)),
                Role::Webhook => bindings::webhook::GuestIndices::new(&linked.pre)
                    .map(|found| linked.webhook = Some(found)),
            };
            found.map_err(|error| Error::WrongExports {
                role: role.as_str().to_owned(),
                message: format!("{error:#}"),
            })?;
        }
        Ok(linked)
    }
}

/// Asked for a role that the component does not have; `expect_role` is called before, so this is a fault of the host.
fn no_role() -> wasmtime::Error {
    wasmtime::format_err!("the role is not linked")
}

impl Connection {
    fn guest_error(&self, error: bindings::types::Error) -> GuestError {
        from_guest::error(error, &self.inner.meter)
    }

    fn reject(&self, reject: bindings::types::Reject) -> Reject {
        from_guest::reject(reject, &self.inner.meter)
    }
}
