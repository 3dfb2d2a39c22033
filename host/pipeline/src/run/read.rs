//! The stage that reads: asks the source for pages, does what the host does to them first, and passes them on.

use super::Trouble;
use super::budgets::Metered;
use super::context::{Context, Grace};
use super::observe::Phase;
use super::pipe::{Item, PageEnd, PipeSender, RawReject};
use super::plan::{GroupPlan, Shape, StreamIn};
use super::track::{Flow, Origin, Parcel, Tracked, cut_message};
use crate::connector::Reader;
use crate::error::Error;
use crate::failure::Cause;
use crate::model::{Batch, Page, PageBudget, Reject, RejectedRow, SourceReject, Step, StreamSchema};
use crate::records::RejectedBy;
use crate::rows;
use crate::secrets;
use scrub::Place;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// The contract: bytes that never became a row are kept up to this length.
const RAW_BYTES_MAX: usize = 64 << 10;

/// Reads one group in one attempt.
pub(super) struct ReadStage {
    pub(super) context: Arc<Context>,
    pub(super) group: Arc<GroupPlan>,
    pub(super) attempt: u32,
    pub(super) reader: Metered<dyn Reader>,
    pub(super) streams: BTreeMap<String, ReadStream>,
    /// The newest checkpoint that was committed.
    pub(super) committed: watch::Receiver<Option<String>>,
    /// Raised when a schema changes: a later attempt must look at the source anew.
    pub(super) schema_changed: Arc<AtomicBool>,
    pub(super) empty_pages: u64,
    pub(super) last_checkpoint: Option<String>,
}

/// One stream that is read.
pub(super) struct ReadStream {
    pub(super) stream: StreamIn,
    pub(super) shape: Shape,
    pub(super) given: Arc<StreamSchema>,
    pub(super) wanted: Arc<StreamSchema>,
    /// How many rows may still come, by the stream's limit.
    pub(super) remaining: Option<u64>,
}

impl ReadStream {
    pub(super) fn new(
        stream: StreamIn,
        schema: &StreamSchema,
        remaining: Option<u64>,
    ) -> Result<Self, Error> {
        let mut shape = Shape::new(&stream, schema)?;
        shape.selection.limit = shape.selection.limit.and(remaining);
        let (given, wanted) = (Arc::new(shape.given.clone()), Arc::new(shape.wanted.clone()));
        Ok(Self { stream, shape, given, wanted, remaining })
    }
}

impl ReadStage {
    /// Reads to the end, then tells the source of commits until the writing stage is gone.
    pub(super) async fn run(mut self, out: PipeSender) {
        let last = match self.read(&out).await {
            Ok(last) => last,
            // The instance is gone with the call that was abandoned or failed; nothing more is told to it.
            Err(trouble) => {
                let word =
                    if matches!(trouble, Trouble::Stopped) { Item::Stopped } else { Item::Failed(trouble) };
                out.send(word).await;
                return;
            }
        };
        out.send(last).await;
        drop(out);
        while self.committed.changed().await.is_ok() {
            if self.tell_newest().await.is_err() {
                return;
            }
        }
    }

    async fn read(&mut self, out: &PipeSender) -> Result<Item, Trouble> {
        loop {
            if self.context.stop.is_requested() {
                return Ok(Item::Stopped);
            }
            if self.limits_reached() {
                return Ok(Item::End);
            }
            self.tell_committed().await?;
            let budget = self.budget();
            match self.context.call(Grace::FromStop, self.reader.next(budget)).await? {
                Step::Page(page) => {
                    if !self.page(page, out).await? {
                        return Ok(Item::Stopped);
                    }
                }
                Step::Wait(ms) => self.wait(u64::from(ms)).await?,
                Step::SchemaChanged(schemas) => {
                    self.count_idle()?;
                    self.change_schemas(&schemas)?;
                    let streams = self.streams.values().map(|stream| Arc::clone(&stream.wanted)).collect();
                    out.send(Item::Streams(streams)).await;
                }
                Step::End => return Ok(Item::End),
            }
        }
    }

    /// Whether each stream has given as many rows as were wanted.
    fn limits_reached(&self) -> bool {
        self.streams.values().all(|stream| stream.remaining == Some(0))
    }

    /// A single limited stream is not asked for rows that would be cut off again, and then be lost behind the checkpoint.
    fn budget(&self) -> PageBudget {
        let mut budget = self.context.spec.options.page;
        let mut streams = self.streams.values();
        if let (Some(only), None) = (streams.next(), streams.next())
            && only.shape.filter.is_none()
            && let Some(remaining) = only.remaining
        {
            budget.max_rows = u32::try_from(remaining).unwrap_or(u32::MAX).clamp(1, budget.max_rows);
        }
        budget
    }

