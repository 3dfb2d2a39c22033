//! A hidden text file that is being written.

use std::io::{self, Read, Write};

use cofferdam_sdk::Result;
use flate2::{Compression, write::GzEncoder};

use super::{disk::Disk, files::Directory};

/// Bytes that are written at once.
const WRITE_BYTES: usize = 256 << 10;

/// Text that is being written, packed or not.
pub(crate) struct Part<F: Write> {
    pub(crate) name: String,
    /// Rows as text, not yet written.
    pub(crate) buffer: Vec<u8>,
    sink: Sink<F>,
    gzip: bool,
    /// Whether the file holds anything before what is in the buffer.
    has_content: bool,
}

enum Sink<F: Write> {
    Plain(Counted<F>),
    Gzip(Box<GzEncoder<Counted<F>>>),
    /// Only while one is turned into the other.
    Nothing,
}

/// A file and how many bytes were written to it.
pub(super) struct Counted<F> {
    pub(super) file: F,
    pub(super) bytes: u64,
}

impl<F: Write> Write for Counted<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<F: Write> Part<F> {
    pub(crate) fn create<D: Disk<File = F>>(
        directory: &Directory<D>,
        name: String,
        gzip: bool,
    ) -> Result<Self> {
        let file = Counted { file: directory.create(&name)?, bytes: 0 };
        Ok(Self { name, buffer: Vec::new(), sink: Sink::Plain(file), gzip, has_content: false })
    }

    /// Begin with the first bytes of another file, as they are.
    pub(crate) fn copy_from<D: Disk<File = F>>(
        &mut self,
        directory: &Directory<D>,
        name: &str,
        bytes: u64,
    ) -> Result<()> {
        let source = directory.disk.open(name).map_err(|fault| directory.explain("reading", name, fault))?;
        let Sink::Plain(file) = &mut self.sink else { return Ok(()) };
        let copied = io::copy(&mut source.take(bytes), file);
        let copied = copied.map_err(|fault| directory.explain("writing", &self.name, fault))?;
        self.has_content |= copied > 0;
        Ok(())
    }

    pub(crate) fn has_content(&self) -> bool {
        self.has_content || !self.buffer.is_empty()
    }

    /// Write the buffer once it is worth it.
    pub(crate) fn drain<D: Disk<File = F>>(&mut self, directory: &Directory<D>) -> Result<()> {
        if self.buffer.len() < WRITE_BYTES { Ok(()) } else { self.write_buffer(directory) }
    }

    fn write_buffer<D: Disk<File = F>>(&mut self, directory: &Directory<D>) -> Result<()> {
        let failed = |fault| directory.explain("writing", &self.name, fault);
        if self.buffer.is_empty() {
            return Ok(());
        }
        if self.gzip {
            self.sink = match std::mem::replace(&mut self.sink, Sink::Nothing) {
                Sink::Plain(file) => Sink::Gzip(Box::new(GzEncoder::new(file, Compression::default()))),
                sink => sink,
            };
        }
        let written = match &mut self.sink {
            Sink::Plain(file) => file.write_all(&self.buffer),
            Sink::Gzip(encoder) => encoder.write_all(&self.buffer),
            Sink::Nothing => Ok(()),
        };
        written.map_err(failed)?;
        self.buffer.clear();
        self.has_content = true;
        Ok(())
    }

    /// Everything written so far outlives the machine's power; more may follow, packed data as a member of its own.
    /// Returns how many bytes the file has now.
    pub(crate) fn settle<D: Disk<File = F>>(&mut self, directory: &Directory<D>) -> Result<u64> {
        self.write_buffer(directory)?;
        let failed = |fault| directory.explain("writing", &self.name, fault);
        let file = match std::mem::replace(&mut self.sink, Sink::Nothing) {
            Sink::Gzip(encoder) => Some(encoder.finish().map_err(failed)?),
            Sink::Plain(file) => Some(file),
            Sink::Nothing => None,
        };
        let Some(mut file) = file else { return Ok(0) };
        file.flush().map_err(failed)?;
        directory.sync_file(&self.name, &file.file)?;
        let bytes = file.bytes;
        self.sink = Sink::Plain(file);
        Ok(bytes)
    }
}
