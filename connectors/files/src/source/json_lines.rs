//! The loop over the lines of a JSON Lines file, whatever becomes of each.

use cofferdam_sdk::Result;

use super::{
    csv::{too_large, unclean_fault},
    cursor::Cursor,
    draft::{Draft, ROW_BYTES_MAX, RowFault},
    json_file::{JsonFile, NextLine},
    rows::{Context, Filled},
    shape::StreamField,
};
use crate::input::CHUNK_BYTES;

/// What becomes of a line.
pub(crate) trait LineTaker {
    /// Add the line to the page. Fields that the schema does not have are handed back, and the line is not added.
    fn take(
        &mut self,
        line: &str,
        draft: &mut Draft,
        context: &Context<'_>,
    ) -> Result<Vec<StreamField>, RowFault>;
}

pub(crate) fn fill_lines(
    file: &mut JsonFile,
    cursor: &mut Cursor,
    draft: &mut Draft,
    context: &Context<'_>,
    taker: &mut impl LineTaker,
) -> Result<Filled> {
    while !draft.is_full() {
        let (length, open) = match file.next_line()? {
            NextLine::End => return Ok(Filled::End),
            NextLine::TooLong => {
                reject_long_line(file, cursor, draft, context)?;
                continue;
            }
            NextLine::Line { open: true, .. } if context.growing => return Ok(Filled::End),
            NextLine::Line { length, open } => (length, open),
        };
        if !draft.has_room(length) {
            break;
        }
        let clean = file.window.check_text(length);
        let line = file.window.bytes().get(..length).unwrap_or_default().trim_ascii();
        if !line.is_empty() {
            let taken = match (clean, std::str::from_utf8(line)) {
                (Ok(()), _) if draft.is_too_large(length) => Err(too_large()),
                (Ok(()), Ok(text)) => taker.take(text, draft, context),
                (Err(unclean), _) => Err(unclean_fault(unclean)),
                (Ok(()), Err(_)) => Err(RowFault::new("not_utf8", "the line is not UTF-8")),
            };
            if open {
                cursor.note_open_row(file.window.offset(), taken.is_ok());
            }
            match taken {
                Ok(new) if new.is_empty() => draft.added(length),
                Ok(new) => return Ok(Filled::NewFields(new)),
                Err(mut fault) => {
                    fault.message = format!("line {}: {}", cursor.line, fault.message);
                    draft.reject(context.stream, line, fault);
                }
            }
        }
        cursor.line += u64::from(!open);
        file.window.consume(length);
        if length > CHUNK_BYTES {
            file.window.shrink();
        }
    }
    Ok(Filled::Full)
}

fn reject_long_line(
    file: &mut JsonFile,
    cursor: &mut Cursor,
    draft: &mut Draft,
    context: &Context<'_>,
) -> Result<()> {
    let message = format!("line {}: it takes more than {ROW_BYTES_MAX} bytes", cursor.line);
    draft.reject(context.stream, file.window.bytes(), RowFault::new("row_too_large", message));
    file.skip_long_line()?;
    cursor.line += 1;
    Ok(())
}