    /// Sleeps as the source asked; a commit in the meantime is told at once.
    async fn wait(&mut self, ms: u64) -> Result<(), Trouble> {
        self.empty_pages = 0;
        self.context.phase(&self.group.name, self.attempt, Phase::Waiting { ms });
        let context = Arc::clone(&self.context);
        let sleep = context.sleep(ms);
        tokio::pin!(sleep);
        loop {
            tokio::select! {
                biased;
                _ = &mut sleep => break,
                Ok(()) = self.committed.changed() => self.tell_newest().await?,
            }
        }
        self.context.phase(&self.group.name, self.attempt, Phase::Moving);
        Ok(())
    }

    async fn tell_committed(&mut self) -> Result<(), Trouble> {
        // An error says that the writing stage is gone: then there is nothing to tell.
        if self.committed.has_changed().unwrap_or(false) { self.tell_newest().await } else { Ok(()) }
    }

    /// The contract: an error of the source here is logged and fails nothing. A crash takes the instance with it, so that
    /// the group is opened again.
    async fn tell_newest(&mut self) -> Result<(), Trouble> {
        let Some(checkpoint) = self.committed.borrow_and_update().clone() else { return Ok(()) };
        match self.context.call(Grace::FromStop, self.reader.committed(checkpoint)).await {
            Ok(()) => Ok(()),
            Err(Trouble::Failure(failure)) => {
                tracing::warn!(
                    group = self.group.name,
                    code = failure.code(),
                    connector = failure.connector,
                    "the source failed when it was told of a commit"
                );
                match failure.cause {
                    Cause::Guest(_) => Ok(()),
                    _ => Err(Trouble::Reopen(failure)),
                }
            }
            Err(other) => Err(other),
        }
    }

    fn change_schemas(&mut self, schemas: &[StreamSchema]) -> Result<(), Trouble> {
        secrets::refuse_in_schemas(&self.context.spec.secrets.source, "source", schemas)?;
        self.schema_changed.store(true, Ordering::Relaxed);
        for schema in schemas {
            let Some(known) = self.streams.get_mut(&schema.stream) else {
                return Err(unknown(&schema.stream).into());
            };
            *known = ReadStream::new(known.stream.clone(), schema, known.remaining)?;
        }
        Ok(())
    }

    /// False once nobody takes the rows any more.
    async fn page(&mut self, page: Page, out: &PipeSender) -> Result<bool, Trouble> {
        self.count_empty(&page)?;
        if let Some(checkpoint) = &page.checkpoint {
            let watch = &self.context.spec.secrets.source;
            secrets::refuse(watch, Place::Checkpoint, "source", "a checkpoint", checkpoint.as_bytes())?;
        }
        let Page { batches, rejects, checkpoint, transaction_end } = page;
        let mut read: BTreeMap<String, u64> = BTreeMap::new();
        let mut at: BTreeMap<u32, Vec<Reject>> = BTreeMap::new();
        let mut raw = Vec::new();
        for reject in rejects {
            match reject.row {
                RejectedRow::At { batch, .. } => at.entry(batch).or_default().push(reject_of(reject)),
                RejectedRow::Raw(_) => {
                    *read.entry(reject.stream.clone()).or_default() += 1;
                    raw.push(self.raw(reject)?);
                }
            }
        }
        for (number, batch) in (0..).zip(batches) {
            *read.entry(batch.stream.clone()).or_default() += u64::from(batch.row_count());
            let parcel = self.parcel(batch, at.remove(&number).unwrap_or_default())?;
            if !out.send(Item::Parcel(Box::new(parcel))).await {
                return Ok(false);
            }
        }
        let read = read.into_iter().collect();
        Ok(out.send(Item::PageEnd(PageEnd { raw, read, checkpoint, transaction_end })).await)
    }

    /// A source that answers for ever and brings nothing would hold its run, and the host, for ever.
    fn count_empty(&mut self, page: &Page) -> Result<(), Error> {
        let moves = page.checkpoint.is_some() && page.checkpoint != self.last_checkpoint;
        let rows = page.batches.iter().any(|batch| batch.row_count() > 0) || !page.rejects.is_empty();
        if moves || rows {
            self.empty_pages = 0;
            self.last_checkpoint.clone_from(&page.checkpoint);
            return Ok(());
        }
        self.count_idle()
    }

