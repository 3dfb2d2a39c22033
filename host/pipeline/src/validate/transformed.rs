//! What a transform answers.

use super::{Limits, Violation, batch, quoted, rejects, stream_schema};
use crate::model::{Layouts, Output, StreamSchema, TransformPlan, Transformed};
use std::collections::{BTreeMap, HashSet};

/// Each output stream once and well formed, at least one layout understood.
pub fn transform_plan(plan: &TransformPlan, limits: &Limits) -> Result<(), Violation> {
    if plan.input_layouts == Layouts::default() {
        return Err(Violation::new("a transform that understands no layout"));
    }
    if plan.outputs.len() > limits.streams_max {
        return Err(Violation::new(format!(
            "{} output streams, allowed are {}",
            plan.outputs.len(),
            limits.streams_max
        )));
    }
    let mut seen = HashSet::with_capacity(plan.outputs.len());
    for schema in &plan.outputs {
        stream_schema(schema, limits)?;
        if !seen.insert(&schema.stream) {
            return Err(Violation::new(format!(
                "the output stream {} is planned twice",
                quoted(&schema.stream)
            )));
        }
    }
    Ok(())
}

/// The outcome of a batch of `input_rows` rows: outputs keep the planned schemas (by stream name), origins and rejects
/// name rows of the input.
pub fn transformed(
    outcome: &Transformed,
    input_rows: u32,
    outputs: &BTreeMap<String, StreamSchema>,
    limits: &Limits,
) -> Result<(), Violation> {
    if outcome.outputs.len() > limits.batches_max {
        return Err(Violation::new(format!(
            "{} output batches, allowed are {}",
            outcome.outputs.len(),
            limits.batches_max
        )));
    }
    for output in &outcome.outputs {
        let stream = &output.batch.stream;
        let schema = outputs
            .get(stream)
            .ok_or_else(|| Violation::new(format!("the output stream {} was not planned", quoted(stream))))?;
        batch(&output.batch, schema, limits)?;
        origin(output, input_rows).map_err(|violation| violation.at(format!("output {}", quoted(stream))))?;
    }
    let rejected = outcome.rejected.iter().map(|reject| (reject.row, reject.code.as_str()));
    rejects(rejected, input_rows).map_err(|violation| violation.at("rejects of a transform"))
}

fn origin(output: &Output, input_rows: u32) -> Result<(), Violation> {
    let rows = output.batch.row_count();
    if output.origin.len() != rows as usize {
        return Err(Violation::new(format!("{} origins for {rows} rows", output.origin.len())));
    }
    match output.origin.iter().max() {
        Some(&largest) if largest >= input_rows => {
            Err(Violation::new(format!("origin {largest}, but the input has {input_rows} rows")))
        }
        _ => Ok(()),
    }
}
