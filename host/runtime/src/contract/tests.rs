//! A contract that only these tests have: what a second version takes, and that a component goes to the one it names.

use super::{CONTRACTS, Connection, Contract, Error, Linked, SPOKEN, WebhookPort};
use crate::engine::{Runtime, Settings};
use crate::{Destination, Grants, Source};
use async_trait::async_trait;
use manifest::Role;
use pipeline::connector::{self, Reader, Source as _};
use pipeline::failure::{Cause, Failure, GuestError};
use pipeline::model::{Catalog, OpenRead};
use serde_json::json;
use std::sync::Arc;
use wasmtime::component::Component;

pub(super) const VERSION: &str = "0.2.0";

/// Links everything and calls nothing.
pub(super) struct Later;

impl Contract for Later {
    fn version(&self) -> &'static str {
        VERSION
    }

    fn link(
        &self,
        _engine: &wasmtime::Engine,
        _component: &Component,
        _roles: &[Role],
    ) -> Result<Arc<dyn Linked>, Error> {
        Ok(Arc::new(LaterLinked))
    }
}

struct LaterLinked;

impl Linked for LaterLinked {
    fn source(self: Arc<Self>, connection: Connection) -> Box<dyn connector::Source> {
        Box::new(LaterSource(connection))
    }

    fn destination(self: Arc<Self>, _connection: Connection) -> Box<dyn connector::Destination> {
        unreachable!("these components are sources")
    }

    fn transform(self: Arc<Self>, _connection: Connection) -> Box<dyn connector::Transform> {
        unreachable!("these components are sources")
    }

    fn webhook(self: Arc<Self>, _connection: Connection) -> Box<dyn WebhookPort> {
        unreachable!("these components are sources")
    }
}

struct LaterSource(Connection);

impl LaterSource {
    fn answer(&self, call: &str) -> Failure {
        let cause = Cause::Guest(GuestError::Data(format!("contract {VERSION} was asked")));
        crate::instance::failure(&self.0, call, cause)
    }
}

#[async_trait]
impl connector::Source for LaterSource {
    async fn check(&self) -> Result<(), Failure> {
        Err(self.answer("source.check"))
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        Err(self.answer("source.discover"))
    }

    async fn open(&self, _read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        Err(self.answer("source.open"))
    }
}

/// A source that exports nothing and names this version of the contract.
fn component(version: &str) -> Vec<u8> {
    let manifest = format!(
        r#"manifest = 1\nname = \"test\"\npublisher = \"test\"\nversion = \"0.1.0\"\ncontract = \"{version}\"\nroles = [\"source\"]\ntitle = \"Test\"\n"#
    );
    let text = format!(
        r#"(component
            (import "cofferdam:connector/types@{version}" (instance))
            (instance $role) (export "cofferdam:connector/source@{version}" (instance $role))
            (@custom "cofferdam:contract" "{version}")
            (@custom "cofferdam:manifest" "{manifest}"))"#
    );
    wat::parse_str(text).unwrap()
}

fn runtime(cache: &std::path::Path) -> Runtime {
    let mut settings = Settings::new(cache.to_owned());
    settings.live_instances = 1;
    Runtime::new(settings).unwrap()
}

#[test]
fn what_is_listed_is_what_is_spoken() {
    let spoken: Vec<&str> = SPOKEN.iter().map(|contract| contract.version()).collect();
    assert_eq!(CONTRACTS, spoken);
}

#[tokio::test]
async fn a_component_is_linked_and_called_by_the_contract_that_it_names() {
    let cache = tempfile::tempdir().unwrap();
    let runtime = runtime(cache.path());
    let later = runtime.load(component(VERSION)).await.unwrap();
    assert_eq!(later.inspection().contract, VERSION);
    let connection = Connection::new(later, &json!({}), Grants::none()).unwrap();
    let failure = Source::new(connection.clone()).unwrap().check().await.unwrap_err();
    assert!(failure.to_string().contains("contract 0.2.0 was asked"), "{failure}");
    assert!(matches!(Destination::new(connection), Err(Error::WrongRole { .. })));
    // The same component under the first version's name comes to the first version, which misses its functions.
    let Err(error) = runtime.load(component("0.1.0")).await else { panic!("it was linked") };
    assert!(matches!(error, Error::WrongExports { .. }), "{error}");
}
