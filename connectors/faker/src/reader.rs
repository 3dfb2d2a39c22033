//! Reads the streams of one group, from any row.

mod rows;

use std::{collections::BTreeMap, time::Duration};

use cofferdam_sdk::{Budget, Error, OpenRead, PageBuilder, Reader, RejectedRow, Result, SourceReject, Step};
use rows::StreamRows;

use crate::config::{Config, RejectAs};

/// How many rows of each stream have been read.
type Position = BTreeMap<String, u64>;

/// The reader.
#[derive(Debug)]
pub struct FakerReader {
    streams: Vec<StreamRows>,
    /// Also of streams that are not read now.
    position: Position,
    page_rows: u64,
    checkpoint_every: u64,
    rows_since_checkpoint: u64,
    reject_every: Option<u64>,
    reject_as: RejectAs,
    wait: Option<(u64, Duration)>,
    pages: u64,
    has_waited: bool,
    transaction_rows: Option<u64>,
}

/// Rows of one stream that belong to one transaction.
struct Part {
    stream: usize,
    transaction: u64,
    rows_left: u64,
}

impl FakerReader {
    pub(crate) fn open(config: &Config, read: &OpenRead) -> Result<Self> {
        let position: Position = read.position()?.unwrap_or_default();
        let mut streams = Vec::new();
        for stream in &config.streams {
            let group = config.group.as_ref().map_or(&stream.name, |group| &group.name);
            let selection = read.selection(&stream.name);
            // Without any selection all is wanted.
            if *group == read.group && (selection.is_some() || read.selections.is_empty()) {
                let next = position.get(&stream.name).copied().unwrap_or(0);
                let fields = selection.and_then(|selection| selection.fields.as_deref());
                streams.push(StreamRows::new(config, stream, fields, next)?);
            }
        }
        if streams.is_empty() {
            return Err(Error::bug(format!("there is no read group `{}` with these streams", read.group)));
        }
        Ok(Self {
            streams,
            position,
            page_rows: config.page_rows.unwrap_or(u64::MAX),
            checkpoint_every: config.checkpoint_every.unwrap_or(1),
            rows_since_checkpoint: 0,
            reject_every: config.reject_every,
            reject_as: config.reject_as,
            wait: config.wait_every.map(|pages| (pages, Duration::from_millis(config.wait_ms.into()))),
            pages: 0,
            has_waited: false,
            transaction_rows: config.group.as_ref().and_then(|group| group.transaction_rows),
        })
    }

    /// What comes next: the rest of the oldest transaction, stream by stream.
    fn next_part(&self) -> Option<Part> {
        let size = self.transaction_rows.unwrap_or(u64::MAX);
        let parts =
            self.streams.iter().enumerate().filter(|(_, rows)| rows.left() > 0).map(|(stream, rows)| {
                let transaction = rows.next() / size;
                Part { stream, transaction, rows_left: rows.left().min(size - rows.next() % size) }
            });
        parts.min_by_key(|part| part.transaction)
    }

    /// Add rows of one stream; the number of rows that were read.
    fn add_rows(
        &mut self,
        part: &Part,
        page: &mut PageBuilder,
        batches: &mut u32,
        rows_max: u64,
    ) -> Result<u64> {
        let Some(rows) = self.streams.get_mut(part.stream) else { return Ok(0) };
        let fitting = (page.bytes_left() / rows.row_bytes_max()) as u64;
        // A page of one row may be over the budget: no later page would have more room for it.
        let fitting = if *batches == 0 { fitting.max(1) } else { fitting };
        let count = part.rows_left.min(rows_max).min(fitting);
        let (first, end) = (rows.next(), rows.next() + count);
        let is_rejected = |row: u64| self.reject_every.is_some_and(|every| (row + 1).is_multiple_of(every));
        let batch = match (self.reject_every, self.reject_as) {
            (Some(_), RejectAs::Raw) => rows.batch((first..end).filter(|row| !is_rejected(*row)))?,
            _ => rows.batch(first..end)?,
        };
        for row in (first..end).filter(|row| self.reject_every.is_some() && is_rejected(*row)) {
            let rejected = match self.reject_as {
                RejectAs::Row => RejectedRow::At((*batches, (row - first) as u32)),
                RejectAs::Raw => RejectedRow::Raw(rows.half_a_row(row)?),
            };
            page.reject(reject(rows.stream(), row, rejected));
        }
        if batch.row_count() > 0 {
            page.add(batch);
            *batches += 1;
        }
        rows.advance(count);
        self.position.insert(rows.stream().to_owned(), rows.next());
        Ok(count)
    }

    fn must_wait(&mut self) -> Option<Step> {
        let (every, time) = self.wait?;
        let is_due = !self.has_waited && (self.pages + 1).is_multiple_of(every);
        self.has_waited = is_due;
        is_due.then(|| Step::wait(time))
    }
}

impl Reader for FakerReader {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        let Some(mut part) = self.next_part() else { return Ok(Step::End) };
        if let Some(wait) = self.must_wait() {
            return Ok(wait);
        }
        let mut page = PageBuilder::new(budget);
        let (mut read, mut batches) = (0, 0);
        let rows_max = self.page_rows.min(budget.rows_max as u64);
        let is_last = loop {
            let count = self.add_rows(&part, &mut page, &mut batches, rows_max - read)?;
            read += count;
            let following = self.next_part();
            let is_transaction_end =
                following.as_ref().is_none_or(|next| next.transaction != part.transaction);
            if is_transaction_end && self.transaction_rows.is_some() {
                page.transaction_end();
                break following.is_none();
            }
            match following {
                None => break true,
                Some(next) if count > 0 && read < rows_max => part = next,
                Some(_) => break false,
            }
        };
        self.pages += 1;
        self.rows_since_checkpoint += read;
        if is_last || self.rows_since_checkpoint >= self.checkpoint_every {
            page.checkpoint(&self.position)?;
            self.rows_since_checkpoint = 0;
        }
        Ok(page.finish())
    }
}

fn reject(stream: &str, row: u64, rejected: RejectedRow) -> SourceReject {
    SourceReject {
        stream: stream.to_owned(),
        row: rejected,
        code: "made_up".to_owned(),
        message: format!("row {} is rejected as configured", row + 1),
        retryable: false,
    }
}
