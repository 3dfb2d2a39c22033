//! The role `source`: implements the ports `Source` and `Reader`.

use super::bindings::source::{Guest, PageBudget};
use super::{Linked, from_guest, no_role, to_guest};
use crate::connection::Connection;
use crate::imports::wasi::World;
use crate::instance::{Called, Instance, Live, Opening};
use crate::state::State;
use async_trait::async_trait;
use pipeline::connector::{Budget, Reader, Source as SourcePort};
use pipeline::failure::Failure;
use pipeline::model::{self, Catalog, OpenRead, Step};
use pipeline::validate::{self, Reading};
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

/// A connection whose connector is a source.
pub(super) struct Source {
    pub(super) connection: Connection,
    pub(super) linked: Arc<Linked>,
}

impl Source {
    async fn instance(&self, call: &'static str, about: String) -> Result<Instance<Guest>, Failure> {
        let linked = self.linked.clone();
        let opening = Opening { call, about, world: World::Real };
        Instance::new(&self.connection, opening, move |store| {
            Box::pin(async move { Ok(Ok(instantiate(&linked, store).await?)) })
        })
        .await
    }
}

async fn instantiate(linked: &Linked, store: &mut Store<State>) -> wasmtime::Result<Guest> {
    let indices = linked.source.as_ref().ok_or_else(no_role)?;
    let instance = linked.pre.instantiate_async(&mut *store).await?;
    indices.load(&mut *store, &instance)
}

#[async_trait]
impl SourcePort for Source {
    async fn check(&self) -> Result<(), Failure> {
        let mut instance = self.instance("source.check", String::new()).await?;
        let connection = self.connection.clone();
        instance
            .call("source.check", move |live| {
                Box::pin(async move {
                    let checked = live.role.call_check(&mut live.store, &connection.inner.config).await?;
                    Ok(checked.map_err(|error| connection.guest_error(error)))
                })
            })
            .await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        const CALL: &str = "source.discover";
        let mut instance = self.instance(CALL, String::new()).await?;
        let connection = self.connection.clone();
        let found = instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let found = live.role.call_discover(&mut live.store, &connection.inner.config).await?;
                    Ok(found.map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        let catalog = from_guest::catalog(found).map_err(|what| instance.broken(CALL, what))?;
        validate::catalog(&catalog, &self.connection.inner.grants.limits.sizes())
            .map_err(|fault| instance.violated(CALL, fault))?;
        Ok(catalog)
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        const CALL: &str = "source.open";
        let reading = Reading::new(&read);
        let OpenRead { group, selections, checkpoint, .. } = read;
        let instance = self.instance(CALL, group.clone()).await?;
        let connection = self.connection.clone();
        let instance = instance
            .become_role(CALL, move |guest, store| {
                Box::pin(async move {
                    let selections = to_guest::selections(&selections);
                    let config = &connection.inner.config;
                    let params = selections.params();
                    let opened =
                        guest.call_open(&mut *store, config, &group, &params, checkpoint.as_deref()).await?;
                    Ok(opened
                        .map(|reader| Opened { guest, reader })
                        .map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        Ok(Box::new(SourceReader { instance, reading }))
    }

    fn budget(&self) -> Budget {
        self.connection.budget()
    }
}

struct Opened {
    guest: Guest,
    reader: ResourceAny,
}

struct SourceReader {
    instance: Instance<Opened>,
    /// By which steps are judged.
    reading: Reading,
}

#[async_trait]
impl Reader for SourceReader {
    async fn next(&mut self, budget: model::PageBudget) -> Result<Step, Failure> {
        const CALL: &str = "reader.next";
        let connection = self.instance.connection().clone();
        let budget = connection.inner.grants.limits.within(budget);
        let asked = PageBudget {
            max_rows: budget.max_rows,
            max_bytes: budget.max_bytes,
            deadline_ms: budget.deadline_ms,
        };
        let converting = connection.clone();
        let step = self
            .instance
            .call(CALL, move |live: &mut Live<Opened>| {
                Box::pin(async move {
                    let Opened { guest, reader } = &live.role;
                    let step = guest.reader().call_next(&mut live.store, *reader, asked).await?;
                    // Converted here, on the guest's thread: moving a batch is cheap, dropping a broken one may not be.
                    let called: Called<_> = Ok(match step {
                        Ok(step) => Ok(from_guest::step(step, &converting.inner.meter)),
                        Err(error) => Err(converting.guest_error(error)),
                    });
                    called
                })
            })
            .await?;
        let step = step.map_err(|what| self.instance.broken(CALL, what))?;
        self.judge(&step, budget, &connection).map_err(|fault| self.instance.violated(CALL, fault))?;
        Ok(step)
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        let connection = self.instance.connection().clone();
        self.instance
            .call("reader.committed", move |live| {
                Box::pin(async move {
                    let Opened { guest, reader } = &live.role;
                    let told = guest.reader().call_committed(&mut live.store, *reader, &checkpoint).await?;
                    Ok(told.map_err(|error| connection.guest_error(error)))
                })
            })
            .await
    }

    fn budget(&self) -> Budget {
        self.instance.connection().budget()
    }
}

impl SourceReader {
    fn judge(
        &mut self,
        step: &Step,
        budget: model::PageBudget,
        connection: &Connection,
    ) -> Result<(), validate::Violation> {
        if let Step::Page(page) = step {
            connection.inner.meter.peaks.page(page);
        }
        self.reading.judge(step, budget, &connection.inner.grants.limits.sizes())
    }
}
