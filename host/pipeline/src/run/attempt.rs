//! One attempt at one group: opens fresh instances, lets the stages run, and ends with all of them.

use super::Trouble;
use super::budgets::Metered;
use super::change::Chain;
use super::context::{Context, Grace};
use super::group::GroupState;
use super::keeper::Keeper;
use super::observe::Phase;
use super::pending::Pending;
use super::pipe::{PipeReceiver, pipe};
use super::plan::{GroupPlan, StreamIn, open_read};
use super::prepare;
use super::read::{ReadStage, ReadStream};
use super::recover::recover;
use super::write::{Boundary, Ended, WriteStage};
use crate::connector::{Reader, Writer};
use crate::error::{Error, suggestion};
use crate::model::{Capabilities, StreamSchema};
use crate::records::{OpenKeys, Position, Purpose};
use crate::report::Delivery;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Everything that an attempt has opened.
struct Opened {
    writer: Metered<dyn Writer>,
    capabilities: Capabilities,
    streams: BTreeMap<String, Arc<prepare::OutStream>>,
    chain: Chain,
    reader: Metered<dyn Reader>,
    reads: BTreeMap<String, ReadStream>,
    position: Position,
    stays: Option<Position>,
    open_keys: BTreeMap<String, Arc<dyn OpenKeys>>,
}

/// Try once.
pub(super) async fn attempt(
    context: &Arc<Context>,
    group: &Arc<GroupPlan>,
    state: &mut GroupState,
) -> Result<Ended, Trouble> {
    context.phase(&group.name, state.attempt, Phase::Opening);
    let opened = context.unless_stopped(open(context, group, state)).await?;
    let Some(opened) = opened else { return Ok(Ended::Done) };
    context.phase(&group.name, state.attempt, Phase::Moving);
    let Opened { writer, capabilities, streams, chain, reader, reads, position, stays, open_keys } = opened;
    let (committed, committed_seen) = watch::channel(None);
    let read = ReadStage {
        context: Arc::clone(context),
        group: Arc::clone(group),
        attempt: state.attempt,
        reader,
        committed: committed_seen,
        schema_changed: Arc::clone(&state.schema_changed),
        empty_pages: 0,
        last_checkpoint: position.checkpoint.clone(),
        streams: reads,
    };
    let indexes = group.streams.iter().map(|stream| &stream.chosen.stream);
    let indexes = indexes.map(|name| (name.clone(), context.ledger.account(name).committed.counters.read));
    let write = WriteStage {
        context: Arc::clone(context),
        group: Arc::clone(group),
        writer,
        streams,
        position,
        stays,
        open_keys,
        committed,
        pending: Pending::default(),
        keeper: Keeper::new(context, &group.unit, &capabilities),
        boundary: Boundary::new(group.marks_transactions && capabilities.transactions),
        capabilities,
        indexes: indexes.collect(),
        commits: 0,
        state,
    };
    run_stages(context, read, chain, write).await
}

/// Reading and transforming have tasks of their own; writing is the attempt itself. Whatever ends the attempt ends the tasks.
async fn run_stages(
    context: &Arc<Context>,
    read: ReadStage,
    chain: Chain,
    mut write: WriteStage<'_>,
) -> Result<Ended, Trouble> {
    let bytes = context.spec.options.look_ahead_bytes;
    let mut tasks = JoinSet::new();
    let (out, mut input) = pipe(bytes);
    tasks.spawn(read.run(out));
    if !chain.is_empty() {
        let (out, changed) = pipe(bytes);
        tasks.spawn(chain.run(input, out));
        input = changed;
    }
    let ended = write.run(&mut input).await;
    let ended = match ended {
        Ok(ended) => ended,
        Err(trouble) => return Err(panicked(&mut tasks, trouble).await),
    };
    end_stages(context, tasks, write, input).await;
    Ok(ended)
}

/// The reader is still to be told of the last commit; it is not waited for longer than a grace.
async fn end_stages(context: &Context, mut tasks: JoinSet<()>, write: WriteStage<'_>, input: PipeReceiver) {
    drop(write);
    drop(input);
    let all_ended = async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                // Whatever a panic says may quote what it was about.
                tracing::warn!(panicked = error.is_panic(), "a stage failed after the last commit");
            }
        }
    };
    tokio::select! {
        biased;
        () = all_ended => {}
        () = context.clock.sleep(context.spec.options.stop_grace_ms) => {}
    }
}

