//! The ports of `pipeline` over a worker. What it brings is judged here once more: a worker that was taken over by its guest
//! judges as that wishes.

use async_trait::async_trait;
use manifest::Role;
use pipeline::connector::{self, Budget, Reader, Transformer, Writer};
use pipeline::failure::{Cause, Failure};
use pipeline::model::{
    Batch, Capabilities, Catalog, CommitReport, LastCommit, OpenRead, PageBudget, Step, StreamPlan,
    StreamSchema, StreamVerdict, TransformPlan, Transformed, WriteReport,
};
use pipeline::validate::{self, Reading, Violation, Writing};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::connection::{Attached, Connection};
use super::link::Outcome;
use super::served::Served;
use crate::message::{Brought, Call, ToWorker};

/// A connection whose connector is a source.
pub struct Source(Connection);

impl Source {
    /// # Errors
    /// `runtime::Error::WrongRole` when the component is no source.
    pub fn new(connection: Connection) -> Result<Self, runtime::Error> {
        connection.plays(Role::Source)?;
        Ok(Self(connection))
    }
}

/// A connection whose connector is a destination.
pub struct Destination(Connection);

impl Destination {
    /// # Errors
    /// `runtime::Error::WrongRole` when the component is no destination.
    pub fn new(connection: Connection) -> Result<Self, runtime::Error> {
        connection.plays(Role::Destination)?;
        Ok(Self(connection))
    }
}

/// A connection whose connector is a transform.
pub struct Transform(Connection);

impl Transform {
    /// # Errors
    /// `runtime::Error::WrongRole` when the component is no transform.
    pub fn new(connection: Connection) -> Result<Self, runtime::Error> {
        connection.plays(Role::Transform)?;
        Ok(Self(connection))
    }
}

/// What was opened in a worker; closed there when it is dropped.
struct Handle {
    attached: Attached,
    served: Arc<Served>,
    number: u64,
}

impl Handle {
    /// Opens something under a number of ours.
    async fn open(
        connection: &Connection,
        what: impl FnOnce(u64) -> Call<'static>,
        call: &str,
    ) -> Result<Self, Failure> {
        let attached = connection.attached(call).await?;
        let number = attached.link.shared.number();
        let served = Arc::clone(connection.served());
        let handle = Self { attached, served, number };
        match handle.call(what(number)).await? {
            Brought::Nothing => Ok(handle),
            _ => Err(handle.other(call)),
        }
    }

    async fn call(&self, what: Call<'_>) -> Outcome {
        self.attached.call(&self.served, what).await
    }

    /// It brought what this call does not bring.
    fn other(&self, call: &str) -> Failure {
        other(&self.attached, &self.served, call)
    }

    fn violated(&self, call: &str, violation: Violation) -> Failure {
        violated(&self.served, call, violation)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.attached.link.shared.send(&ToWorker::Close { handle: self.number });
    }
}

pub(super) fn other(attached: &Attached, served: &Served, call: &str) -> Failure {
    attached
        .link
        .shared
        .condemn(attached.connection, format!("it answered `{call}` with what that does not bring"));
    served.failure(call, Cause::WorkerLost(format!("it answered `{call}` with what that does not bring")))
}

/// As in one process: the connector broke the contract, or a limit.
pub(super) fn violated(served: &Served, call: &str, violation: Violation) -> Failure {
    served.failure(call, violation.into_cause())
}

async fn check(connection: &Connection, what: Call<'static>) -> Result<(), Failure> {
    let call = what.name();
    let attached = connection.attached(call).await?;
    match attached.call(connection.served(), what).await? {
        Brought::Nothing => Ok(()),
        _ => Err(other(&attached, connection.served(), call)),
    }
}

