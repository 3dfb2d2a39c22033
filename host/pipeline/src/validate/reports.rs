//! What a destination answers.

use super::{Violation, code, quoted, rejects};
use crate::model::{
    Capabilities, CommitReport, Layouts, Modes, Operations, StreamPlan, StreamVerdict, WriteReport,
};
use std::collections::HashSet;

/// A destination understands at least one layout, one mode and one operation.
pub fn capabilities(given: &Capabilities) -> Result<(), Violation> {
    let missing = |what: &str| Err(Violation::new(format!("a destination without any {what}")));
    if given.layouts == Layouts::default() {
        return missing("layout");
    }
    if given.modes == Modes::default() {
        return missing("mode");
    }
    if given.operations == Operations::default() {
        return missing("operation");
    }
    Ok(())
}

/// One verdict for each plan, one fate for each field in the plan's order, a layout that the destination understands.
pub fn verdicts(given: &[StreamVerdict], plans: &[StreamPlan], layouts: Layouts) -> Result<(), Violation> {
    if given.len() != plans.len() {
        return Err(Violation::new(format!("{} verdicts for {} streams", given.len(), plans.len())));
    }
    let mut seen = HashSet::with_capacity(given.len());
    for verdict in given {
        let stream = quoted(&verdict.stream);
        if !seen.insert(&verdict.stream) {
            return Err(Violation::new(format!("two verdicts on the stream {stream}")));
        }
        let Some(plan) = plans.iter().find(|plan| plan.schema.stream == verdict.stream) else {
            return Err(Violation::new(format!(
                "a verdict on the stream {stream}, which was not asked about"
            )));
        };
        if !layouts.contains(verdict.layout) {
            return Err(Violation::new(format!(
                "stream {stream} is wanted in a layout that is not among the capabilities"
            )));
        }
        let fields = plan.schema.schema.fields.iter().map(|field| &field.name);
        if !verdict.fields.iter().map(|one| &one.field).eq(fields) {
            return Err(Violation::new(format!(
                "the verdict on {stream} does not name its fields in their order"
            )));
        }
    }
    Ok(())
}

/// The report on a batch of `row_count` rows.
pub fn write_report(report: &WriteReport, row_count: u32) -> Result<(), Violation> {
    let given = report.rejected.iter().map(|reject| (reject.row, reject.code.as_str()));
    rejects(given, row_count).map_err(|violation| violation.at("the report of a write"))
}

/// The report on a commit; `row_counts` are those of the batches written since the last commit, by their number.
pub fn commit_report(report: &CommitReport, row_counts: &[u32], may_reject: bool) -> Result<(), Violation> {
    let judged = if may_reject || report.rejected.is_empty() {
        late_rejects(report).and_then(|()| rows_were_written(report, row_counts))
    } else {
        Err(Violation::new("rows are rejected, and the capabilities do not have `late-rejects`"))
    };
    judged.map_err(|violation| violation.at("the report of a commit"))
}

/// What `committed` says of a commit that another instance made: as [`commit_report`], but for what only who wrote the rows
/// can know.
pub fn last_commit(report: &CommitReport) -> Result<(), Violation> {
    late_rejects(report).map_err(|violation| violation.at("the report of the last commit"))
}

fn late_rejects(report: &CommitReport) -> Result<(), Violation> {
    let mut seen = HashSet::with_capacity(report.rejected.len().min(1 << 16));
    for late in &report.rejected {
        code(&late.reject.code)?;
        let (batch, row) = (late.batch, late.reject.row);
        if !seen.insert((batch, row)) {
            return Err(Violation::new(format!("row {row} of batch {batch} is rejected twice")));
        }
    }
    Ok(())
}

fn rows_were_written(report: &CommitReport, row_counts: &[u32]) -> Result<(), Violation> {
    for late in &report.rejected {
        let (batch, row) = (late.batch, late.reject.row);
        let rows = usize::try_from(batch).ok().and_then(|number| row_counts.get(number));
        let Some(rows) = rows else {
            return Err(Violation::new(format!("batch {batch} is named, {} were written", row_counts.len())));
        };
        if row >= *rows {
            return Err(Violation::new(format!(
                "row {row} of batch {batch} is named, but it has {rows} rows"
            )));
        }
    }
    Ok(())
}
