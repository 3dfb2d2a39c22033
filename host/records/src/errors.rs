//! Row errors as commands ask for them: filtered, in pages, counted, deleted.

mod delete;
mod filter;
mod kept;
mod send;

pub use filter::{ErrorFilter, StateFilter};
pub use kept::{ErrorCounts, ErrorId, ErrorPage, ErrorState, KeptError};

use crate::chunk::StoredError;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::walk::{Listed, Walk};
use filter::Conditions;
use pipeline::model::StreamSchema;
use pipeline::records::RowCopy;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of one page. A chunk is small, but for one large row.
const PAGE_BYTES: usize = 16 << 20;

impl SealedRecords {
    /// Row errors of the sync in the order of their ids, those behind `after`, at most `limit`; fewer where their rows are
    /// large.
    ///
    /// # Errors
    /// [`Error::UnknownSync`], [`Error::BadCondition`], or when storage cannot be read.
    pub async fn errors(
        &self,
        sync: &str,
        filter: &ErrorFilter,
        after: Option<ErrorId>,
        limit: usize,
    ) -> Result<ErrorPage, Error> {
        self.newest_run(sync).await?;
        let mut search = self.search(sync, filter, after).await?;
        let (mut page, mut bytes) = (ErrorPage::default(), 0);
        while let Some((listed, errors)) = search.next().await? {
            let is_full = bytes > PAGE_BYTES;
            bytes += held_bytes(&errors);
            for kept in search.shown(&listed, errors).await? {
                if page.errors.len() == limit || is_full {
                    page.next = page.errors.last().map(|last| last.id);
                    return Ok(page);
                }
                page.errors.push(kept);
            }
        }
        search.prove_conditions()?;
        Ok(page)
    }

    /// One row error of the sync; none where there is none of this id, be it that it was deleted or has expired.
    ///
    /// # Errors
    /// [`Error::UnknownSync`], or when storage cannot be read.
    pub async fn error(&self, sync: &str, id: ErrorId) -> Result<Option<KeptError>, Error> {
        let filter = ErrorFilter { run: Some(id.run), ids: vec![id], ..ErrorFilter::default() };
        Ok(self.errors(sync, &filter, None, 1).await?.errors.pop())
    }

    /// How many row errors the filter finds, by run, stream and code.
    ///
    /// # Errors
    /// As [`SealedRecords::errors`].
    pub async fn count_errors(&self, sync: &str, filter: &ErrorFilter) -> Result<ErrorCounts, Error> {
        self.newest_run(sync).await?;
        let mut search = self.search(sync, filter, None).await?;
        let mut counts: ErrorCounts = BTreeMap::new();
        while let Some(listed) = search.next_listed().await? {
            let mut add = |code: String, rows: u64| {
                *counts.entry((listed.at.run, listed.index.stream.clone(), code)).or_default() += rows;
            };
            if let Some(codes) = search.told_by_index(&listed) {
                let wanted = codes.iter().filter(|(code, _)| filter.takes_code(code));
                wanted.for_each(|(code, rows)| add(code.clone(), u64::from(*rows)));
            } else {
                let errors = search.found_in(&mut listed.clone()).await?;
                errors.into_iter().for_each(|error| add(error.code, 1));
            }
        }
        search.prove_conditions()?;
        Ok(counts)
    }

    pub(crate) async fn search<'a>(
        &'a self,
        sync: &'a str,
        filter: &'a ErrorFilter,
        after: Option<ErrorId>,
    ) -> Result<Search<'a>, Error> {
        let mut walk = self.walk(sync, filter.only_run()).await?;
        if let Some(after) = after {
            walk.skip_to(after.run, after.number.saturating_add(1));
        }
        Ok(Search::new(walk, filter, after))
    }
}

/// A walk that stops at what the filter finds.
pub(crate) struct Search<'a> {
    pub(crate) walk: Walk<'a>,
    filter: &'a ErrorFilter,
    after: Option<ErrorId>,
    conditions: Conditions<'a>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(walk: Walk<'a>, filter: &'a ErrorFilter, after: Option<ErrorId>) -> Self {
        Self { walk, filter, after, conditions: Conditions::new(&filter.conditions) }
    }

    /// How many of each code the index says that are found in a chunk; none where it has to be opened to know.
    fn told_by_index<'l>(&self, listed: &'l Listed) -> Option<&'l BTreeMap<String, u32>> {
        let by_index = self.filter.is_judged_by_index() && !self.walk.has_pending();
        listed.index.codes.as_ref().filter(|_| by_index)
    }

    /// The next chunk with row errors that are found, and those; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<(Listed, Vec<StoredError>)>, Error> {
        while let Some(mut listed) = self.next_listed().await? {
            let errors = self.found_in(&mut listed).await?;
            if !errors.is_empty() {
                return Ok(Some((listed, errors)));
            }
        }
        Ok(None)
    }

    /// The next chunk in which there may be some, by its index.
    async fn next_listed(&mut self) -> Result<Option<Listed>, Error> {
        while let Some(listed) = self.walk.next().await? {
            if self.filter.may_be_in(&listed, !self.walk.has_pending()) {
                return Ok(Some(listed));
            }
        }
        Ok(None)
    }

    /// The row errors of one chunk that are found, and their schema.
    pub(crate) async fn only(
        mut self,
        mut listed: Listed,
    ) -> Result<(Arc<StreamSchema>, Vec<StoredError>), Error> {
        let errors = self.found_in(&mut listed).await?;
        Ok((self.walk.schema(&listed).await?, errors))
    }

    async fn found_in(&mut self, listed: &mut Listed) -> Result<Vec<StoredError>, Error> {
        let mut errors = self.walk.open(listed).await?;
        errors.retain(|error| self.takes(listed, error));
        if !self.conditions.is_empty() && !errors.is_empty() {
            let schema = self.walk.schema(listed).await?;
            self.conditions.keep_those_that_hold(&schema, &mut errors)?;
        }
        Ok(errors)
    }

    /// A condition on a field that nothing has was hardly meant.
    pub(crate) fn prove_conditions(&self) -> Result<(), Error> {
        self.conditions.prove_known()
    }

    /// As they are shown.
    async fn shown(&mut self, listed: &Listed, errors: Vec<StoredError>) -> Result<Vec<KeptError>, Error> {
        let schema = self.walk.schema(listed).await?;
        let shown = errors.into_iter().map(|error| {
            let state = self.state(listed, error.offset);
            KeptError::new(listed, Arc::clone(&schema), error, state)
        });
        Ok(shown.collect())
    }

    pub(crate) fn state(&self, listed: &Listed, offset: u32) -> ErrorState {
        match self.walk.superseded_by(listed, offset) {
            Some(by_run) => ErrorState::Superseded { by_run },
            None => ErrorState::Open,
        }
    }

    fn takes(&self, listed: &Listed, error: &StoredError) -> bool {
        let id = ErrorId { run: listed.at.run, number: listed.number(error.offset) };
        self.after.is_none_or(|after| id > after)
            && self.filter.takes(id, error, self.state(listed, error.offset))
    }
}

/// What the rows of one chunk hold in memory: those of one batch share it.
fn held_bytes(errors: &[StoredError]) -> usize {
    let mut last = None;
    let of = |error: &StoredError| match &error.row {
        RowCopy::Row(row) => {
            let batch = Arc::as_ptr(row.place().0);
            if last.replace(batch) == Some(batch) { 0 } else { row.place().0.byte_count() }
        }
        RowCopy::Raw(bytes) => bytes.len(),
        _ => 0,
    };
    errors.iter().map(of).sum()
}
