//! Where the reader of a text file stands, also when its last line has no end.

use super::rows::{OpenRow, Place};
use crate::input::Window;

/// Where the reader of a text file stands, beside the offset that its window knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    /// The number of the line, from 1.
    pub(crate) line: u64,
    /// The last row of the file, once it was read, if its line has no end.
    pub(crate) open_row: Option<OpenRow>,
}

impl Cursor {
    pub(crate) fn at_line(line: u64) -> Self {
        Self { line, open_row: None }
    }

    /// The row that begins here has no end of its line; it was taken or rejected.
    pub(crate) fn note_open_row(&mut self, offset: u64, taken: bool) {
        self.open_row = Some(OpenRow { offset, line: self.line, taken });
    }

    pub(crate) fn place(&self, window: &Window) -> Place {
        Place::Bytes { offset: window.offset(), line: self.line, open_row: self.open_row }
    }
}