#[async_trait]
impl connector::Source for Source {
    async fn check(&self) -> Result<(), Failure> {
        check(&self.0, Call::SourceCheck).await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        const CALL: &str = "source.discover";
        let served = self.0.served();
        let attached = self.0.attached(CALL).await?;
        let Brought::Catalog(catalog) = attached.call(served, Call::Discover).await? else {
            return Err(other(&attached, served, CALL));
        };
        let judged = validate::catalog(&catalog, &served.limits.sizes());
        judged.map_err(|fault| violated(served, CALL, fault))?;
        Ok(catalog)
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        let reading = Reading::new(&read);
        let read = Box::new(read);
        let handle = Handle::open(&self.0, |handle| Call::OpenReader { handle, read }, "source.open").await?;
        Ok(Box::new(RemoteReader { handle, reading }))
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

struct RemoteReader {
    handle: Handle,
    reading: Reading,
}

#[async_trait]
impl Reader for RemoteReader {
    async fn next(&mut self, budget: PageBudget) -> Result<Step, Failure> {
        const CALL: &str = "reader.next";
        let (handle, served) = (self.handle.number, &self.handle.served);
        let budget = served.limits.within(budget);
        let Brought::Step(mut step) = self.handle.call(Call::Next { handle, budget }).await? else {
            return Err(self.handle.other(CALL));
        };
        if let Step::Page(page) = &mut step {
            served.page(page);
        }
        let judged = self.reading.judge(&step, budget, &served.limits.sizes());
        judged.map_err(|fault| self.handle.violated(CALL, fault))?;
        Ok(step)
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        let handle = self.handle.number;
        match self.handle.call(Call::Committed { handle, checkpoint }).await? {
            Brought::Nothing => Ok(()),
            _ => Err(self.handle.other("reader.committed")),
        }
    }

    fn budget(&self) -> Budget {
        self.handle.served.budget()
    }
}

#[async_trait]
impl connector::Destination for Destination {
    async fn check(&self) -> Result<(), Failure> {
        check(&self.0, Call::DestinationCheck).await
    }

    async fn open(&self, unit: String, fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        let open = |handle| Call::OpenWriter { handle, unit, fence };
        let handle = Handle::open(&self.0, open, "destination.open").await?;
        Ok(Box::new(RemoteWriter { handle, writing: Writing::default() }))
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

struct RemoteWriter {
    handle: Handle,
    writing: Writing,
}

#[async_trait]
impl Writer for RemoteWriter {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        const CALL: &str = "writer.capabilities";
        let handle = self.handle.number;
        let Brought::Capabilities(capabilities) = self.handle.call(Call::Capabilities { handle }).await?
        else {
            return Err(self.handle.other(CALL));
        };
        let judged = self.writing.capabilities(&capabilities);
        judged.map_err(|fault| self.handle.violated(CALL, fault))?;
        Ok(capabilities)
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        const CALL: &str = "writer.committed";
        let handle = self.handle.number;
        let Brought::LastCommit(last) = self.handle.call(Call::LastCommit { handle }).await? else {
            return Err(self.handle.other(CALL));
        };
        let Some(mut last) = last else { return Ok(None) };
        self.handle.served.commit_report(&mut last.report);
        let judged = validate::last_commit(&last.report);
        judged.map_err(|fault| self.handle.violated(CALL, fault))?;
        Ok(Some(last))
    }

    async fn prepare(
        &mut self,
        plans: Vec<StreamPlan>,
        dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        const CALL: &str = "writer.prepare";
        if !self.writing.knows_capabilities() {
            self.capabilities().await?;
        }
        let (handle, asked) = (self.handle.number, plans.clone());
        let Brought::Verdicts(mut verdicts) =
            self.handle.call(Call::Prepare { handle, plans: asked, dry_run }).await?
        else {
            return Err(self.handle.other(CALL));
        };
        self.handle.served.verdicts(&mut verdicts);
        let judged = self.writing.verdicts(&verdicts, &plans);
        judged.map_err(|fault| self.handle.violated(CALL, fault))?;
        Ok(verdicts)
    }

    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        const CALL: &str = "writer.write";
        let handle = self.handle.number;
        let call = Call::Write { handle, number, batch: Cow::Borrowed(&batch) };
        let Brought::Written(mut report) = self.handle.call(call).await? else {
            return Err(self.handle.other(CALL));
        };
        self.handle.served.write_report(&mut report);
        let judged = self.writing.written(&report, batch.row_count());
        judged.map_err(|fault| self.handle.violated(CALL, fault))?;
        Ok(report)
    }

    async fn commit(&mut self, token: String, last: bool) -> Result<CommitReport, Failure> {
        const CALL: &str = "writer.commit";
        let handle = self.handle.number;
        let Brought::Commit(mut report) = self.handle.call(Call::Commit { handle, token, last }).await?
        else {
            return Err(self.handle.other(CALL));
        };
        self.handle.served.commit_report(&mut report);
        let judged = self.writing.committed(&report);
        judged.map_err(|fault| self.handle.violated(CALL, fault))?;
        Ok(report)
    }

    fn budget(&self) -> Budget {
        self.handle.served.budget()
    }
}

#[async_trait]
impl connector::Transform for Transform {
    async fn check(&self) -> Result<(), Failure> {
        check(&self.0, Call::TransformCheck).await
    }

    async fn plan(&self, inputs: Vec<StreamSchema>) -> Result<TransformPlan, Failure> {
        const CALL: &str = "transform.plan";
        let served = self.0.served();
        let attached = self.0.attached(CALL).await?;
        let Brought::Plan(plan) = attached.call(served, Call::Plan { inputs }).await? else {
            return Err(other(&attached, served, CALL));
        };
        let judged = validate::transform_plan(&plan, &served.limits.sizes());
        judged.map_err(|fault| violated(served, CALL, fault))?;
        Ok(plan)
    }

    async fn open(
        &self,
        inputs: Vec<StreamSchema>,
        outputs: Vec<StreamSchema>,
    ) -> Result<Box<dyn Transformer>, Failure> {
        let planned = outputs.iter().map(|schema| (schema.stream.clone(), schema.clone())).collect();
        let open = |handle| Call::OpenTransformer { handle, inputs, outputs };
        let handle = Handle::open(&self.0, open, "transform.open").await?;
        Ok(Box::new(RemoteTransformer { handle, outputs: planned }))
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

struct RemoteTransformer {
    handle: Handle,
    outputs: BTreeMap<String, StreamSchema>,
}

#[async_trait]
impl Transformer for RemoteTransformer {
    async fn apply(&mut self, batch: Arc<Batch>) -> Result<Transformed, Failure> {
        const CALL: &str = "transformer.apply";
        let (handle, served) = (self.handle.number, &self.handle.served);
        let call = Call::Apply { handle, batch: Cow::Borrowed(&batch) };
        let Brought::Transformed(mut outcome) = self.handle.call(call).await? else {
            return Err(self.handle.other(CALL));
        };
        served.transformed(&mut outcome);
        let sizes = served.limits.sizes();
        let judged = validate::transformed(&outcome, batch.row_count(), &self.outputs, &sizes);
        judged.map_err(|fault| self.handle.violated(CALL, fault))?;
        Ok(outcome)
    }

    fn budget(&self) -> Budget {
        self.handle.served.budget()
    }
}
