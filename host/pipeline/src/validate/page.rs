//! One page of a source.

use super::{Limits, Violation, batch, code, quoted};
use crate::model::{Page, PageBudget, RejectedRow, SourceReject, StreamSchema};
use std::collections::{BTreeMap, HashSet};

/// By what a page is judged.
#[derive(Debug, Clone, Copy)]
pub struct PageContext<'a> {
    /// The streams of the reader, each with the fields that its pages carry
    /// ([`rows::project_schema`](crate::rows::project_schema) where the source leaves out fields).
    pub streams: &'a BTreeMap<String, StreamSchema>,
    /// What was asked for.
    pub budget: PageBudget,
    /// Sizes.
    pub limits: &'a Limits,
}

/// A page keeps the contract and the budget.
pub fn page(page: &Page, context: &PageContext<'_>) -> Result<(), Violation> {
    if page.batches.len() > context.limits.batches_max {
        let (count, allowed) = (page.batches.len(), context.limits.batches_max);
        return Err(Violation::new(format!("a page of {count} batches, allowed are {allowed}")));
    }
    within_budget(page, context)?;
    for one in &page.batches {
        let schema = context.streams.get(&one.stream).ok_or_else(|| unknown(&one.stream))?;
        batch(one, schema, context.limits)?;
    }
    rejects(page, context).map_err(|violation| violation.at("rejects of a page"))?;
    match &page.checkpoint {
        Some(text) => checkpoint(text, context.limits.checkpoint_bytes_max),
        None => Ok(()),
    }
}

/// A checkpoint is one JSON value of a bounded size.
pub fn checkpoint(text: &str, bytes_max: usize) -> Result<(), Violation> {
    if text.len() > bytes_max {
        let what = format!("a checkpoint of {} bytes, allowed are {bytes_max}", text.len());
        return Err(Violation::over("checkpoint_bytes", format!("{bytes_max} bytes"), what));
    }
    // Read whole, not skipped over: so the parser's limit on nesting (128) holds for whoever reads it later.
    serde_json::from_str::<serde_json::Value>(text)
        .map(drop)
        .map_err(|error| Violation::new(format!("a checkpoint that is not JSON: {error}")))
}

/// A page that is one row alone may be over the bytes: a row cannot be cut.
fn within_budget(page: &Page, context: &PageContext<'_>) -> Result<(), Violation> {
    let PageContext { budget, limits, .. } = context;
    let rows: u64 = page.batches.iter().map(|one| u64::from(one.row_count())).sum();
    let bytes: u64 = page.batches.iter().map(|one| one.byte_count() as u64).sum();
    let rejects = page.rejects.len() as u64;
    for (count, things) in [(rows, "rows"), (rejects, "rejects")] {
        if count > u64::from(budget.max_rows) {
            let what = format!("a page of {count} {things}, asked for were at most {} rows", budget.max_rows);
            return Err(over("page_rows", "rows", count, limits.page_rows_max, what));
        }
    }
    if bytes > u64::from(budget.max_bytes) && rows > 1 {
        let what = format!("a page of {bytes} bytes, asked for were at most {}", budget.max_bytes);
        return Err(over("page_bytes", "bytes", bytes, limits.batch_bytes_max as u64, what));
    }
    Ok(())
}

/// More than was asked for: over the limit, or, where less than the limit was asked for, against the contract.
fn over(name: &'static str, unit: &str, count: u64, allowed: u64, what: String) -> Violation {
    if count > allowed {
        Violation::over(name, format!("{allowed} {unit}"), what)
    } else {
        Violation::new(what)
    }
}

fn rejects(page: &Page, context: &PageContext<'_>) -> Result<(), Violation> {
    let mut seen = HashSet::new();
    for reject in &page.rejects {
        code(&reject.code)?;
        if !context.streams.contains_key(&reject.stream) {
            return Err(unknown(&reject.stream));
        }
        let RejectedRow::At { batch, row } = reject.row else { continue };
        at(page, reject, batch, row)?;
        if !seen.insert((batch, row)) {
            return Err(Violation::new(format!("row {row} of batch {batch} is rejected twice")));
        }
    }
    Ok(())
}

fn at(page: &Page, reject: &SourceReject, batch: u32, row: u32) -> Result<(), Violation> {
    let Some(found) = page.batches.get(batch as usize) else {
        let count = page.batches.len();
        return Err(Violation::new(format!("batch {batch} is named, but the page has {count} batches")));
    };
    if row >= found.row_count() {
        let count = found.row_count();
        return Err(Violation::new(format!("row {row} of batch {batch} is named, but it has {count} rows")));
    }
    if found.stream != reject.stream {
        let (said, is) = (quoted(&reject.stream), quoted(&found.stream));
        return Err(Violation::new(format!("batch {batch} is of {is}, the reject says {said}")));
    }
    Ok(())
}

fn unknown(stream: &str) -> Violation {
    Violation::new(format!("the stream {} was not asked for", quoted(stream)))
}