/// If a stage panicked, that is the trouble, not the silence that it left.
async fn panicked(tasks: &mut JoinSet<()>, trouble: Trouble) -> Trouble {
    if !matches!(trouble, Trouble::Error(Error::Internal { .. })) {
        return trouble;
    }
    tasks.abort_all();
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            return Error::internal(format!("a stage panicked: {error}")).into();
        }
    }
    trouble
}

/// None if an earlier attempt had come to the end without knowing it.
async fn open(
    context: &Arc<Context>,
    group: &Arc<GroupPlan>,
    state: &mut GroupState,
) -> Result<Option<Opened>, Trouble> {
    let spec = &context.spec;
    let opened = spec.destination.open(group.unit.clone(), Some(context.ticket.run)).await;
    let unopened = |failure| context.unopened("destination", spec.destination.budget(), failure);
    let writer = opened.map_err(unopened)?;
    let mut writer = Metered::new(writer, "destination", &context.budgets);
    let capabilities = context.call(Grace::FromStop, writer.capabilities()).await?;
    let delivery = if capabilities.exactly_once { Delivery::ExactlyOnce } else { Delivery::AtLeastOnce };
    state.delivery = Some(delivery);
    let found = recover(context, group, state, &mut *writer, &capabilities).await?;
    state.position = Some(found.record.position.clone());
    if found.ended {
        return Ok(None);
    }
    let reads = read_streams(context, group, state).await?;
    let inputs = reads.values().map(|stream| Arc::clone(&stream.wanted)).collect();
    let chain = Chain::open(context, inputs).await?;
    let (modes, replace) = prepare::modes(context, group, &chain.outputs, capabilities.modes)?;
    let stands = found.record.position;
    let (position, stays) = match spec.purpose {
        Purpose::Sync => (group.start(&stands, replace)?, None),
        Purpose::Reprocess => (group.replay(&stands)?, Some(stands)),
    };
    let (outputs, notes) = (&chain.outputs, &mut state.notes);
    let streams =
        prepare::prepare(context, &mut *writer, &capabilities, outputs, &modes, position.generation, notes)
            .await?;
    let read = open_read(group, &reads, position.checkpoint.clone());
    let reader = spec.source.open(read).await.map_err(|failure| context.of_source(failure))?;
    let reader = Metered::new(reader, "source", &context.budgets);
    let open_keys = open_keys(context, &reads).await?;
    Ok(Some(Opened { writer, capabilities, streams, chain, reader, reads, position, stays, open_keys }))
}

/// A reprocess looks for none: it brings old rows, which say nothing of newer errors of the same key.
async fn open_keys(
    context: &Context,
    reads: &BTreeMap<String, ReadStream>,
) -> Result<BTreeMap<String, Arc<dyn OpenKeys>>, Error> {
    let mut open = BTreeMap::new();
    if context.spec.purpose == Purpose::Reprocess {
        return Ok(open);
    }
    for (stream, _) in reads.iter().filter(|(_, read)| !read.given.keys.is_empty()) {
        if let Some(keys) = context.records.open_keys(&context.ticket, stream).await? {
            open.insert(stream.clone(), keys);
        }
    }
    Ok(open)
}

/// The streams as the source has them: as they were discovered, or, once a schema has changed, as they are discovered now.
async fn read_streams(
    context: &Context,
    group: &GroupPlan,
    state: &GroupState,
) -> Result<BTreeMap<String, ReadStream>, Trouble> {
    let catalog = if state.schema_changed.load(Ordering::Relaxed) {
        let found = context.spec.source.discover().await;
        Some(found.map_err(|failure| context.of_source(failure))?)
    } else {
        None
    };
    let mut reads = BTreeMap::new();
    for stream in &group.streams {
        let name = &stream.chosen.stream;
        let mut stream = stream.clone();
        if let Some(catalog) = &catalog {
            let found = catalog.streams.iter().find(|info| info.schema.stream == *name);
            let known = catalog.streams.iter().map(|info| info.schema.stream.as_str());
            stream.info = found.cloned().ok_or_else(|| Error::UnknownStream {
                stream: name.clone(),
                suggestion: suggestion(name, known),
            })?;
        }
        reads.insert(name.clone(), read_stream(context, stream)?);
    }
    Ok(reads)
}

fn read_stream(context: &Context, stream: StreamIn) -> Result<ReadStream, Error> {
    let committed = context.ledger.account(&stream.chosen.stream).committed_selected;
    let remaining = stream.chosen.limit.map(|limit| limit.saturating_sub(committed));
    let schema: StreamSchema = stream.info.schema.clone();
    ReadStream::new(stream, &schema, remaining)
}

/// Raised by the reader when a schema changes.
pub(super) fn no_change() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}
