//! Pages: what one call of a source brings, within the host's budget.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    Batch, Checkpoint, ColumnsBuilder, JsonLinesBuilder, Operation, Page, RejectedRow, Result, Row,
    SourceReject, Step, StreamSchema, run,
};

/// The most bytes of one batch, unless it is a single row.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// The most bytes of one row.
const ROW_BYTES_MAX: usize = 16 << 20;
/// What the host keeps of a rejected row.
const REJECT_BYTES_MAX: usize = 64 << 10;

/// How much one page may hold, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Rows of all batches together.
    pub rows_max: usize,
    /// Bytes of all batches together.
    pub bytes_max: usize,
    /// Come back by then, if need be with an empty page.
    pub deadline: Instant,
}

impl Budget {
    /// So much, from now on.
    pub fn new(rows_max: usize, bytes_max: usize, time: Duration) -> Self {
        Self { rows_max, bytes_max, deadline: Instant::now() + time }
    }

    /// Time until the deadline; zero once it has passed.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether it is time to come back: the deadline has passed, or the host asks for an early return.
    pub fn is_over(&self) -> bool {
        self.time_left().is_zero() || run::stop_requested()
    }
}

/// Collects a page within a budget.
///
/// Rows that were fetched and do not fit stay in their queue for the next page:
///
/// ```
/// use std::{collections::VecDeque, time::Duration};
/// use cofferdam_sdk::{Budget, Layout, Operation, PageBuilder, Schema, Step, StreamSchema};
///
/// let movies = StreamSchema::new("movies", Schema::open(), Layout::JsonLines);
/// let mut fetched: VecDeque<_> = (0..5).map(|id| serde_json::json!({"id": id})).collect();
/// let budget = Budget::new(3, 1 << 20, Duration::from_secs(30));
///
/// let mut page = PageBuilder::new(&budget);
/// page.fill_json(&movies, Operation::Insert, &mut fetched)?;
/// if fetched.is_empty() {
///     page.checkpoint(&"all of it")?;
/// }
/// let Step::Page(page) = page.finish() else { unreachable!() };
/// assert_eq!((page.batches[0].row_count(), page.checkpoint, fetched.len()), (3, None, 2));
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
#[derive(Debug)]
pub struct PageBuilder {
    budget: Budget,
    rows: usize,
    bytes: usize,
    page: Page,
}

impl PageBuilder {
    /// An empty page.
    pub fn new(budget: &Budget) -> Self {
        let page =
            Page { batches: Vec::new(), rejects: Vec::new(), checkpoint: None, transaction_end: false };
        Self { budget: *budget, rows: 0, bytes: 0, page }
    }

    /// An empty page without a budget: for webhooks, whose messages the host has counted already.
    pub fn unlimited() -> Self {
        Self::new(&Budget::new(usize::MAX, usize::MAX, Duration::from_secs(24 * 60 * 60)))
    }

    /// Rows that still fit.
    pub fn rows_left(&self) -> usize {
        self.budget.rows_max.saturating_sub(self.rows)
    }

    /// Bytes that still fit.
    pub fn bytes_left(&self) -> usize {
        self.budget.bytes_max.saturating_sub(self.bytes)
    }

    /// Whether nothing more fits, or it is time to come back.
    pub fn is_full(&self) -> bool {
        self.rows_left() == 0 || self.bytes_left() == 0 || self.budget.is_over()
    }

    /// Add a batch, as it is. A batch without rows is left out.
    pub fn add(&mut self, batch: Batch) {
        let rows = batch.row_count() as usize;
        if rows > 0 {
            self.rows += rows;
            self.bytes += batch.byte_count();
            self.page.batches.push(batch);
        }
    }

