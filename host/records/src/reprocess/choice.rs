//! Which row errors are sent through again.

use super::plan::Plan;
use super::source::ReprocessSource;
use crate::chunk::StoredError;
use crate::error::Error;
use crate::errors::{ErrorFilter, Search, StateFilter};
use crate::records::SealedRecords;
use crate::walk::Listed;
use pipeline::connector::Source;
use pipeline::model::StreamSchema;
use pipeline::records::RowCopy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Row errors of one run that are sent through again, for one run that does it.
pub struct Reprocess {
    pub(super) records: Arc<SealedRecords>,
    pub(super) sync: String,
    pub(super) of_run: u64,
    filter: ErrorFilter,
    choice: Choice,
    pub(crate) plan: Plan,
    /// The run that does it, once it has begun.
    run: OnceLock<u64>,
}

/// How many row errors were found, and which of them can be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Those that are sent.
    pub rows: u64,
    /// Those that are left because nothing is kept of their row.
    pub kept_without_row: u64,
    /// Those that are left because a row of the same key was accepted since.
    pub superseded: u64,
}

/// One stream of which there are rows.
pub(super) struct FoundStream {
    pub(super) unit: String,
    /// By which the first of them is laid out.
    pub(super) schema: Arc<StreamSchema>,
}

impl Reprocess {
    /// Chooses those that the filter finds; its run and state are set here. With `force` also those that are superseded.
    ///
    /// # Errors
    /// [`Error::NothingToReprocess`] when none of them can be sent; as [`SealedRecords::errors`].
    pub async fn new(
        records: Arc<SealedRecords>,
        sync: &str,
        run: u64,
        filter: ErrorFilter,
        force: bool,
    ) -> Result<Arc<Self>, Error> {
        records.run(sync, Some(run)).await?;
        let every = ErrorFilter { run: Some(run), state: StateFilter::Any, ..filter };
        let mut choice = Choice::default();
        let mut search = records.search(sync, &every, None).await?;
        while let Some((listed, errors)) = search.next().await? {
            for error in errors {
                let is_open = search.walk.superseded_by(&listed, error.offset).is_none();
                match &error.row {
                    RowCopy::Row(_) if is_open || force => choice.rows += 1,
                    RowCopy::Row(_) => choice.superseded += 1,
                    _ => choice.kept_without_row += 1,
                }
            }
        }
        search.prove_conditions()?;
        let Choice { rows, kept_without_row, superseded } = choice;
        if rows == 0 {
            return Err(Error::NothingToReprocess { sync: sync.into(), run, kept_without_row, superseded });
        }
        let state = if force { StateFilter::Any } else { StateFilter::Open };
        let filter = ErrorFilter { state, ..every };
        let (plan, sync) = (Plan::default(), sync.to_owned());
        Ok(Arc::new(Self { records, sync, of_run: run, filter, choice, plan, run: OnceLock::new() }))
    }

    /// How many row errors were found, and which of them are sent.
    #[must_use]
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// The run whose row errors they are.
    #[must_use]
    pub fn of_run(&self) -> u64 {
        self.of_run
    }

    /// The source that gives their rows, in the streams and read groups in which they were.
    #[must_use]
    pub fn source(self: &Arc<Self>) -> Arc<dyn Source> {
        Arc::new(ReprocessSource(Arc::clone(self)))
    }

    pub(crate) fn bind(&self, run: u64) {
        let _once = self.run.set(run);
    }

    /// Those of a chunk that are left for this run: with a row, and not tried by it yet.
    pub(super) fn is_left(&self, error: &StoredError) -> bool {
        let is_tried = error.tried_by.is_some() && error.tried_by == self.run.get().copied();
        matches!(error.row, RowCopy::Row(_)) && !is_tried
    }

    /// The chunks in which some may be left, of these streams; none: of all.
    pub(super) async fn chunks(&self, streams: Option<&[String]>) -> Result<Vec<Listed>, Error> {
        let mut search = self.records.search(&self.sync, &self.filter, None).await?;
        let mut chunks = Vec::new();
        while let Some((listed, errors)) = search.next().await? {
            let is_wanted = streams.is_none_or(|streams| streams.contains(&listed.index.stream));
            if is_wanted && errors.iter().any(|error| self.is_left(error)) {
                chunks.push(listed);
            }
        }
        Ok(chunks)
    }

    /// Those of a chunk that are left for this run, by its schema.
    pub(super) async fn rows_of(
        &self,
        listed: &Listed,
    ) -> Result<(Arc<StreamSchema>, Vec<StoredError>), Error> {
        // What earlier commits of this run have settled is applied by the time they return.
        let search = Search::new(self.records.no_walk(&self.sync), &self.filter, None);
        let (schema, mut errors) = search.only(listed.clone()).await?;
        errors.retain(|error| self.is_left(error));
        Ok((schema, errors))
    }

    /// The streams of which rows are left.
    pub(super) async fn streams(&self) -> Result<BTreeMap<String, FoundStream>, Error> {
        let mut streams = BTreeMap::new();
        for listed in self.chunks(None).await? {
            if streams.contains_key(&listed.index.stream) {
                continue;
            }
            let schema = self.records.schema_of(&self.sync, &listed).await?;
            let found = FoundStream { unit: listed.index.unit.clone(), schema };
            streams.insert(listed.index.stream, found);
        }
        Ok(streams)
    }
}
