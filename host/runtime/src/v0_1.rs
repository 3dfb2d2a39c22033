//! The adapter for contract 0.1.0: its imports, its roles, and the way between its types and the port's.
//!
//! A later contract is one more folder under `wit/`, one more module like this one, and its line in `contract`.

mod bindings;
mod destination;
mod from_guest;
mod imports;
mod source;
mod to_guest;
mod transform;
mod webhook;

use crate::connection::Connection;
use crate::contract;
use crate::error::Error;
use crate::instance::Refused;
use crate::roles::WebhookPort;
use crate::state::State;
use destination::Destination;
use manifest::Role;
use pipeline::connector;
use pipeline::model::{Catalog, Reject};
use pipeline::validate;
use source::Source;
use std::sync::Arc;
use transform::Transform;
use wasmtime::component::{Component, InstancePre};
use webhook::Webhook;

/// As exports and the custom section name it.
pub(crate) const VERSION: &str = "0.1.0";

/// Contract 0.1.0.
pub(crate) struct V0_1;

impl contract::Contract for V0_1 {
    fn version(&self) -> &'static str {
        VERSION
    }

    fn link(
        &self,
        engine: &wasmtime::Engine,
        component: &Component,
        roles: &[Role],
    ) -> Result<Arc<dyn contract::Linked>, Error> {
        Ok(Arc::new(Linked::new(engine, component, roles)?))
    }
}

impl contract::Linked for Linked {
    fn source(self: Arc<Self>, connection: Connection) -> Box<dyn connector::Source> {
        Box::new(Source { connection, linked: self })
    }

    fn destination(self: Arc<Self>, connection: Connection) -> Box<dyn connector::Destination> {
        Box::new(Destination { connection, linked: self })
    }

    fn transform(self: Arc<Self>, connection: Connection) -> Box<dyn connector::Transform> {
        Box::new(Transform { connection, linked: self })
    }

    fn webhook(self: Arc<Self>, connection: Connection) -> Box<dyn WebhookPort> {
        Box::new(Webhook { connection, linked: self })
    }
}

/// A component linked against this contract, with the places of each role's functions.
struct Linked {
    pre: InstancePre<State>,
    source: Option<bindings::source::GuestIndices>,
    destination: Option<bindings::destination::GuestIndices>,
    transform: Option<bindings::transform::GuestIndices>,
    webhook: Option<bindings::webhook::GuestIndices>,
}

impl Linked {
    fn new(engine: &wasmtime::Engine, component: &Component, roles: &[Role]) -> Result<Self, Error> {
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
    fn guest_error(&self, error: bindings::types::Error) -> Refused {
        from_guest::error(error, &self.inner.meter).into()
    }

    /// What `discover` found, once it is as the contract wants it.
    fn catalog(&self, found: bindings::streams::Catalog) -> Result<Catalog, Refused> {
        let catalog = from_guest::catalog(found).map_err(|what| self.broken(&what))?;
        validate::catalog(&catalog, &self.inner.grants.limits.sizes())?;
        Ok(catalog)
    }

    fn reject(&self, reject: bindings::types::Reject) -> Reject {
        from_guest::reject(reject, &self.inner.meter)
    }
}
