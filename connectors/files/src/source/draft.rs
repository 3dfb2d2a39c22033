//! The page that is being filled.

use cofferdam_sdk::{
    Batch, Budget, JsonLines, Operation, Page, RejectedRow, Rows, SourceReject, StreamSchema,
};

use crate::columns::Table;
use crate::kind::Kind;

/// The most bytes of one row.
pub(crate) const ROW_BYTES_MAX: usize = 16 << 20;
/// What the host keeps of a rejected row.
const REJECT_BYTES_MAX: usize = 64 << 10;
/// Rows between two looks at the clock: each look is a call of the host.
const ROWS_PER_LOOK: usize = 512;

/// Why a row is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowFault {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl RowFault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The page that is being filled. Bytes are counted from above: a row never takes more than its text and what its
/// columns take at least.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) table: Table,
    /// Rows as they are, where the stream has no fixed shape.
    pub(crate) lines: JsonLines,
    rejects: Vec<SourceReject>,
    budget: Budget,
    row_bytes: usize,
    bytes: usize,
    /// Bytes of files that were consumed for this page.
    consumed: u64,
    rows_left: u64,
    looks: usize,
    is_over: bool,
}

impl Draft {
    /// `rows_left` is what is left of a limit on the rows of the whole stream.
    pub(crate) fn new(kinds: &[Kind], budget: &Budget, rows_left: u64) -> Self {
        let row_bytes = kinds.iter().map(|kind| kind.fixed_bytes()).sum();
        Self {
            table: Table::new(kinds),
            lines: JsonLines { row_count: 0, data: Vec::new() },
            rejects: Vec::new(),
            budget: *budget,
            row_bytes,
            // The first offset and the last byte of three bitmaps for each column.
            bytes: kinds.len() * 8,
            consumed: 0,
            rows_left,
            looks: 0,
            is_over: false,
        }
    }

    pub(crate) fn row_count(&self) -> usize {
        self.table.row_count() + self.lines.row_count as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.row_count() == 0 && self.rejects.is_empty()
    }

    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// So many more rows fit by their number.
    pub(crate) fn rows_left(&self) -> usize {
        let counted = self.budget.rows_max.saturating_sub(self.row_count() + self.rejects.len());
        let limited = self.rows_left.saturating_sub(self.row_count() as u64);
        counted.min(usize::try_from(limited).unwrap_or(usize::MAX))
    }

    /// What a row takes beside its text.
    pub(crate) fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    pub(crate) fn bytes_left(&self) -> usize {
        self.budget.bytes_max.saturating_sub(self.bytes)
    }

    /// Whether it is time to hand the page over.
    #[inline]
    pub(crate) fn is_full(&mut self) -> bool {
        if self.looks.is_multiple_of(ROWS_PER_LOOK) {
            self.is_over = self.budget.is_over();
        }
        self.looks += 1;
        self.is_over || self.rows_left() == 0 || self.bytes_left() == 0
    }

    /// Whether a row of so many bytes of text fits. One that is over the budget travels alone.
    #[inline]
    pub(crate) fn has_room(&self, text_bytes: usize) -> bool {
        self.row_bytes + text_bytes <= self.bytes_left() || self.is_empty()
    }

    /// Whether a row of so many bytes is more than any page may carry.
    pub(crate) fn is_too_large(&self, text_bytes: usize) -> bool {
        self.row_bytes + text_bytes > ROW_BYTES_MAX
    }

    /// A row of so many bytes was added.
    #[inline]
    pub(crate) fn added(&mut self, text_bytes: usize) {
        self.bytes += self.row_bytes + text_bytes;
        self.consumed += text_bytes as u64;
    }

    /// Rows were added whose size was counted by the caller.
    pub(crate) fn added_rows(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.consumed += bytes as u64;
    }

    /// Reject bytes that are no row; of long ones the host gets the beginning.
    pub(crate) fn reject(&mut self, stream: &str, raw: &[u8], fault: RowFault) {
        self.table.abort_row();
        let kept = raw.get(..raw.len().min(REJECT_BYTES_MAX)).unwrap_or_default();
        self.bytes += kept.len() + fault.message.len();
        self.consumed += raw.len() as u64;
        self.rejects.push(SourceReject {
            stream: stream.to_owned(),
            row: RejectedRow::Raw(kept.to_vec()),
            code: fault.code.to_owned(),
            message: fault.message,
            retryable: false,
        });
    }

    pub(crate) fn finish(self, schema: &StreamSchema, checkpoint: Option<String>) -> Page {
        let rows: Option<Rows> = match (self.table.row_count(), self.lines.row_count) {
            (0, 0) => None,
            (0, _) => Some(self.lines.into()),
            _ => Some(self.table.finish().into()),
        };
        let batches = rows.map(|rows| Batch::new(schema, Operation::Insert, rows));
        Page {
            batches: batches.into_iter().collect(),
            rejects: self.rejects,
            checkpoint,
            transaction_end: false,
        }
    }
}
