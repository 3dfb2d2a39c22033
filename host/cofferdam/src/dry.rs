//! A run without rows: the source has nothing, the destination only says what it would do. What the pipeline judges
//! before rows flow (streams, fields, filters, modes, verdicts) is judged by the pipeline itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pipeline::connector::{Budget, Destination, Reader, Source, Writer};
use pipeline::failure::Failure;
use pipeline::model::{
    Batch, Capabilities, Catalog, CommitReport, LastCommit, OpenRead, PageBudget, Step, StreamPlan,
    StreamVerdict, WriteReport,
};

/// A source that knows its streams and has no rows.
pub(crate) struct EmptySource(pub(crate) Arc<dyn Source>);

struct EmptyReader;

/// A destination that is asked and never given anything.
pub(crate) struct DryDestination {
    real: Arc<dyn Destination>,
    verdicts: Verdicts,
}

struct DryWriter {
    real: Box<dyn Writer>,
    verdicts: Verdicts,
}

/// What the destination said, for each stream the last word, in the order of their names: commit units are asked side by
/// side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdicts(Arc<Mutex<BTreeMap<String, (StreamPlan, StreamVerdict)>>>);

impl Verdicts {
    pub(crate) fn all(&self) -> Vec<(StreamPlan, StreamVerdict)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn add(&self, plans: &[StreamPlan], verdicts: &[StreamVerdict]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for plan in plans {
            let name = &plan.schema.stream;
            if let Some(verdict) = verdicts.iter().find(|verdict| verdict.stream == *name) {
                all.insert(name.clone(), (plan.clone(), verdict.clone()));
            }
        }
    }
}

impl DryDestination {
    pub(crate) fn new(real: Arc<dyn Destination>) -> (Self, Verdicts) {
        let verdicts = Verdicts::default();
        (Self { real, verdicts: verdicts.clone() }, verdicts)
    }
}

#[async_trait]
impl Source for EmptySource {
    async fn check(&self) -> Result<(), Failure> {
        self.0.check().await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        self.0.discover().await
    }

    async fn open(&self, _read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        Ok(Box::new(EmptyReader))
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

#[async_trait]
impl Reader for EmptyReader {
    async fn next(&mut self, _budget: PageBudget) -> Result<Step, Failure> {
        Ok(Step::End)
    }

    async fn committed(&mut self, _checkpoint: String) -> Result<(), Failure> {
        Ok(())
    }

    fn budget(&self) -> Budget {
        Budget::new()
    }
}

#[async_trait]
impl Destination for DryDestination {
    async fn check(&self) -> Result<(), Failure> {
        self.real.check().await
    }

    /// Without a fence: nothing may be changed.
    async fn open(&self, unit: String, _fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        let real = self.real.open(unit, None).await?;
        Ok(Box::new(DryWriter { real, verdicts: self.verdicts.clone() }))
    }

    fn budget(&self) -> Budget {
        self.real.budget()
    }
}

#[async_trait]
impl Writer for DryWriter {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        self.real.capabilities().await
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        Ok(None)
    }

    async fn prepare(
        &mut self,
        plans: Vec<StreamPlan>,
        _dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        let verdicts = self.real.prepare(plans.clone(), true).await?;
        self.verdicts.add(&plans, &verdicts);
        Ok(verdicts)
    }

    async fn write(&mut self, _number: u64, _batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        Ok(WriteReport::default())
    }

    async fn commit(&mut self, _token: String, _last: bool) -> Result<CommitReport, Failure> {
        Ok(CommitReport::default())
    }

    fn budget(&self) -> Budget {
        self.real.budget()
    }
}
