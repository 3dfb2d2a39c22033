//! The stage that writes: gives batches to the destination and decides when to commit.

use super::Trouble;
use super::budgets::Metered;
use super::context::{Context, Grace};
use super::group::GroupState;
use super::keeper::Keeper;
use super::ledger::Tally;
use super::observe::Phase;
use super::pending::{Pending, Written, host_reject};
use super::pipe::{Item, PageEnd, PipeReceiver};
use super::plan::GroupPlan;
use super::prepare::{self, OutStream};
use super::spec::RejectPolicy;
use super::track::{Flow, Origin, Parcel, Tracked};
use crate::connector::Writer;
use crate::error::Error;
use crate::model::{Batch, Capabilities, Operation, Operations, RowOperations, StreamSchema};
use crate::records::{Counters, OpenKeys, Position, RejectedBy};
use crate::rows::{self, Piece, convert_in_pieces};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::watch;

/// How an attempt ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All that the source had is committed.
    Done,
    /// The run is to stop, and what could be committed is.
    Stopped,
}

/// Writes one group in one attempt.
pub(super) struct WriteStage<'s> {
    pub(super) context: Arc<Context>,
    pub(super) group: Arc<GroupPlan>,
    pub(super) state: &'s mut GroupState,
    pub(super) writer: Metered<dyn Writer>,
    pub(super) capabilities: Capabilities,
    pub(super) streams: BTreeMap<String, Arc<OutStream>>,
    /// Where the unit stood at the last commit; mode and generation are those of this attempt.
    pub(super) position: Position,
    pub(super) committed: watch::Sender<Option<String>>,
    pub(super) pending: Pending,
    /// Keeps rows that may be rejected late.
    pub(super) keeper: Keeper,
    pub(super) boundary: Boundary,
    /// Where the unit stays, whatever the source says; none: where the source's checkpoints say.
    pub(super) stays: Option<Position>,
    /// Keys of open row errors, of the streams that have some.
    pub(super) open_keys: BTreeMap<String, Arc<dyn OpenKeys>>,
    /// How many rows of each stream the run has seen.
    pub(super) indexes: BTreeMap<String, u64>,
    /// Counts the commits of this attempt.
    pub(super) commits: u64,
}

/// Whether everything that was written is covered by a checkpoint, and where it matters stands at a transaction's end.
#[derive(Debug)]
pub(super) struct Boundary {
    wants_marks: bool,
    after_checkpoint: bool,
    after_mark: bool,
}

impl Boundary {
    /// `wants_marks`: the source marks where transactions end and the destination can commit them whole.
    pub(super) fn new(wants_marks: bool) -> Self {
        Self { wants_marks, after_checkpoint: false, after_mark: false }
    }

    fn rows_came(&mut self) {
        self.after_checkpoint = true;
        self.after_mark = true;
    }

    fn page_ended(&mut self, end: &PageEnd) {
        if !end.raw.is_empty() {
            self.rows_came();
        }
        if end.checkpoint.is_some() {
            self.after_checkpoint = false;
        }
        if end.transaction_end {
            self.after_mark = false;
        }
    }

    fn stands(&self) -> bool {
        let within_transaction = self.wants_marks && self.after_mark;
        !self.after_checkpoint && !within_transaction
    }
}