    /// Move rows from the queue into JSON lines while they fit.
    pub fn fill_json<T: Serialize>(
        &mut self,
        schema: &StreamSchema,
        operation: Operation,
        queue: &mut VecDeque<T>,
    ) -> Result<()> {
        while !queue.is_empty() && !self.is_full() {
            let (rows_max, bytes_max) = self.batch_room();
            let mut rows = JsonLinesBuilder::new();
            let mut oversized = None;
            while let Some(row) = queue.front().filter(|_| (rows.row_count() as usize) < rows_max) {
                let start = rows.byte_count();
                rows.push(row)?;
                let fit = self.fit(rows.row_count() as usize, rows.byte_count(), bytes_max);
                match fit {
                    Fit::Yes => {}
                    Fit::NotHere => {
                        rows.undo(start);
                        break;
                    }
                    Fit::Never => oversized = Some(rows.byte_count()),
                }
                queue.pop_front();
                if oversized.is_some() {
                    break;
                }
            }
            let lines = rows.finish();
            match oversized {
                Some(bytes) => self.reject_oversized(&schema.stream, &lines.data, bytes),
                None if lines.row_count == 0 => break,
                None => self.add(Batch::new(schema, operation, lines)),
            }
        }
        Ok(())
    }

    /// Move typed rows from the queue into columns while they fit.
    pub fn fill_rows<R: Row>(
        &mut self,
        schema: &StreamSchema,
        operation: Operation,
        queue: &mut VecDeque<R>,
    ) -> Result<()> {
        while !queue.is_empty() && !self.is_full() {
            let (rows_max, bytes_max) = self.batch_room();
            let mut columns = ColumnsBuilder::new(&schema.schema.fields);
            let mut oversized = None;
            while let Some(row) = queue.front().filter(|_| columns.row_count() < rows_max) {
                columns.push(row);
                match self.fit(columns.row_count(), columns.byte_count(), bytes_max) {
                    Fit::Yes => {}
                    Fit::NotHere => {
                        columns.truncate(columns.row_count() - 1);
                        break;
                    }
                    Fit::Never => oversized = Some(columns.byte_count()),
                }
                queue.pop_front();
                if oversized.is_some() {
                    break;
                }
            }
            match oversized {
                Some(bytes) => self.reject_oversized(&schema.stream, &[], bytes),
                None if columns.row_count() == 0 => break,
                None => self.add(Batch::new(schema, operation, columns.finish()?)),
            }
        }
        Ok(())
    }

    /// Rows and bytes that one more batch may have.
    fn batch_room(&self) -> (usize, usize) {
        (self.rows_left(), self.bytes_left().min(BATCH_BYTES_MAX))
    }

    /// Whether the row that was just added to a batch may stay. A row over the budget may travel alone, since no
    /// later page would have more room for it.
    fn fit(&self, rows: usize, bytes: usize, bytes_max: usize) -> Fit {
        match (rows, bytes) {
            (1, bytes) if bytes > ROW_BYTES_MAX => Fit::Never,
            (_, bytes) if bytes <= bytes_max => Fit::Yes,
            (1, _) if self.page.batches.is_empty() => Fit::Yes,
            _ => Fit::NotHere,
        }
    }

    fn reject_oversized(&mut self, stream: &str, start: &[u8], bytes: usize) {
        let message = format!("the row takes {bytes} bytes, {ROW_BYTES_MAX} are allowed");
        self.reject_raw(stream, start.to_vec(), "row_too_large", message);
    }

    /// Reject bytes that never became a row; what is over 64 KiB of them is cut.
    pub fn reject_raw(&mut self, stream: &str, mut raw: Vec<u8>, code: &str, message: impl Into<String>) {
        raw.truncate(REJECT_BYTES_MAX);
        self.reject(SourceReject {
            stream: stream.to_owned(),
            row: RejectedRow::Raw(raw),
            code: code.to_owned(),
            message: message.into(),
            retryable: false,
        });
    }

    /// Reject a row.
    pub fn reject(&mut self, reject: SourceReject) {
        self.page.rejects.push(reject);
    }

    /// Everything before this position is in the pages up to this one. A later run begins here.
    pub fn checkpoint(&mut self, position: &impl Serialize) -> Result<()> {
        self.page.checkpoint = Some(Checkpoint::new(position)?.into_json());
        Ok(())
    }

    /// A transaction of the other system ends with this page.
    pub fn transaction_end(&mut self) {
        self.page.transaction_end = true;
    }

    /// The page, as a webhook returns it.
    pub fn into_page(self) -> Page {
        self.page
    }

    /// The page, as a reader returns it.
    pub fn finish(self) -> Step {
        Step::Page(self.page)
    }
}

enum Fit {
    Yes,
    NotHere,
    Never,
}

#[cfg(test)]
mod tests;
