//! What the calls of `next` answer, as the configuration tells it.

use cofferdam_sdk::{
    Batch, JsonLines, Operation, Page, RejectedRow, Result, RowOperations, SourceReject, StreamSchema,
};
use serde::Deserialize;

use crate::streams;

/// What one call of `next` does.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    /// Bring a page.
    Page(PageAct),
    /// Ask to be called again after so many milliseconds.
    Wait(u32),
    /// Say that `values` has this version from now on.
    SchemaChanged(u32),
    /// Say that all was read.
    End,
    /// Wait for an hour or for the wish to stop, whichever comes first.
    PollForStop,
    /// Look for the wish to stop again and again.
    LookForStop,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PageAct {
    batches: Vec<BatchAct>,
    rejects: Vec<RejectAct>,
    /// JSON text, passed on as it is.
    checkpoint: Option<String>,
    transaction_end: bool,
}

/// Rows of `values` by their names, or of another stream as the text of their lines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchAct {
    stream: String,
    rows: Vec<String>,
    /// The operation of each row; none: all are inserts.
    each: Option<Vec<u8>>,
}

/// A row that the source rejects: its bytes as text, or its batch and its place there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RejectAct {
    stream: String,
    raw: Option<String>,
    at: Option<(u32, u32)>,
    code: String,
    message: String,
    retryable: bool,
}

impl PageAct {
    /// The page; `values` gives the schema of that stream, with the fields that were selected.
    pub(crate) fn page(&self, values: &StreamSchema, rows_max: usize) -> Result<Page> {
        Ok(Page {
            batches: self.batches.iter().map(|batch| batch.batch(values, rows_max)).collect::<Result<_>>()?,
            rejects: self.rejects.iter().map(RejectAct::reject).collect(),
            checkpoint: self.checkpoint.clone(),
            transaction_end: self.transaction_end,
        })
    }
}

impl BatchAct {
    fn batch(&self, values: &StreamSchema, rows_max: usize) -> Result<Batch> {
        let operations = self.each.clone().map_or(RowOperations::All(Operation::Insert), RowOperations::Each);
        if self.stream == "values" {
            let rows = self.rows.get(..self.rows.len().min(rows_max)).unwrap_or_default();
            let version = streams::values(values.version);
            let mut columns = streams::rows(&version, rows)?;
            let place = |name: &String| version.schema.index_of(name);
            let places = values.schema.fields.iter().filter_map(|field| place(&field.name));
            columns.columns = places.filter_map(|place| columns.columns.get(place).cloned()).collect();
            return Ok(Batch::with_operations(values, operations, columns));
        }
        let row_count = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let data = self.rows.iter().flat_map(|row| [row.as_bytes(), b"\n"].concat()).collect();
        let schema = streams::lines(&self.stream);
        Ok(Batch::with_operations(&schema, operations, JsonLines { row_count, data }))
    }
}

impl RejectAct {
    fn reject(&self) -> SourceReject {
        let raw = || RejectedRow::Raw(self.raw.clone().unwrap_or_default().into_bytes());
        SourceReject {
            stream: self.stream.clone(),
            row: self.at.map_or_else(raw, RejectedRow::At),
            code: self.code.clone(),
            message: self.message.clone(),
            retryable: self.retryable,
        }
    }
}
