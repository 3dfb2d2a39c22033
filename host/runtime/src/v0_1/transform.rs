//! The role `transform`: implements the ports `Transform` and `Transformer`.

use super::bindings::transform::{self, Guest};
use super::{Linked, from_guest, no_role, to_guest};
use crate::connection::Connection;
use crate::imports::wasi::World;
use crate::instance::{Instance, Opening, Refused};
use crate::state::State;
use async_trait::async_trait;
use pipeline::connector::{Budget, Transform as TransformPort, Transformer};
use pipeline::failure::Failure;
use pipeline::model::{Batch, StreamSchema, TransformPlan, Transformed};
use pipeline::validate;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

/// A connection whose connector is a transform.
pub(super) struct Transform {
    pub(super) connection: Connection,
    pub(super) linked: Arc<Linked>,
}

impl Transform {
    async fn instance(&self, call: &'static str, about: String) -> Result<Instance<Guest>, Failure> {
        let linked = self.linked.clone();
        let opening = Opening { call, about, world: World::Real };
        Instance::new(&self.connection, opening, move |store| {
            Box::pin(async move { Ok(Ok(instantiate(&linked, store).await?)) })
        })
        .await
    }
}

/// Each stream is in one read group, so the streams tell one group's instances from another's.
fn about(inputs: &[StreamSchema]) -> String {
    inputs.iter().map(|schema| schema.stream.as_str()).collect::<Vec<_>>().join("+")
}

async fn instantiate(linked: &Linked, store: &mut Store<State>) -> wasmtime::Result<Guest> {
    let indices = linked.transform.as_ref().ok_or_else(no_role)?;
    let instance = linked.pre.instantiate_async(&mut *store).await?;
    indices.load(&mut *store, &instance)
}

#[async_trait]
impl TransformPort for Transform {
    async fn check(&self) -> Result<(), Failure> {
        let mut instance = self.instance("transform.check", String::new()).await?;
        let connection = self.connection.clone();
        instance
            .call("transform.check", move |live| {
                Box::pin(async move {
                    let checked = live.role.call_check(&mut live.store, &connection.inner.config).await?;
                    Ok(checked.map_err(|error| connection.guest_error(error)))
                })
            })
            .await
    }

    async fn plan(&self, inputs: Vec<StreamSchema>) -> Result<TransformPlan, Failure> {
        const CALL: &str = "transform.plan";
        let mut instance = self.instance(CALL, about(&inputs)).await?;
        let connection = self.connection.clone();
        instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let inputs = to_guest::schemas(&inputs);
                    let params = inputs.params();
                    let plan =
                        live.role.call_plan(&mut live.store, &connection.inner.config, &params).await?;
                    let plan = plan.map_err(|error| connection.guest_error(error));
                    Ok(plan.and_then(|plan| judged_plan(plan, &connection)))
                })
            })
            .await
    }

    async fn open(
        &self,
        inputs: Vec<StreamSchema>,
        outputs: Vec<StreamSchema>,
    ) -> Result<Box<dyn Transformer>, Failure> {
        const CALL: &str = "transform.open";
        let connection = self.connection.clone();
        let instance = self.instance(CALL, about(&inputs)).await?;
        let outputs = outputs.into_iter().map(|schema| (schema.stream.clone(), schema)).collect();
        let instance = instance
            .become_role(CALL, move |guest, store| {
                Box::pin(async move {
                    let inputs = to_guest::schemas(&inputs);
                    let opened =
                        guest.call_open(&mut *store, &connection.inner.config, &inputs.params()).await?;
                    let opened = opened.map(|transformer| Opened { guest, transformer, outputs });
                    Ok(opened.map_err(|error| connection.guest_error(error)))
                })
            })
            .await?;
        Ok(Box::new(ConnectorTransformer { instance }))
    }

    fn budget(&self) -> Budget {
        self.connection.budget()
    }
}

struct Opened {
    guest: Guest,
    transformer: ResourceAny,
    /// By which output is judged.
    outputs: BTreeMap<String, StreamSchema>,
}

struct ConnectorTransformer {
    instance: Instance<Opened>,
}

#[async_trait]
impl Transformer for ConnectorTransformer {
    async fn apply(&mut self, batch: Arc<Batch>) -> Result<Transformed, Failure> {
        const CALL: &str = "transformer.apply";
        let connection = self.instance.connection().clone();
        let row_count = batch.row_count();
        self.instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let Opened { guest, transformer, outputs } = &live.role;
                    let lent = to_guest::batch(&batch);
                    let outcome =
                        guest.transformer().call_apply(&mut live.store, *transformer, lent.param()).await?;
                    let outcome = outcome.map_err(|error| connection.guest_error(error));
                    Ok(outcome.and_then(|outcome| judged(outcome, row_count, outputs, &connection)))
                })
            })
            .await
    }

    fn budget(&self) -> Budget {
        self.instance.connection().budget()
    }
}

/// A plan that is as the contract wants it.
fn judged_plan(plan: transform::TransformPlan, connection: &Connection) -> Result<TransformPlan, Refused> {
    let plan = from_guest::transform_plan(plan).map_err(|what| connection.broken(&what))?;
    validate::transform_plan(&plan, &connection.inner.grants.limits.sizes())?;
    Ok(plan)
}

/// What became of so many rows, once it is as the contract wants it.
fn judged(
    outcome: transform::Transformed,
    row_count: u32,
    outputs: &BTreeMap<String, StreamSchema>,
    connection: &Connection,
) -> Result<Transformed, Refused> {
    let outcome = from_guest::transformed(outcome, |reject| connection.reject(reject));
    let outcome = outcome.map_err(|what| connection.broken(&what))?;
    connection.inner.meter.peaks.batches(outcome.outputs.iter().map(|output| &output.batch));
    validate::transformed(&outcome, row_count, outputs, &connection.inner.grants.limits.sizes())?;
    Ok(outcome)
}
