//! Rows of CSV into columns.

use cofferdam_sdk::Result;

use super::{
    csv_file::{CsvFile, Next},
    cursor::Cursor,
    draft::{Draft, ROW_BYTES_MAX, RowFault},
    rows::{Context, Filled, Place},
    splitter::{Span, lines},
};
use crate::input::Unclean;

pub(crate) struct CsvRows {
    file: CsvFile,
    /// For each column of the file its place among the columns of the page.
    plan: Vec<Option<usize>>,
    cursor: Cursor,
}

impl CsvRows {
    pub(crate) fn new(file: CsvFile, plan: Vec<Option<usize>>) -> Self {
        let cursor = Cursor::at_line(1 + file.header_lines);
        Self { file, plan, cursor }
    }

    pub(crate) fn place(&self) -> Place {
        self.cursor.place(&self.file.window)
    }

    pub(crate) fn raw_offset(&self) -> u64 {
        self.file.window.stream().raw_offset()
    }

    pub(crate) fn go_to(&mut self, offset: u64, cursor: Cursor) -> Result<()> {
        self.cursor = cursor;
        self.file.window.skip_to(offset)
    }

    pub(crate) fn fill(&mut self, draft: &mut Draft, context: &Context<'_>) -> Result<Filled> {
        while !draft.is_full() {
            match self.file.next_row()? {
                Next::End => return Ok(Filled::End),
                Next::TooLong => self.reject_long_row(draft, context)?,
                Next::Row(span) => {
                    let open = self.file.is_unterminated(span);
                    if open && context.growing {
                        return Ok(Filled::End);
                    }
                    if !draft.has_room(span.end - span.start) {
                        break;
                    }
                    self.take_row(span, open, draft, context);
                }
            }
        }
        Ok(Filled::Full)
    }

    fn take_row(&mut self, span: Span, open: bool, draft: &mut Draft, context: &Context<'_>) {
        if span.start > 0 {
            self.cursor.line += lines(self.file.window.bytes().get(..span.start).unwrap_or_default());
        }
        let length = span.end - span.start;
        let taken = self.push_row(span, draft, context);
        let offset = self.file.window.offset() + span.start as u64;
        let row = self.file.window.bytes().get(span.start..span.end).unwrap_or_default();
        if open {
            self.cursor.note_open_row(offset, taken.is_ok());
        }
        match taken {
            Ok(()) => draft.added(length),
            Err(mut fault) => {
                fault.message = format!("line {}: {}", self.cursor.line, fault.message);
                draft.reject(context.stream, row, fault);
            }
        }
        self.cursor.line += self.file.splitter.row_lines(row);
        self.file.window.consume(span.end);
        if length > crate::input::CHUNK_BYTES {
            self.file.window.shrink();
        }
    }

    #[inline]
    fn push_row(&mut self, span: Span, draft: &mut Draft, context: &Context<'_>) -> Result<(), RowFault> {
        if let Err(unclean) = self.file.window.check_text(span.end) {
            return Err(unclean_fault(unclean));
        }
        if span.unclosed {
            return Err(RowFault::new("unclosed_quote", "the file ends within quotes"));
        }
        let (found, wanted) = (self.file.splitter.field_count(), self.plan.len());
        if found != wanted {
            let plural = if found == 1 { "" } else { "s" };
            let message = format!("{found} field{plural}, the first row of the file has {wanted}");
            return Err(RowFault::new("wrong_field_count", message));
        }
        if draft.is_too_large(span.end - span.start) {
            return Err(too_large());
        }
        let row = self.file.window.bytes().get(span.start..).unwrap_or_default();
        for (field, target) in self.file.splitter.fields(row).zip(&self.plan) {
            let Some(place) = *target else { continue };
            let Some(column) = draft.table.column(place) else { continue };
            let field = if self.file.dialect.trim { field.trim_ascii() } else { field };
            if self.file.dialect.is_null(field) {
                column.push_null();
            } else if !column.push_text(field) {
                return Err(context.targets.wrong_type(place, &String::from_utf8_lossy(field)));
            }
        }
        context.push_constants(draft)?;
        draft.table.end_row();
        Ok(())
    }

    fn reject_long_row(&mut self, draft: &mut Draft, context: &Context<'_>) -> Result<()> {
        let bytes = self.file.window.bytes();
        let fault = RowFault::new(
            "row_too_large",
            format!(
                "line {}: the row takes more than {ROW_BYTES_MAX} bytes; is a quote not closed?",
                self.cursor.line
            ),
        );
        draft.reject(context.stream, bytes, fault);
        self.cursor.line += self.file.skip_long_row()?;
        Ok(())
    }
}

/// Why bytes are no row of text.
pub(crate) fn unclean_fault(unclean: Unclean) -> RowFault {
    match unclean {
        Unclean::NotUtf8(_) => RowFault::new("not_utf8", "the row is not UTF-8"),
        Unclean::Nul(_) => RowFault::new("nul_byte", "the row holds a NUL byte"),
    }
}

/// A row that fits no page.
pub(crate) fn too_large() -> RowFault {
    RowFault::new("row_too_large", format!("the row takes more than {ROW_BYTES_MAX} bytes"))
}