impl WriteStage<'_> {
    /// Writes what comes until the source's end or the wish to stop.
    pub(super) async fn run(&mut self, input: &mut PipeReceiver) -> Result<Ended, Trouble> {
        loop {
            if self.context.stop.is_requested() && self.can_commit() {
                self.commit(false).await?;
                return Ok(Ended::Stopped);
            }
            let due_ms = if self.can_commit() { self.due_ms() } else { None };
            let context = Arc::clone(&self.context);
            let stop_seen = context.stop.is_requested();
            let item = tokio::select! {
                biased;
                item = input.recv() => item,
                () = context.stop.requested(), if !stop_seen => continue,
                () = context.grace_over(Grace::FromStop) => return Ok(Ended::Stopped),
                () = context.clock.sleep(due_ms.unwrap_or(0)), if due_ms.is_some() => {
                    self.commit(false).await?;
                    continue;
                }
            };
            let Some(item) = item else {
                return Err(Error::internal("a stage ended without a word").into());
            };
            if let Some(ended) = self.handle(item).await? {
                return Ok(ended);
            }
        }
    }

    async fn handle(&mut self, item: Item) -> Result<Option<Ended>, Trouble> {
        match item {
            Item::Parcel(parcel) => self.parcel(*parcel).await?,
            Item::PageEnd(end) => {
                self.page_end(end)?;
                if self.can_commit() && self.due_ms() == Some(0) {
                    self.commit(false).await?;
                }
            }
            Item::Streams(outputs) => self.change_streams(outputs).await?,
            Item::End => {
                self.commit(true).await?;
                return Ok(Some(Ended::Done));
            }
            Item::Stopped => {
                if self.can_commit() {
                    self.commit(false).await?;
                }
                return Ok(Some(Ended::Stopped));
            }
            Item::Failed(trouble) => return Err(self.failed(trouble).await),
        }
        Ok(None)
    }

    /// What came before the failure is good: where a checkpoint covers it, the next attempt need not read it again.
    async fn failed(&mut self, trouble: Trouble) -> Trouble {
        if !self.can_commit() {
            return trouble;
        }
        match self.commit(false).await {
            Err(Trouble::Error(error)) => Trouble::Error(error),
            Err(failed) => {
                let code = failed.code();
                tracing::warn!(group = self.group.name, code, "the commit before a retry failed");
                trouble
            }
            Ok(()) => trouble,
        }
    }

    fn can_commit(&self) -> bool {
        self.boundary.stands() && self.pending.any()
    }

    /// How long until a commit is due; none while nothing waits for one.
    fn due_ms(&self) -> Option<u64> {
        let options = &self.context.spec.options;
        let since = self.pending.since_ms?;
        if self.pending.kept_bytes() >= options.commit_bytes {
            return Some(0);
        }
        let due = since.saturating_add(options.commit_every_ms);
        Some(due.saturating_sub(self.context.clock.monotonic_ms()))
    }

    fn came(&mut self) {
        let now = self.context.clock.monotonic_ms();
        self.pending.since_ms.get_or_insert(now);
    }

    async fn parcel(&mut self, parcel: Parcel) -> Result<(), Trouble> {
        let Parcel { mut tracked, flows, selected } = parcel;
        self.came();
        if tracked.row_count() > 0 {
            self.boundary.rows_came();
        }
        let seen = self.indexes.entry(tracked.stream().to_owned()).or_default();
        tracked.first_index = *seen;
        *seen += u64::from(tracked.row_count());
        for flow in flows {
            self.flow(&mut tracked, flow).await?;
        }
        if let Some(open) = self.open_keys.get(tracked.stream()) {
            tracked.look_up(open.as_ref());
        }
        let tally =
            Tally { counters: tracked.counters(), bytes: tracked.bytes(), selected, ..Tally::default() };
        let stream = tracked.stream().to_owned();
        self.keeper.add(&self.next_token(), self.pending.next_parcel(), &tracked).await?;
        self.pending.add(tracked, selected);
        self.moved(&stream, &tally)?;
        self.bound_memory()
    }

    /// More of a stream has come as far as here: tell those who watch, and hold it against the policy.
    fn moved(&self, stream: &str, tally: &Tally) -> Result<(), Error> {
        self.context.ledger.pend(stream, tally);
        self.context.progress(&self.group.name, stream);
        let rejects = &self.context.spec.rejects;
        if rejects.policy == RejectPolicy::Fail
            && tally.counters.rejected > 0
            && let Some(rejected) = self.pending.first_rejected()
        {
            return Err(rejected);
        }
        self.context.ledger.judge(rejects)
    }

    /// A source that gives no checkpoints must not fill the memory.
    fn bound_memory(&mut self) -> Result<(), Trouble> {
        let options = &self.context.spec.options;
        let page = u64::from(options.page.max_bytes).max(options.limits.row_bytes_max as u64);
        let allowed = options.commit_bytes.saturating_add(page.saturating_mul(2));
        self.pending.give_up(allowed);
        let bytes = self.pending.kept_bytes();
        let allowed = allowed.saturating_mul(2);
        if bytes > allowed { Err(Error::TooManyRowsWaiting { bytes, allowed }.into()) } else { Ok(()) }
    }

    async fn flow(&mut self, tracked: &mut Tracked, flow: Flow) -> Result<(), Trouble> {
        let stream = &flow.batch.stream;
        let Some(out) = self.streams.get(stream).map(Arc::clone) else {
            return Err(Error::internal(format!("the stream `{stream}` was not prepared")).into());
        };
        let context = Arc::clone(&self.context);
        for piece in convert_in_pieces(&flow.batch, &out.given, out.layout, &context.spec.options.limits) {
            let Piece { batch, rows, rejected } = piece;
            for reject in rejected {
                tracked.reject(flow.origin.of(reject.row)?, reject, RejectedBy::Host);
            }
            let flow = Flow { batch, origin: flow.origin.then(rows)? };
            if let Some(flow) = known_operations(flow, tracked, out.operations)? {
                self.write(tracked, flow).await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self, tracked: &mut Tracked, flow: Flow) -> Result<(), Trouble> {
        let Flow { batch, origin } = flow;
        let (rows, stream) = (batch.row_count(), batch.stream.clone());
        let number = self.pending.written.len() as u64;
        let report = self.context.call(Grace::FromStop, self.writer.write(number, batch)).await?;
        tracked.reach(&origin, rows);
        let mut rejected = BTreeSet::new();
        for reject in report.rejected {
            rejected.insert(reject.row);
            tracked.reject(origin.of(reject.row)?, reject, RejectedBy::Destination);
        }
        let parcel = self.pending.next_parcel();
        self.pending.written.push(Written { parcel, origin: origin.kept(rows), stream, rows, rejected });
        Ok(())
    }

    fn page_end(&mut self, end: PageEnd) -> Result<(), Error> {
        self.boundary.page_ended(&end);
        let mut raw: BTreeMap<String, Tally> = BTreeMap::new();
        for one in &end.raw {
            let tally = raw.entry(one.schema.stream.clone()).or_default();
            tally.counters.add(Counters { read: 1, rejected: 1, ..Counters::default() });
            tally.bytes += one.bytes.len() as u64;
        }
        let news = end
            .checkpoint
            .as_ref()
            .is_some_and(|checkpoint| Some(checkpoint) != self.position.checkpoint.as_ref());
        if news || !end.raw.is_empty() {
            self.came();
        }
        let indexes = &mut self.indexes;
        self.pending.end_page(PageEnd { checkpoint: end.checkpoint.filter(|_| news), ..end }, |stream| {
            let seen = indexes.entry(stream.to_owned()).or_default();
            *seen += 1;
            *seen - 1
        });
        raw.iter().try_for_each(|(stream, tally)| self.moved(stream, tally))
    }

    async fn change_streams(&mut self, outputs: Vec<Arc<StreamSchema>>) -> Result<(), Trouble> {
        let (modes, replace) = prepare::modes(&self.context, &self.group, &outputs, self.capabilities.modes)?;
        if replace != self.position.replace {
            return Err(Error::MixedReplace { group: self.group.name.clone() }.into());
        }
        let context = Arc::clone(&self.context);
        context.phase(&self.group.name, self.state.attempt, Phase::Opening);
        self.streams = prepare::prepare(
            &context,
            &mut *self.writer,
            &self.capabilities,
            &outputs,
            &modes,
            self.position.generation,
            &mut self.state.notes,
        )
        .await?;
        context.phase(&self.group.name, self.state.attempt, Phase::Moving);
        Ok(())
    }
}

/// Without the rows whose operation the destination does not know; none if no row is left.
pub(super) fn known_operations(
    flow: Flow,
    tracked: &mut Tracked,
    known: Operations,
) -> Result<Option<Flow>, Error> {
    let rows = flow.batch.row_count();
    let mut kept: Option<Vec<u32>> = None;
    match &flow.batch.operations {
        RowOperations::All(operation) if known.contains(*operation) => {}
        RowOperations::Each(bytes) if bytes.iter().all(|byte| is_known(*byte, known)) => {}
        _ => {
            kept = Some(
                (0..rows)
                    .filter(|row| operation_of(&flow.batch, *row).is_some_and(|one| known.contains(one)))
                    .collect(),
            )
        }
    }
    let Some(kept) = kept else { return Ok(Some(flow).filter(|_| rows > 0)) };
    let mut keep = kept.iter().copied().peekable();
    for row in 0..rows {
        if keep.next_if_eq(&row).is_some() {
            continue;
        }
        let name = operation_of(&flow.batch, row).map_or("?", Operation::name);
        let message = format!("the destination does not know the operation `{name}`");
        let reject = host_reject(row, "operation_not_supported", &message);
        tracked.reject(flow.origin.of(row)?, reject, RejectedBy::Host);
    }
    if kept.is_empty() {
        return Ok(None);
    }
    let batch = Arc::new(rows::take(&flow.batch, &kept));
    Ok(Some(Flow { batch, origin: flow.origin.then(Some(kept))? }))
}

fn operation_of(batch: &Batch, row: u32) -> Option<Operation> {
    batch.operations.get(row as usize)
}

fn is_known(byte: u8, known: Operations) -> bool {
    Operation::from_byte(byte).is_some_and(|operation| known.contains(operation))
}

impl Origin {
    /// For the time until the commit: a list that says what the places say anyway is not kept.
    fn kept(self, rows: u32) -> Self {
        match &self {
            Self::Rows(list) if list.iter().copied().eq(0..rows) => Self::Same,
            _ => self,
        }
    }
}