    /// One answer more that brought nothing.
    fn count_idle(&mut self) -> Result<(), Error> {
        self.empty_pages += 1;
        if self.empty_pages > self.context.spec.options.empty_pages_max {
            return Err(Error::NoProgress { pages: self.empty_pages });
        }
        Ok(())
    }

    fn raw(&self, reject: SourceReject) -> Result<RawReject, Error> {
        let stream = self.streams.get(&reject.stream).ok_or_else(|| unknown(&reject.stream))?;
        let SourceReject { row, code, message, retryable, .. } = reject;
        let bytes = if let RejectedRow::Raw(bytes) = row { bytes } else { Vec::new() };
        // Not what it was, but it never was a row, and is shown to people only.
        let blanked = self.context.spec.secrets.source.blank(Place::Record, &bytes);
        let mut bytes = blanked.unwrap_or(bytes);
        bytes.truncate(RAW_BYTES_MAX);
        let row_data = self.context.spec.rejects.row_data;
        let Reject { code, message, .. } = row_data.allowed(Reject { row: 0, code, message, retryable });
        Ok(RawReject {
            schema: Arc::clone(&stream.given),
            bytes,
            code,
            message: cut_message(message),
            retryable,
        })
    }

    /// What the host does first: rows that the source rejects, the filter, the limit, the selection of fields.
    fn parcel(&mut self, batch: Batch, rejects: Vec<Reject>) -> Result<Parcel, Error> {
        let stream = self.streams.get_mut(&batch.stream).ok_or_else(|| unknown(&batch.stream))?;
        let batch = Arc::new(batch);
        let row_data = self.context.spec.rejects.row_data;
        let given = Arc::clone(&stream.given);
        let mut tracked = Tracked::new(Arc::clone(&batch), given, self.attempt, row_data);
        // First of all, so that no other reason lets the row be kept.
        secrets::rejects(&self.context.spec.secrets.source, &batch)
            .into_iter()
            .for_each(|reject| tracked.reject_secret(reject));
        for reject in rejects {
            tracked.reject(reject.row, reject, RejectedBy::Source);
        }
        let mut flow = Some(Flow { batch, origin: Origin::Same });
        if let (Some(filter), Some(given)) = (&stream.shape.filter, &flow) {
            let (kept, rejected) = filter.apply(&given.batch);
            for reject in rejected {
                tracked.reject(reject.row, reject, RejectedBy::Host);
            }
            flow = Some(given.pick(kept)?);
        }
        if let Some(given) = flow {
            flow = given.without_rejected(&tracked)?;
        }
        let mut selected = 0;
        if let Some(given) = flow {
            let (limited, taken) = limit(given, &mut stream.remaining)?;
            selected = taken;
            flow = if taken == 0 { None } else { Some(limited) };
        }
        if let Some(given) = flow.take() {
            flow = project(given, stream, &mut tracked)?;
        }
        Ok(Parcel { tracked, flows: flow.into_iter().collect(), selected })
    }
}

/// The first of the rows, as many as may still come; how many that are.
fn limit(flow: Flow, remaining: &mut Option<u64>) -> Result<(Flow, u64), Error> {
    let rows = flow.batch.row_count();
    let Some(left) = remaining else { return Ok((flow, u64::from(rows))) };
    let taken = u32::try_from(*left).unwrap_or(u32::MAX).min(rows);
    *left -= u64::from(taken);
    let limited = if taken == rows { flow } else { flow.pick(Some((0..taken).collect()))? };
    Ok((limited, u64::from(taken)))
}

fn project(flow: Flow, stream: &ReadStream, tracked: &mut Tracked) -> Result<Option<Flow>, Error> {
    if stream.given.schema == stream.wanted.schema {
        return Ok(Some(flow));
    }
    let projected = rows::project(&flow.batch, &stream.given, &stream.wanted);
    for reject in projected.rejected {
        tracked.reject(flow.origin.of(reject.row)?, reject, RejectedBy::Host);
    }
    let origin = flow.origin.then(projected.kept)?;
    Ok(Some(Flow { batch: Arc::new(projected.batch), origin }).filter(|flow| flow.batch.row_count() > 0))
}

fn reject_of(reject: SourceReject) -> Reject {
    let row = if let RejectedRow::At { row, .. } = reject.row { row } else { 0 };
    Reject { row, code: reject.code, message: reject.message, retryable: reject.retryable }
}

fn unknown(stream: &str) -> Error {
    Error::internal(format!("the stream `{stream}` came, which was not asked for"))
}
