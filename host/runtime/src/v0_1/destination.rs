//! The role `destination`: implements the ports `Destination` and `Writer`.

use super::bindings::destination::{self, Guest, StreamPlan};
use super::{Linked, from_guest, no_role, to_guest};
use crate::connection::Connection;
use crate::imports::wasi::World;
use crate::instance::{Instance, Opening};
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
                        .map(|writer| Opened { guest, writer })
                        .map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        Ok(Box::new(DestinationWriter { instance, writing: Writing::default() }))
    }

    fn budget(&self) -> Budget {
        self.connection.budget()
    }
}

struct Opened {
    guest: Guest,
    writer: ResourceAny,
}

struct DestinationWriter {
    instance: Instance<Opened>,
    /// By which answers are judged.
    writing: Writing,
}

impl DestinationWriter {
    fn commit_report(&self, report: destination::CommitReport) -> CommitReport {
        let connection = self.instance.connection();
        let late = report.rejected.into_iter();
        let rejected =
            late.map(|late| LateReject { batch: late.batch, reject: connection.reject(late.reject) });
        CommitReport { rejected: rejected.collect() }
    }
}

#[async_trait]
impl Writer for DestinationWriter {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        const CALL: &str = "writer.capabilities";
        let found = self
            .instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let Opened { guest, writer } = &live.role;
                    Ok(Ok(guest.writer().call_capabilities(&mut live.store, *writer).await?))
                })
            })
            .await?;
        let capabilities = from_guest::capabilities(found);
        let judged = self.writing.capabilities(&capabilities);
        judged.map_err(|fault| self.instance.violated(CALL, fault))?;
        Ok(capabilities)
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        const CALL: &str = "writer.committed";
        let connection = self.instance.connection().clone();
        let found = self
            .instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let Opened { guest, writer } = &live.role;
                    let found = guest.writer().call_committed(&mut live.store, *writer).await?;
                    Ok(found.map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        let Some(found) = found else { return Ok(None) };
        let report = self.commit_report(found.report);
        let judged = validate::last_commit(&report);
        judged.map_err(|fault| self.instance.violated(CALL, fault))?;
        Ok(Some(LastCommit { token: found.token, report }))
    }

    async fn prepare(
        &mut self,
        plans: Vec<model::StreamPlan>,
        dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        const CALL: &str = "writer.prepare";
        if !self.writing.knows_capabilities() {
            self.capabilities().await?;
        }
        let connection = self.instance.connection().clone();
        let asked = plans.clone();
        let verdicts = self
            .instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let Opened { guest, writer } = &live.role;
                    let schemas: Vec<_> = asked.iter().map(|plan| plan.schema.clone()).collect();
                    let schemas = to_guest::schemas(&schemas);
                    let params = schemas.params().into_iter().zip(&asked);
                    let params: Vec<_> = params
                        .map(|(schema, plan)| StreamPlan {
                            schema,
                            mode: to_guest::mode(plan.mode),
                            generation: plan.generation,
                        })
                        .collect();
                    let verdicts =
                        guest.writer().call_prepare(&mut live.store, *writer, &params, dry_run).await?;
                    Ok(verdicts.map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        let meter = Arc::clone(&self.instance.connection().inner.meter);
        let verdicts: Vec<_> =
            verdicts.into_iter().map(|verdict| from_guest::verdict(verdict, &meter)).collect();
        let judged = self.writing.verdicts(&verdicts, &plans);
        judged.map_err(|fault| self.instance.violated(CALL, fault))?;
        Ok(verdicts)
    }

    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        const CALL: &str = "writer.write";
        let connection = self.instance.connection().clone();
        let row_count = batch.row_count();
        let report = self
            .instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let Opened { guest, writer } = &live.role;
                    let lent = to_guest::batch(&batch);
                    let report =
                        guest.writer().call_write(&mut live.store, *writer, number, lent.param()).await?;
                    Ok(report.map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        let connection = self.instance.connection();
        let rejected = report.rejected.into_iter().map(|reject| connection.reject(reject)).collect();
        let report = WriteReport { rejected };
        let judged = self.writing.written(&report, row_count);
        judged.map_err(|fault| self.instance.violated(CALL, fault))?;
        Ok(report)
    }

    async fn commit(&mut self, token: String, last: bool) -> Result<CommitReport, Failure> {
        const CALL: &str = "writer.commit";
        let connection = self.instance.connection().clone();
        let report = self
            .instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let Opened { guest, writer } = &live.role;
                    let report = guest.writer().call_commit(&mut live.store, *writer, &token, last).await?;
                    Ok(report.map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        let report = self.commit_report(report);
        let judged = self.writing.committed(&report);
        judged.map_err(|fault| self.instance.violated(CALL, fault))?;
        Ok(report)
    }

    fn budget(&self) -> Budget {
        self.instance.connection().budget()
    }
}
