//! What the destination is told of the streams that will come, and what it says to that.

use super::Trouble;
use super::context::{Context, Grace};
use super::plan::GroupPlan;
use super::spec::RowData;
use crate::connector::Writer;
use crate::error::Error;
use crate::model::{
    Capabilities, FieldFate, Layout, Mode, Modes, Operation, Operations, StreamPlan, StreamSchema,
    StreamVerdict,
};
use crate::records::Purpose;
use crate::rows::converted_schema;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Things worth telling are few; a connector that has more to say is cut off.
const NOTES_MAX: usize = 100;

/// One stream as it arrives, and as the destination wants it.
#[derive(Debug)]
pub(super) struct OutStream {
    pub(super) given: Arc<StreamSchema>,
    pub(super) layout: Layout,
    /// Operations that the destination knows.
    pub(super) operations: Operations,
}

/// The modes of the streams that arrive, and whether they are a refill.
pub(super) fn modes(
    context: &Context,
    group: &GroupPlan,
    outputs: &[Arc<StreamSchema>],
    known: Modes,
) -> Result<(Vec<Mode>, bool), Error> {
    let mode = |schema: &Arc<StreamSchema>| {
        let stream = schema.stream.as_str();
        let chosen = context.spec.output_modes.get(stream).copied();
        let mode = chosen
            .or_else(|| group.mode_of(stream))
            .or_else(|| group.common_mode())
            .ok_or_else(|| Error::ModeUnknown { stream: stream.to_owned() })?;
        Ok::<Mode, Error>(match context.spec.purpose {
            Purpose::Sync => mode,
            Purpose::Reprocess => added(mode, schema, known),
        })
    };
    let modes: Vec<Mode> = outputs.iter().map(mode).collect::<Result<_, _>>()?;
    let replaced = modes.iter().filter(|mode| **mode == Mode::Replace).count();
    // A refill reads from the beginning, and the whole group has one position.
    if replaced != 0 && replaced != modes.len() {
        return Err(Error::MixedReplace { group: group.name.clone() });
    }
    Ok((modes, replaced != 0))
}

/// Row errors are added to what is there, and never take the place of it. A refill may have brought a newer row of the same
/// key since: where the destination can, it is updated and not doubled.
fn added(mode: Mode, schema: &StreamSchema, known: Modes) -> Mode {
    match mode {
        Mode::Replace if known.upsert && !schema.keys.is_empty() => Mode::Upsert,
        Mode::Replace => Mode::Append,
        other => other,
    }
}

/// Tell the destination, in the layout that it understands, and again if it would rather have the other one.
pub(super) async fn prepare(
    context: &Context,
    writer: &mut dyn Writer,
    capabilities: &Capabilities,
    outputs: &[Arc<StreamSchema>],
    modes: &[Mode],
    generation: u64,
    notes: &mut BTreeSet<String>,
) -> Result<BTreeMap<String, Arc<OutStream>>, Trouble> {
    let mut plans = Vec::with_capacity(outputs.len());
    for (schema, mode) in outputs.iter().zip(modes) {
        fits(schema, *mode, capabilities)?;
        let layout =
            if capabilities.layouts.contains(schema.layout) { schema.layout } else { other(schema.layout) };
        plans.push(StreamPlan { schema: converted_schema(schema, layout), mode: *mode, generation });
    }
    let mut verdicts = context.call(Grace::FromStop, writer.prepare(plans.clone(), false)).await?;
    if disagreed(&plans, &verdicts).is_some() {
        for (plan, schema) in plans.iter_mut().zip(outputs) {
            let wanted =
                verdict_on(&verdicts, &schema.stream).map_or(plan.schema.layout, |verdict| verdict.layout);
            plan.schema = converted_schema(schema, wanted);
        }
        verdicts = context.call(Grace::FromStop, writer.prepare(plans.clone(), false)).await?;
    }
    if let Some(stream) = disagreed(&plans, &verdicts) {
        return Err(Error::LayoutNotAgreed { stream }.into());
    }
    judge(&verdicts, context.spec.rejects.row_data, notes)?;
    let streams = outputs.iter().zip(plans).map(|(given, plan)| {
        let (given, layout) = (Arc::clone(given), plan.schema.layout);
        (given.stream.clone(), Arc::new(OutStream { given, layout, operations: capabilities.operations }))
    });
    Ok(streams.collect())
}

fn fits(schema: &StreamSchema, mode: Mode, capabilities: &Capabilities) -> Result<(), Error> {
    let stream = || schema.stream.clone();
    if !capabilities.modes.contains(mode) {
        return Err(Error::ModeNotSupported { stream: stream(), mode });
    }
    if matches!(mode, Mode::Upsert | Mode::Mirror) && schema.keys.is_empty() {
        return Err(Error::KeyMissing { stream: stream(), mode });
    }
    let all = [Operation::Insert, Operation::Update, Operation::Upsert, Operation::Delete];
    let known =
        |operation| schema.operations.contains(operation) && capabilities.operations.contains(operation);
    if !all.into_iter().any(known) {
        return Err(Error::OperationsNotSupported { stream: stream() });
    }
    Ok(())
}

fn other(layout: Layout) -> Layout {
    match layout {
        Layout::Columns => Layout::JsonLines,
        Layout::JsonLines => Layout::Columns,
    }
}

fn verdict_on<'a>(verdicts: &'a [StreamVerdict], stream: &str) -> Option<&'a StreamVerdict> {
    verdicts.iter().find(|verdict| verdict.stream == stream)
}

fn disagreed(plans: &[StreamPlan], verdicts: &[StreamVerdict]) -> Option<String> {
    let agrees = |plan: &StreamPlan| {
        verdict_on(verdicts, &plan.schema.stream).is_some_and(|verdict| verdict.layout == plan.schema.layout)
    };
    plans.iter().find(|plan| !agrees(plan)).map(|plan| plan.schema.stream.clone())
}

fn judge(verdicts: &[StreamVerdict], row_data: RowData, notes: &mut BTreeSet<String>) -> Result<(), Error> {
    for verdict in verdicts {
        let stream = &verdict.stream;
        for one in &verdict.fields {
            let field = &one.field;
            let note = match &one.fate {
                FieldFate::Stored | FieldFate::Converted(_) => continue,
                FieldFate::Narrowed(to) => {
                    format!("`{stream}`.`{field}` is narrowed to {}", row_data.text(to))
                }
                FieldFate::Dropped(why) => format!("`{stream}`.`{field}` is dropped: {}", row_data.text(why)),
                FieldFate::Refused(reason) => {
                    return Err(Error::FieldRefused {
                        stream: stream.clone(),
                        field: field.clone(),
                        reason: reason.clone(),
                    });
                }
            };
            if notes.len() < NOTES_MAX {
                notes.insert(super::track::cut_message(note));
            }
        }
    }
    Ok(())
}
