//! The role `source`: implements the ports `Source` and `Reader`.

use super::bindings::source::{Guest, PageBudget};
use super::{Linked, from_guest, no_role, to_guest};
use crate::connection::Connection;
use crate::imports::wasi::World;
use crate::instance::{Called, Instance, Live, Opening};
use crate::sizes::sizes;
use crate::state::State;
use async_trait::async_trait;
use pipeline::connector::{Budget, Reader, Source as SourcePort};
use pipeline::failure::Failure;
use pipeline::model::{self, Catalog, OpenRead, Step, StreamSchema};
use pipeline::validate::{self, PageContext};
use std::collections::{BTreeMap, BTreeSet};
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
        validate::catalog(&catalog, &sizes(&self.connection))
            .map_err(|fault| instance.violated(CALL, fault))?;
        Ok(catalog)
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        const CALL: &str = "source.open";
        let OpenRead { group, selections, schemas, checkpoint } = read;
        let instance = self.instance(CALL, group.clone()).await?;
        let projected = selections.iter().filter(|selection| selection.fields.is_some());
        let projected =
            projected.map(|selection| (selection.stream.clone(), selection.fields.clone())).collect();
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
        let streams = schemas.into_iter().map(|schema| (schema.stream.clone(), schema)).collect();
        Ok(Box::new(SourceReader { instance, streams, projected }))
    }
}

struct Opened {
    guest: Guest,
    reader: ResourceAny,
}

struct SourceReader {
    instance: Instance<Opened>,
    /// By which pages are judged.
    streams: BTreeMap<String, StreamSchema>,
    /// The streams of which the source was asked for some fields only.
    projected: BTreeMap<String, Option<Vec<String>>>,
}

#[async_trait]
impl Reader for SourceReader {
    async fn next(&mut self, budget: model::PageBudget) -> Result<Step, Failure> {
        const CALL: &str = "reader.next";
        let connection = self.instance.connection().clone();
        let budget = within_limits(budget, &connection);
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
        let limits = sizes(connection);
        match step {
            Step::Page(page) => {
                connection.inner.meter.peaks.page(page);
                validate::page(page, &PageContext { streams: &self.streams, budget, limits: &limits })
            }
            Step::SchemaChanged(changed) => {
                validate::schema_changed(changed, &self.streams, &limits)?;
                for schema in changed {
                    let mut schema = schema.clone();
                    if let Some(Some(fields)) = self.projected.get(&schema.stream) {
                        keep_fields(&mut schema, fields);
                    }
                    self.streams.insert(schema.stream.clone(), schema);
                }
                Ok(())
            }
            Step::Wait(_) | Step::End => Ok(()),
        }
    }
}

/// What is asked of the connector is never more than it may bring.
fn within_limits(budget: model::PageBudget, connection: &Connection) -> model::PageBudget {
    let limits = &connection.inner.meter.limits;
    let least = |asked: u32, limit: u64| asked.min(u32::try_from(limit).unwrap_or(u32::MAX));
    model::PageBudget {
        max_rows: least(budget.max_rows, limits.page_rows),
        max_bytes: least(budget.max_bytes, limits.page_bytes),
        deadline_ms: least(budget.deadline_ms, limits.call_ms),
    }
}

/// The schema with only these fields, in their order; a field that is gone is left out.
fn keep_fields(schema: &mut StreamSchema, wanted: &[String]) {
    let names: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let mut fields: Vec<_> =
        schema.schema.fields.drain(..).filter(|field| names.contains(field.name.as_str())).collect();
    fields.sort_by_key(|field| wanted.iter().position(|name| *name == field.name));
    schema.schema.fields = fields;
}
