//! The role `source`: implements the ports `Source` and `Reader`.

use super::bindings::source::{self, Guest, PageBudget};
use super::{Linked, from_guest, no_role, to_guest};
use crate::connection::Connection;
use crate::imports::wasi::World;
use crate::instance::{Instance, Live, Opening, Refused};
use crate::state::State;
use async_trait::async_trait;
use pipeline::connector::{Budget, Reader, Source as SourcePort};
use pipeline::failure::Failure;
use pipeline::model::{self, Catalog, OpenRead, Step};
use pipeline::validate::Reading;
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
        instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let found = live.role.call_discover(&mut live.store, &connection.inner.config).await?;
                    let found = found.map_err(|error| connection.guest_error(error));
                    Ok(found.and_then(|found| connection.catalog(found)))
                })
            })
            .await
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
                        .map(|reader| Opened { guest, reader, reading })
                        .map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        Ok(Box::new(SourceReader { instance }))
    }

    fn budget(&self) -> Budget {
        self.connection.budget()
    }
}

struct Opened {
    guest: Guest,
    reader: ResourceAny,
    /// By which steps are judged.
    reading: Reading,
}

struct SourceReader {
    instance: Instance<Opened>,
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
        self.instance
            .call(CALL, move |live: &mut Live<Opened>| {
                Box::pin(async move {
                    let Opened { guest, reader, reading } = &mut live.role;
                    let step = guest.reader().call_next(&mut live.store, *reader, asked).await?;
                    let step = step.map_err(|error| connection.guest_error(error));
                    // Moving a batch to whoever waits for it is cheap, dropping a broken one may not be.
                    Ok(step.and_then(|step| judged(step, reading, budget, &connection)))
                })
            })
            .await
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        let connection = self.instance.connection().clone();
        self.instance
            .call("reader.committed", move |live| {
                Box::pin(async move {
                    let Opened { guest, reader, .. } = &live.role;
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

/// A step that is as the contract wants it.
fn judged(
    step: source::Step,
    reading: &mut Reading,
    budget: model::PageBudget,
    connection: &Connection,
) -> Result<Step, Refused> {
    let meter = &connection.inner.meter;
    let step = from_guest::step(step, meter).map_err(|what| connection.broken(&what))?;
    if let Step::Page(page) = &step {
        meter.peaks.page(page);
    }
    reading.judge(&step, budget, &connection.inner.grants.limits.sizes())?;
    Ok(step)
}
