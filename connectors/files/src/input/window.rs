//! A window that moves over the bytes of a file: what was read and not yet consumed lies in one piece.

use std::str;

use cofferdam_sdk::{Error, Result};

use super::ByteStream;

/// Bytes that are read at once.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;

/// Why bytes are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unclean {
    /// At this byte from the beginning of what was asked about.
    NotUtf8(usize),
    Nul(usize),
}

pub(crate) struct Window {
    stream: ByteStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Up to here the buffer is known to be UTF-8 without NUL bytes.
    clean: usize,
    at_end: bool,
    /// What went wrong after the bytes that are here.
    failed: Option<Error>,
    /// Where the buffer's first byte stands in the file.
    base: u64,
}

impl Window {
    pub(crate) fn new(stream: ByteStream) -> Self {
        Self { stream, buffer: Vec::new(), start: 0, end: 0, clean: 0, at_end: false, failed: None, base: 0 }
    }

    /// A window on the unpacked bytes from the offset on.
    pub(crate) fn skip_to(&mut self, offset: u64) -> Result<()> {
        if (self.base..=self.base + self.end as u64).contains(&offset) {
            self.start = usize::try_from(offset - self.base).unwrap_or(self.end);
            self.clean = self.clean.max(self.start);
            return Ok(());
        }
        self.stream.skip_to(offset)?;
        (self.start, self.end, self.clean, self.at_end, self.base) = (0, 0, 0, false, offset);
        Ok(())
    }

    pub(crate) fn stream(&self) -> &ByteStream {
        &self.stream
    }

    /// What was read and not yet consumed.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether there is nothing after these bytes.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Where the next byte stands among the unpacked bytes of the file.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Read on; false if there was nothing more. The window grows when what is not consumed takes more than half of it.
    /// Where a file breaks off, what stands before is read first.
    pub(crate) fn fill(&mut self) -> Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        let kept = self.end - self.start;
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.base += self.start as u64;
            self.clean = self.clean.saturating_sub(self.start);
            (self.start, self.end) = (0, kept);
        }
        let wanted = CHUNK_BYTES.max((kept * 2).next_power_of_two());
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.end < self.buffer.len() && self.failed.is_none() {
            match self.stream.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(fault) => self.failed = Some(fault),
            }
        }
        match self.failed.take_if(|_| self.end == kept) {
            Some(fault) => Err(fault),
            None => Ok(self.end > kept),
        }
    }

    /// Give memory back that one long row took.
    pub(crate) fn shrink(&mut self) {
        if self.buffer.len() > 4 * CHUNK_BYTES && self.end - self.start <= CHUNK_BYTES {
            let kept = self.bytes().to_vec();
            self.base += self.start as u64;
            self.clean = self.clean.saturating_sub(self.start);
            (self.start, self.end) = (0, kept.len());
            self.buffer = kept;
        }
    }

    /// Skip a byte order mark at the beginning of the file. Other encodings tell themselves by theirs.
    pub(crate) fn skip_byte_order_mark(&mut self) -> Result<()> {
        while self.bytes().len() < 4 && self.fill()? {}
        match self.bytes() {
            [0xef, 0xbb, 0xbf, ..] => self.consume(3),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                let path = self.stream.path();
                return Err(Error::data(format!("`{path}` is UTF-16: convert it to UTF-8 first")));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the next `count` bytes are UTF-8 without NUL bytes. They must be whole lines or reach to the end.
    #[inline]
    pub(crate) fn check_text(&mut self, count: usize) -> Result<(), Unclean> {
        if self.start + count <= self.clean { Ok(()) } else { self.check_on(self.start + count) }
    }

    /// Look at all that was read, once; where there is a fault in it, only up to that.
    fn check_on(&mut self, until: usize) -> Result<(), Unclean> {
        let from = self.clean.max(self.start);
        let bytes = self.buffer.get(from..self.end).unwrap_or_default();
        let valid = match str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(fault) => fault.valid_up_to(),
        };
        let nul = memchr::memchr(0, bytes.get(..valid).unwrap_or_default());
        let valid = nul.unwrap_or(valid);
        self.clean = from + valid;
        if until <= self.clean {
            return Ok(());
        }
        let place = self.clean - self.start;
        // The next line is looked at by itself again.
        self.clean = until;
        Err(if nul.is_some() { Unclean::Nul(place) } else { Unclean::NotUtf8(place) })
    }
}
