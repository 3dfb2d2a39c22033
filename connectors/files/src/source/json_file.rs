//! One file of JSON Lines: its lines, one after the other.

use cofferdam_sdk::{Error, Result};

use super::draft::ROW_BYTES_MAX;
use crate::input::{ByteStream, Window};

/// What a look at the next line brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextLine {
    /// It has so many bytes, with its end. It stays until it is consumed.
    Line {
        length: usize,
        open: bool,
    },
    /// It is longer than any row may be.
    TooLong,
    End,
}

pub(crate) struct JsonFile {
    pub(crate) window: Window,
}

impl JsonFile {
    pub(crate) fn open(path: &str, gzip: bool) -> Result<Self> {
        let mut window = Window::new(ByteStream::open(path, gzip)?);
        window.skip_byte_order_mark()?;
        let first = window.bytes().iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'[') {
            let message = format!("`{path}` is one JSON array: JSON Lines have an object on each line");
            return Err(Error::data(message));
        }
        Ok(Self { window })
    }

    #[inline]
    pub(crate) fn next_line(&mut self) -> Result<NextLine> {
        // Bytes that were searched already.
        let mut searched = 0;
        loop {
            let bytes = self.window.bytes();
            let rest = bytes.get(searched..).unwrap_or_default();
            if let Some(place) = memchr::memchr(b'\n', rest) {
                let length = searched + place + 1;
                return Ok(if length > ROW_BYTES_MAX {
                    NextLine::TooLong
                } else {
                    NextLine::Line { length, open: false }
                });
            }
            searched = bytes.len();
            if searched > ROW_BYTES_MAX {
                return Ok(NextLine::TooLong);
            }
            if !self.window.fill()? {
                let length = searched;
                return Ok(if length == 0 { NextLine::End } else { NextLine::Line { length, open: true } });
            }
        }
    }

    /// Consume a line that is too long to be kept.
    pub(crate) fn skip_long_line(&mut self) -> Result<()> {
        loop {
            let bytes = self.window.bytes();
            let end = memchr::memchr(b'\n', bytes);
            let length = end.map_or(bytes.len(), |place| place + 1);
            self.window.consume(length);
            if end.is_some() || !self.window.fill()? {
                self.window.shrink();
                return Ok(());
            }
        }
    }
}
