//! The stage that transforms: takes each batch through the chain of transforms.

use super::Trouble;
use super::budgets::Metered;
use super::context::{Context, Grace};
use super::pipe::{Item, PipeReceiver, PipeSender};
use super::track::{Flow, Origin, Parcel, Tracked};
use crate::connector::{Transform, Transformer};
use crate::error::Error;
use crate::model::{Layout, Output, Reject, StreamSchema, TransformPlan};
use crate::records::RejectedBy;
use crate::rows::{Piece, convert_in_pieces, converted_schema};
use crate::secrets;
use scrub::Watch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What may be made of one source batch: eight times the largest one.
const MADE_BYTES_MAX: usize = 128 << 20;

/// The transforms of one group in one attempt, in fresh instances.
pub(super) struct Chain {
    context: Arc<Context>,
    links: Vec<Link>,
    /// What comes out at its end.
    pub(super) outputs: Vec<Arc<StreamSchema>>,
}

struct Link {
    transformer: Metered<dyn Transformer>,
    secrets: Watch,
    /// What goes in, and the layout in which the transform wants it.
    inputs: BTreeMap<String, (Arc<StreamSchema>, Layout)>,
}

impl Chain {
    /// Asks each transform for its plan and opens it.
    pub(super) async fn open(
        context: &Arc<Context>,
        inputs: Vec<Arc<StreamSchema>>,
    ) -> Result<Self, Trouble> {
        let mut chain = Self { context: Arc::clone(context), links: Vec::new(), outputs: inputs };
        for (place, transform) in context.spec.transforms.iter().enumerate() {
            let (link, outputs) = open_link(context, place, transform.as_ref(), &chain.outputs).await?;
            chain.links.push(link);
            chain.outputs = outputs;
        }
        Ok(chain)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Takes what the reader puts in until it ends.
    pub(super) async fn run(mut self, mut input: PipeReceiver, out: PipeSender) {
        while let Some(item) = input.recv().await {
            let last = matches!(item, Item::End | Item::Stopped | Item::Failed(_));
            let item = match self.handle(item).await {
                Ok(item) => item,
                Err(trouble) => {
                    let word = if matches!(trouble, Trouble::Stopped) {
                        Item::Stopped
                    } else {
                        Item::Failed(trouble)
                    };
                    out.send(word).await;
                    return;
                }
            };
            if !out.send(item).await || last {
                return;
            }
        }
    }

    async fn handle(&mut self, item: Item) -> Result<Item, Trouble> {
        match item {
            Item::Parcel(mut parcel) => {
                self.apply(&mut parcel).await?;
                Ok(Item::Parcel(parcel))
            }
            Item::Streams(inputs) => {
                let context = Arc::clone(&self.context);
                *self = context.unless_stopped(Self::open(&context, inputs)).await?;
                Ok(Item::Streams(self.outputs.clone()))
            }
            other => Ok(other),
        }
    }

    async fn apply(&mut self, parcel: &mut Parcel) -> Result<(), Trouble> {
        let Parcel { tracked, flows, .. } = parcel;
        for (place, link) in (0..).zip(&mut self.links) {
            let mut made = Vec::new();
            for flow in std::mem::take(flows) {
                link.apply(&self.context, RejectedBy::Transform(place), flow, tracked, &mut made).await?;
            }
            *flows = made;
        }
        // A rejected row is rejected whole: what else was made from it is dropped.
        for flow in std::mem::take(flows) {
            flows.extend(flow.without_rejected(tracked)?);
        }
        Ok(())
    }
}

impl Link {
    async fn apply(
        &mut self,
        context: &Context,
        by: RejectedBy,
        flow: Flow,
        tracked: &mut Tracked,
        made: &mut Vec<Flow>,
    ) -> Result<(), Trouble> {
        let stream = &flow.batch.stream;
        let Some((given, layout)) = self.inputs.get(stream) else {
            return Err(
                Error::internal(format!("the stream `{stream}` was not planned for a transform")).into()
            );
        };
        for piece in convert_in_pieces(&flow.batch, given, *layout, &context.spec.options.limits) {
            let Piece { batch, rows, rejected } = piece;
            reject(tracked, &flow.origin, rejected, RejectedBy::Host)?;
            if batch.row_count() == 0 {
                continue;
            }
            let origin = flow.origin.then(rows)?;
            let changed = context.call(Grace::FromStop, self.transformer.apply(batch)).await?;
            reject(tracked, &origin, changed.rejected, by)?;
            for output in changed.outputs {
                let secret = secrets::rejects(&self.secrets, &output.batch);
                let any_secret = !secret.is_empty();
                for one in secret {
                    tracked.reject(origin.of(origin_of(&output, one.row)?)?, one, RejectedBy::Host);
                }
                let rows = output.batch.row_count();
                // Most transforms keep rows as they are: then no list is kept for them until the commit.
                let same = output.origin.iter().copied().eq(0..rows);
                let origin = origin.then(if same { None } else { Some(output.origin) })?;
                let flow = Flow { batch: Arc::new(output.batch), origin };
                // The next transform is not to see a secret of this one.
                made.extend(if any_secret { flow.without_rejected(tracked)? } else { Some(flow) });
            }
            bounded(tracked.stream(), made)?;
        }
        Ok(())
    }
}

fn reject(tracked: &mut Tracked, origin: &Origin, rejects: Vec<Reject>, by: RejectedBy) -> Result<(), Error> {
    for one in rejects {
        tracked.reject(origin.of(one.row)?, one, by);
    }
    Ok(())
}

/// The row of a transform's input from which this one came; origins were validated.
fn origin_of(output: &Output, row: u32) -> Result<u32, Error> {
    let origin = output.origin.get(row as usize).copied();
    origin.ok_or_else(|| Error::internal(format!("the output row {row} has no origin")))
}

fn bounded(stream: &str, made: &[Flow]) -> Result<(), Error> {
    let bytes: usize = made.iter().map(Flow::byte_count).sum();
    if bytes <= MADE_BYTES_MAX {
        return Ok(());
    }
    Err(Error::TransformedTooLarge {
        stream: stream.to_owned(),
        bytes: bytes as u64,
        allowed: MADE_BYTES_MAX as u64,
    })
}

/// The plan is asked for what the transform will really be given: first as things are, and again if layouts must change.
async fn open_link(
    context: &Arc<Context>,
    place: usize,
    transform: &dyn Transform,
    given: &[Arc<StreamSchema>],
) -> Result<(Link, Vec<Arc<StreamSchema>>), Trouble> {
    let role = format!("transform {place}");
    let secrets = context.spec.secrets.transforms.get(place).cloned().unwrap_or_default();
    let as_they_are: Vec<StreamSchema> = given.iter().map(|schema| schema.as_ref().clone()).collect();
    let mut inputs = as_they_are.clone();
    let mut plan = planned(context, transform, &role, &inputs).await?;
    let wanted: Vec<StreamSchema> =
        given.iter().map(|schema| converted_schema(schema, layout_for(schema, &plan))).collect();
    if wanted != as_they_are {
        plan = planned(context, transform, &role, &wanted).await?;
        inputs = wanted;
    }
    secrets::refuse_in_schemas(&secrets, &role, &plan.outputs)?;
    let opened = transform.open(inputs.clone(), plan.outputs.clone()).await;
    let transformer = opened.map_err(|failure| context.unopened(&role, transform.budget(), failure))?;
    let inputs = given.iter().zip(inputs);
    let inputs =
        inputs.map(|(given, wanted)| (given.stream.clone(), (Arc::clone(given), wanted.layout))).collect();
    let transformer = Metered::new(transformer, role, &context.budgets);
    Ok((Link { transformer, secrets, inputs }, plan.outputs.into_iter().map(Arc::new).collect()))
}

async fn planned(
    context: &Context,
    transform: &dyn Transform,
    role: &str,
    inputs: &[StreamSchema],
) -> Result<TransformPlan, Trouble> {
    let found = transform.plan(inputs.to_vec()).await;
    found.map_err(|failure| context.unopened(role, transform.budget(), failure))
}

fn layout_for(schema: &StreamSchema, plan: &TransformPlan) -> Layout {
    if plan.input_layouts.contains(schema.layout) {
        return schema.layout;
    }
    match schema.layout {
        Layout::Columns => Layout::JsonLines,
        Layout::JsonLines => Layout::Columns,
    }
}
