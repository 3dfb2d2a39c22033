//! A run's connectors with a span around each call that moves rows. The spans say which call it was and whether it went well;
//! what went through it they do not know.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::connector::{Budget, Destination, Reader, Source, Writer};
use pipeline::failure::Failure;
use pipeline::model::{
    Batch, Capabilities, Catalog, CommitReport, LastCommit, OpenRead, PageBudget, Step, StreamPlan,
    StreamVerdict, WriteReport,
};
use tracing::{Instrument, Span, field};

use crate::opened::Ports;

/// The same ports, whose calls are children of this span.
pub(super) fn traced(ports: Ports, run: &Span) -> Ports {
    let source = Arc::new(Traced { inner: ports.source, run: run.clone() });
    let destination = Arc::new(Traced { inner: ports.destination, run: run.clone() });
    Ports { source, destination, ..ports }
}

struct Traced<T> {
    inner: T,
    run: Span,
}

impl<T> Traced<T> {
    fn of<U>(&self, inner: U) -> Traced<U> {
        Traced { inner, run: self.run.clone() }
    }
}

/// One call.
macro_rules! call {
    ($run:expr, $name:literal, $call:expr) => {{
        let span = tracing::error_span!(
            target: "cofferdam::spans",
            parent: $run,
            $name,
            code = field::Empty
        );
        let done = $call.instrument(span.clone()).await;
        if let Err(failure) = &done {
            span.record("code", failure.code());
        }
        done
    }};
}

#[async_trait]
impl Source for Traced<Arc<dyn Source>> {
    async fn check(&self) -> Result<(), Failure> {
        call!(&self.run, "check source", self.inner.check())
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        call!(&self.run, "discover", self.inner.discover())
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        let reader = call!(&self.run, "open source", self.inner.open(read))?;
        Ok(Box::new(self.of(reader)))
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }
}

#[async_trait]
impl Reader for Traced<Box<dyn Reader>> {
    async fn next(&mut self, budget: PageBudget) -> Result<Step, Failure> {
        call!(&self.run, "page", self.inner.next(budget))
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        call!(&self.run, "committed", self.inner.committed(checkpoint))
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }
}

#[async_trait]
impl Destination for Traced<Arc<dyn Destination>> {
    async fn check(&self) -> Result<(), Failure> {
        call!(&self.run, "check destination", self.inner.check())
    }

    async fn open(&self, unit: String, fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        let writer = call!(&self.run, "open destination", self.inner.open(unit, fence))?;
        Ok(Box::new(self.of(writer)))
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }
}

#[async_trait]
impl Writer for Traced<Box<dyn Writer>> {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        self.inner.capabilities().await
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        self.inner.committed().await
    }

    async fn prepare(
        &mut self,
        plans: Vec<StreamPlan>,
        dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        call!(&self.run, "prepare", self.inner.prepare(plans, dry_run))
    }

    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        call!(&self.run, "write", self.inner.write(number, batch))
    }

    async fn commit(&mut self, token: String, last: bool) -> Result<CommitReport, Failure> {
        call!(&self.run, "commit", self.inner.commit(token, last))
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }
}

#[cfg(test)]
mod tests;
