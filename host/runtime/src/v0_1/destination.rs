//! The role `destination`: implements the ports `Destination` and `Writer`.

use super::bindings::destination::{self, Guest, StreamPlan};
use super::{Linked, from_guest, no_role, to_guest};
use crate::connection::Connection;
use crate::imports::wasi::World;
use crate::instance::{Instance, Live, Opening, Refused};
use crate::state::State;
use async_trait::async_trait;
use pipeline::connector::{Budget, Destination as DestinationPort, Writer};
use pipeline::failure::Failure;
use pipeline::model::{
    self, Batch, Capabilities, CommitReport, LastCommit, LateReject, StreamVerdict, WriteReport,
};
use pipeline::validate::{self, Writing};
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

/// A connection whose connector is a destination.
pub(super) struct Destination {
    pub(super) connection: Connection,
    pub(super) linked: Arc<Linked>,
}

impl Destination {
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
    let indices = linked.destination.as_ref().ok_or_else(no_role)?;
    let instance = linked.pre.instantiate_async(&mut *store).await?;
    indices.load(&mut *store, &instance)
}

#[async_trait]
impl DestinationPort for Destination {
    async fn check(&self) -> Result<(), Failure> {
        let mut instance = self.instance("destination.check", String::new()).await?;
        let connection = self.connection.clone();
        instance
            .call("destination.check", move |live| {
                Box::pin(async move {
                    let checked = live.role.call_check(&mut live.store, &connection.inner.config).await?;
                    Ok(checked.map_err(|error| connection.guest_error(error)))
                })
            })
            .await
    }

    async fn open(&self, unit: String, fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        const CALL: &str = "destination.open";
        let connection = self.connection.clone();
        let instance = self.instance(CALL, unit.clone()).await?;
        let instance = instance
            .become_role(CALL, move |guest, store| {
                Box::pin(async move {
                    let opened = guest.call_open(&mut *store, &connection.inner.config, &unit, fence).await?;
                    Ok(opened
                        .map(|writer| Opened { guest, writer, writing: Writing::default() })
                        .map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        Ok(Box::new(DestinationWriter { instance }))
    }

    fn budget(&self) -> Budget {
        self.connection.budget()
    }
}

struct Opened {
    guest: Guest,
    writer: ResourceAny,
    /// By which answers are judged.
    writing: Writing,
}

struct DestinationWriter {
    instance: Instance<Opened>,
}

#[async_trait]
impl Writer for DestinationWriter {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        const CALL: &str = "writer.capabilities";
        self.instance
            .call(CALL, move |live: &mut Live<Opened>| {
                Box::pin(async move {
                    let Opened { guest, writer, writing } = &mut live.role;
                    let found = guest.writer().call_capabilities(&mut live.store, *writer).await?;
                    let capabilities = from_guest::capabilities(found);
                    Ok(writing.capabilities(&capabilities).map(|()| capabilities).map_err(Refused::from))
                })
            })
            .await
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        const CALL: &str = "writer.committed";
        let connection = self.instance.connection().clone();
        self.instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let Opened { guest, writer, .. } = &live.role;
                    let found = guest.writer().call_committed(&mut live.store, *writer).await?;
                    let found = found.map_err(|error| connection.guest_error(error));
                    Ok(found.and_then(|found| last_commit(found, &connection)))
                })
            })
            .await
    }

    async fn prepare(
        &mut self,
        plans: Vec<model::StreamPlan>,
        dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        const CALL: &str = "writer.prepare";
        if self.instance.role().is_some_and(|role| !role.writing.knows_capabilities()) {
            self.capabilities().await?;
        }
        let connection = self.instance.connection().clone();
        self.instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let Opened { guest, writer, writing } = &live.role;
                    let schemas: Vec<_> = plans.iter().map(|plan| plan.schema.clone()).collect();
                    let schemas = to_guest::schemas(&schemas);
                    let params = schemas.params().into_iter().zip(&plans);
                    let params: Vec<_> = params
                        .map(|(schema, plan)| StreamPlan {
                            schema,
                            mode: to_guest::mode(plan.mode),
                            generation: plan.generation,
                        })
                        .collect();
                    let verdicts =
                        guest.writer().call_prepare(&mut live.store, *writer, &params, dry_run).await?;
                    Ok(verdicts.map_err(|error| connection.guest_error(error)).and_then(|verdicts| {
                        let meter = &connection.inner.meter;
                        let told = verdicts.into_iter().map(|verdict| from_guest::verdict(verdict, meter));
                        let verdicts: Vec<_> = told.collect();
                        writing.verdicts(&verdicts, &plans)?;
                        Ok(verdicts)
                    }))
                })
            })
            .await
    }

    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        const CALL: &str = "writer.write";
        let connection = self.instance.connection().clone();
        let row_count = batch.row_count();
        self.instance
            .call(CALL, move |live: &mut Live<Opened>| {
                Box::pin(async move {
                    let Opened { guest, writer, writing } = &mut live.role;
                    let lent = to_guest::batch(&batch);
                    let report =
                        guest.writer().call_write(&mut live.store, *writer, number, lent.param()).await?;
                    Ok(report.map_err(|error| connection.guest_error(error)).and_then(|report| {
                        let rejected = report.rejected.into_iter().map(|reject| connection.reject(reject));
                        let report = WriteReport { rejected: rejected.collect() };
                        writing.written(&report, row_count)?;
                        Ok(report)
                    }))
                })
            })
            .await
    }

    async fn commit(&mut self, token: String, last: bool) -> Result<CommitReport, Failure> {
        const CALL: &str = "writer.commit";
        let connection = self.instance.connection().clone();
        self.instance
            .call(CALL, move |live: &mut Live<Opened>| {
                Box::pin(async move {
                    let Opened { guest, writer, writing } = &mut live.role;
                    let report = guest.writer().call_commit(&mut live.store, *writer, &token, last).await?;
                    Ok(report.map_err(|error| connection.guest_error(error)).and_then(|report| {
                        let report = commit_report(report, &connection);
                        writing.committed(&report)?;
                        Ok(report)
                    }))
                })
            })
            .await
    }

    fn budget(&self) -> Budget {
        self.instance.connection().budget()
    }
}

fn commit_report(report: destination::CommitReport, connection: &Connection) -> CommitReport {
    let late = report.rejected.into_iter();
    let rejected = late.map(|late| LateReject { batch: late.batch, reject: connection.reject(late.reject) });
    CommitReport { rejected: rejected.collect() }
}

/// What the last writer of the unit came to, once it is as the contract wants it.
fn last_commit(
    found: Option<destination::LastCommit>,
    connection: &Connection,
) -> Result<Option<LastCommit>, Refused> {
    let Some(found) = found else { return Ok(None) };
    let report = commit_report(found.report, connection);
    validate::last_commit(&report)?;
    Ok(Some(LastCommit { token: found.token, report }))
}
