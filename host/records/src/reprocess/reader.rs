//! Gives stored rows in pages, by the schema by which they were stored.

use super::choice::Reprocess;
use super::merge::merge;
use super::source::failure;
use crate::chunk::StoredError;
use crate::superseded::ErrorRef;
use crate::walk::Listed;
use async_trait::async_trait;
use pipeline::connector::{Budget, Reader};
use pipeline::failure::Failure;
use pipeline::model::{Batch, Page, PageBudget, Step, StreamSchema};
use pipeline::records::{KeptRow, RowCopy};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(super) struct ReprocessReader {
    reprocess: Arc<Reprocess>,
    chunks: VecDeque<Listed>,
    /// Rows of the chunk that is open, and where it is.
    rows: VecDeque<StoredError>,
    open: Option<Open>,
    /// By which the pipeline takes the rows of each stream now.
    schemas: BTreeMap<String, StreamSchema>,
}

struct Open {
    at: ErrorRef,
    schema: Arc<StreamSchema>,
    first: u64,
}

impl ReprocessReader {
    pub(super) fn new(reprocess: Arc<Reprocess>, chunks: Vec<Listed>, schemas: Vec<StreamSchema>) -> Self {
        let schemas = schemas.into_iter().map(|schema| (schema.stream.clone(), schema)).collect();
        Self { reprocess, chunks: chunks.into(), rows: VecDeque::new(), open: None, schemas }
    }

    /// Opens chunks until there is a row. False at the end.
    async fn fill(&mut self) -> Result<bool, Failure> {
        while self.rows.is_empty() {
            let Some(listed) = self.chunks.pop_front() else { return Ok(false) };
            let read = self.reprocess.rows_of(&listed).await;
            let (schema, rows) = read.map_err(|error| failure("reader.next", &error))?;
            self.rows = rows.into();
            self.open = Some(Open { at: listed.at, schema, first: listed.group.first });
        }
        Ok(true)
    }

    /// The stream's schema, if it is another one than the pipeline knows. Numbered anew: what is stored counts within the run
    /// that stored it.
    fn changed_schema(&mut self) -> Option<StreamSchema> {
        let stored = &self.open.as_ref()?.schema;
        let known = self.schemas.get(&stored.stream)?;
        let as_known = StreamSchema { version: known.version, ..stored.as_ref().clone() };
        if as_known == *known {
            return None;
        }
        let changed = StreamSchema { version: known.version.saturating_add(1), ..as_known };
        self.schemas.insert(changed.stream.clone(), changed.clone());
        Some(changed)
    }

    /// Rows of the open chunk, as many as a page may have.
    fn page(&mut self, budget: PageBudget) -> Page {
        let mut page = Page::default();
        let Some(open) = &self.open else { return page };
        let version = self.schemas.get(&open.schema.stream).map_or(0, |schema| schema.version);
        let mut rows = Vec::new();
        let mut bytes = 0;
        while rows.len() < budget.max_rows as usize
            && let Some(error) = self.rows.pop_front()
        {
            let StoredError { offset, row, .. } = error;
            let RowCopy::Row(row) = row else { continue };
            let batch = row.into_batch();
            bytes += batch.byte_count();
            if bytes > budget.max_bytes as usize && !rows.is_empty() {
                self.rows.push_front(StoredError { row: RowCopy::Row(KeptRow::alone(batch)), ..error });
                break;
            }
            self.reprocess.plan.give(&open.schema.stream, ErrorRef { offset, ..open.at });
            let number = open.first + u64::from(offset);
            page.checkpoint = Some(format!("\"{}-{number}\"", open.at.run));
            rows.push(Batch { schema_version: version, ..batch });
        }
        page.batches = merge(rows);
        page
    }
}

#[async_trait]
impl Reader for ReprocessReader {
    async fn next(&mut self, budget: PageBudget) -> Result<Step, Failure> {
        if !self.fill().await? {
            return Ok(Step::End);
        }
        if let Some(changed) = self.changed_schema() {
            return Ok(Step::SchemaChanged(vec![changed]));
        }
        Ok(Step::Page(self.page(budget)))
    }

    /// What is dealt with is deleted or changed by the commit itself.
    async fn committed(&mut self, _checkpoint: String) -> Result<(), Failure> {
        Ok(())
    }

    fn budget(&self) -> Budget {
        Budget::new()
    }
}
