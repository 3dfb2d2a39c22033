//! A destination that keeps the first rows and asks the run to stop. Takes everything, changes nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use pipeline::clock::SystemClock;
use pipeline::connector::{Budget, Destination, Writer};
use pipeline::failure::Failure;
use pipeline::model::{
    Batch, Capabilities, CommitReport, FieldFate, FieldVerdict, LastCommit, Layouts, Modes, Operations,
    PageBudget, StreamPlan, StreamSchema, StreamVerdict, WriteReport,
};
use pipeline::records::MemoryRecords;
use pipeline::report::RunReport;
use pipeline::rows;
use pipeline::run::{ChosenStream, NoObserver, RejectPolicy, Rejects, Run};
use tokio_util::sync::CancellationToken;

use crate::opened::Opened;
use crate::problem::Problems;
use crate::spec::{chosen, spec};

/// One row as it would reach the destination.
pub(crate) struct Row {
    pub(crate) operation: &'static str,
    /// An object, as JSON.
    pub(crate) json: String,
}

/// The first rows of one stream, by one version of its schema.
pub(crate) struct Sampled {
    pub(crate) schema: StreamSchema,
    pub(crate) batches: Vec<Batch>,
}

impl Sampled {
    pub(crate) fn rows(&self) -> Vec<Row> {
        let of = |batch| (0..Batch::row_count(batch)).map(move |row| (batch, row));
        let shown = |(batch, row): (&Batch, u32)| {
            let operation = batch.operations.get(row as usize).map_or("", |operation| operation.name());
            rows::row_json(batch, &self.schema, row).map(|json| Row { operation, json })
        };
        self.batches.iter().flat_map(of).filter_map(shown).collect()
    }
}

/// Keeps the first rows.
#[derive(Clone)]
pub(crate) struct Sample {
    inner: Arc<Mutex<Inner>>,
    wanted: usize,
    enough: CancellationToken,
}

#[derive(Default)]
struct Inner {
    streams: Vec<Sampled>,
    kept: usize,
}

impl Sample {
    /// So many rows over all streams that come out; then it has enough.
    pub(crate) fn new(wanted: u32) -> Self {
        Self { inner: Arc::default(), wanted: wanted as usize, enough: CancellationToken::new() }
    }

    fn rows(&self) -> u32 {
        u32::try_from(self.wanted).unwrap_or(u32::MAX)
    }

    /// What was kept.
    pub(crate) fn take(&self) -> Vec<Sampled> {
        std::mem::take(&mut self.inner().streams)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self, plan: StreamPlan) -> StreamVerdict {
        let schema = plan.schema;
        let (stream, layout) = (schema.stream.clone(), schema.layout);
        let stored = |name: &String| FieldVerdict { field: name.clone(), fate: FieldFate::Stored };
        let fields = schema.schema.fields.iter().map(|field| stored(&field.name)).collect();
        let mut inner = self.inner();
        // Rows that are there are laid out by the schema of their time.
        let same = |sampled: &&mut Sampled| sampled.schema.stream == stream && sampled.batches.is_empty();
        match inner.streams.iter_mut().find(same) {
            Some(known) => known.schema = schema,
            None => inner.streams.push(Sampled { schema, batches: Vec::new() }),
        }
        StreamVerdict { stream, layout, fields }
    }

    fn keep(&self, batch: &Batch) {
        let mut inner = self.inner();
        let Inner { streams, kept } = &mut *inner;
        let Some(sampled) = streams.iter_mut().rfind(|sampled| sampled.schema.stream == batch.stream) else {
            return;
        };
        let wanted = u32::try_from(self.wanted - *kept).unwrap_or(u32::MAX).min(batch.row_count());
        if wanted > 0 {
            let first: Vec<u32> = (0..wanted).collect();
            sampled.batches.push(rows::take(batch, &first));
            *kept += wanted as usize;
        }
        if *kept == self.wanted {
            self.enough.cancel();
        }
    }
}

/// A run into the sample that nobody remembers.
pub(crate) async fn sampled(opened: &Opened, stream: &str, sample: &Sample) -> Result<RunReport, Problems> {
    let sync = &opened.document.sync;
    let selected = sync.streams.iter().flatten().find(|selection| selection.name == stream).map(chosen);
    let every_row = || ChosenStream { stream: stream.to_owned(), ..ChosenStream::default() };
    let mut spec = spec(sync, opened.ports()?);
    spec.streams = Some(vec![selected.unwrap_or_else(every_row)]);
    spec.destination = Arc::new(sample.clone());
    spec.rejects = Rejects { policy: RejectPolicy::Skip, ..Rejects::default() };
    // A person waits: no page is larger than what is shown, and nothing is tried for minutes.
    spec.options.page = PageBudget { max_rows: sample.rows(), ..spec.options.page };
    spec.options.attempts = 1;
    let run =
        Run::new(spec, Arc::new(MemoryRecords::new()), Arc::new(SystemClock::new()), Arc::new(NoObserver));
    Ok(run.run(sample.enough.clone()).await)
}

#[async_trait]
impl Destination for Sample {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn open(&self, _unit: String, _fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Writer for Sample {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        Ok(Capabilities {
            exactly_once: false,
            transactions: true,
            fences: false,
            late_rejects: false,
            layouts: Layouts { columns: true, json_lines: true },
            modes: Modes { append: true, upsert: true, mirror: true, replace: true },
            operations: Operations { insert: true, update: true, upsert: true, delete: true },
        })
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        Ok(None)
    }

    async fn prepare(
        &mut self,
        plans: Vec<StreamPlan>,
        _dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        Ok(plans.into_iter().map(|plan| self.plan(plan)).collect())
    }

    async fn write(&mut self, _number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        self.keep(&batch);
        Ok(WriteReport::default())
    }

    async fn commit(&mut self, _token: String, _last: bool) -> Result<CommitReport, Failure> {
        Ok(CommitReport::default())
    }

    fn budget(&self) -> Budget {
        Budget::new()
    }
}
