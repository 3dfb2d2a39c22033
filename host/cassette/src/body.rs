//! Bodies: kept while they pass, in memory while they are short; and told again in the parts in which they came.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;
use crate::files;
use crate::format::Body;
use crate::frames::{Counted, Parts};

/// A body up to this length stands in the exchange's document. Longer ones would hide everything else that stands there.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Nobody reads base64.
const BINARY_BYTES_MAX: usize = 4 << 10;

/// A body that is being kept.
#[derive(Debug)]
pub(crate) struct Spool {
    /// Where it goes if it is long.
    path: PathBuf,
    buffer: Vec<u8>,
    file: Option<File>,
    bytes: u64,
    parts: Counted,
    /// Whether its end was seen.
    pub(crate) ended: bool,
}

impl Spool {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, buffer: Vec::new(), file: None, bytes: 0, parts: Counted::default(), ended: false }
    }

    pub(crate) fn write(&mut self, part: &[u8]) -> Result<(), Error> {
        self.parts.add(part.len() as u64);
        self.bytes += part.len() as u64;
        self.keep(part).map_err(|source| Error::write(&self.path, source))
    }

    fn keep(&mut self, part: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return file.write_all(part);
        }
        self.buffer.extend_from_slice(part);
        if self.buffer.len() > TEXT_BYTES_MAX { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = files::create(&self.path)?;
        file.write_all(&std::mem::take(&mut self.buffer))?;
        self.file = Some(file);
        Ok(())
    }

    /// What stands in the document.
    pub(crate) fn finish(mut self) -> Result<Body, Error> {
        let mut body = Body { cut: !self.ended, ..Body::default() };
        match std::str::from_utf8(&self.buffer) {
            _ if self.file.is_some() => {}
            Ok("") => {}
            Ok(text) => body.text = Some(text.to_owned()),
            Err(_) if self.buffer.len() <= BINARY_BYTES_MAX => {
                body.base64 = Some(STANDARD.encode(&self.buffer))
            }
            Err(_) => self.spill().map_err(|source| Error::write(&self.path, source))?,
        }
        if self.file.is_some() {
            body.file = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
            body.bytes = Some(self.bytes);
        }
        body.parts = self.parts.into_parts();
        Ok(body)
    }
}

/// Where the bytes of a body are.
pub(crate) struct Source {
    pub(crate) bytes: u64,
    pub(crate) reader: Box<dyn Read + Send>,
}

impl Body {
    /// Opens what a document says of a body.
    pub(crate) fn source(&self, document: &Path) -> Result<Source, Error> {
        if let Some(name) = &self.file {
            let path = files::beside(document, name)?;
            let file = File::open(&path).map_err(|source| Error::read(&path, source))?;
            let bytes = file.metadata().map_err(|source| Error::read(&path, source))?.len();
            if let Some(said) = self.bytes
                && said != bytes
            {
                return Err(Error::corrupt(&path, format!("it has {bytes} bytes, and {said} were written")));
            }
            return Ok(Source { bytes, reader: Box::new(file) });
        }
        let content = match (&self.text, &self.base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(base64)) => STANDARD
                .decode(base64)
                .map_err(|error| Error::corrupt(document, format!("a body is no base64: {error}")))?,
            (None, None) => Vec::new(),
        };
        Ok(Source { bytes: content.len() as u64, reader: Box::new(Cursor::new(content)) })
    }
}

/// A body that is told again.
pub struct Playing {
    reader: Box<dyn Read + Send>,
    parts: Parts,
    document: PathBuf,
    /// Whether whoever read it left before its end was seen.
    pub cut: bool,
}

impl Playing {
    pub(crate) fn new(body: &Body, document: &Path) -> Result<Self, Error> {
        let Source { bytes, reader } = body.source(document)?;
        let parts = Parts::new(&body.parts, bytes);
        Ok(Self { reader, parts, document: document.to_owned(), cut: body.cut })
    }

    /// The next part; none at the end.
    ///
    /// # Errors
    /// [`Error::Read`] when the file is not as long as it was when it was opened.
    pub fn part(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(length) = self.parts.next() else { return Ok(None) };
        let mut part = Vec::new();
        let read = self.reader.by_ref().take(length).read_to_end(&mut part);
        read.map_err(|source| Error::read(&self.document, source))?;
        if part.len() as u64 != length {
            return Err(Error::corrupt(&self.document, "a body ends before its end"));
        }
        Ok(Some(part))
    }
}

#[cfg(test)]
mod tests {
    use super::{BINARY_BYTES_MAX, Body, Spool, TEXT_BYTES_MAX};
    use std::io::Read as _;

    /// What the document says of this body, which came whole; and that it is read again as it was.
    fn kept(content: &[u8]) -> Body {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path().join("0001.response"));
        if !content.is_empty() {
            spool.write(content).unwrap();
        }
        spool.ended = true;
        let body = spool.finish().unwrap();
        let mut source = body.source(&folder.path().join("0001.json")).unwrap();
        let mut again = Vec::new();
        source.reader.read_to_end(&mut again).unwrap();
        assert_eq!((source.bytes, again.as_slice()), (content.len() as u64, content));
        body
    }

    #[test]
    fn short_bodies_stand_in_the_document_and_longer_ones_beside_it() {
        assert_eq!(kept(b""), Body::default());
        for (byte, bytes_max) in [(b'x', TEXT_BYTES_MAX), (0xff, BINARY_BYTES_MAX)] {
            let within = kept(&vec![byte; bytes_max]);
            assert_eq!((within.text.is_some(), within.base64.is_some()), (byte == b'x', byte != b'x'));
            assert_eq!((within.file, within.bytes), (None, None));
            let beyond = kept(&vec![byte; bytes_max + 1]);
            assert_eq!((beyond.text, beyond.base64), (None, None));
            assert_eq!(beyond.file.as_deref(), Some("0001.response"));
            assert_eq!(beyond.bytes, Some(bytes_max as u64 + 1));
        }
    }
}
