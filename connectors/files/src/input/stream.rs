//! The bytes of one file as it was when it was opened, unpacked.

use std::{
    fs::{self, File},
    io::{BufReader, ErrorKind, Read, Seek, SeekFrom},
};

use cofferdam_sdk::{Error, Result};
use flate2::bufread::MultiGzDecoder;

use super::{explain, find::modified};

const READ_BYTES: usize = 64 << 10;

/// Size and time of a file at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) size: u64,
    pub(crate) modified: u64,
}

impl Snapshot {
    pub(crate) fn of(path: &str) -> Result<Self> {
        let found = fs::metadata(path).map_err(|fault| explain("looking at", path, fault))?;
        Ok(Self { size: found.len(), modified: modified(&found) })
    }

    /// An error if the file is no longer the one that was opened. A growing one may have become longer.
    pub(crate) fn verify(&self, path: &str, growing: bool) -> Result<()> {
        let now = match fs::metadata(path) {
            Ok(found) => Self { size: found.len(), modified: modified(&found) },
            Err(fault) if fault.kind() == ErrorKind::NotFound => {
                return Err(Error::transient(format!("`{path}` was removed while it was read")));
            }
            Err(fault) => return Err(explain("looking at", path, fault)),
        };
        if now == *self || (growing && now.size >= self.size) {
            return Ok(());
        }
        Err(self.changed(path, now.size))
    }

    fn changed(&self, path: &str, size: u64) -> Error {
        let change = if size == self.size {
            "its time is another one".to_owned()
        } else {
            format!("{} bytes at first, {size} now", self.size)
        };
        Error::transient(format!(
            "`{path}` changed while it was read ({change}): it is read on from the last checkpoint"
        ))
    }
}

/// The bytes of one file. Bytes that were added after it was opened are not read.
pub(crate) struct ByteStream {
    path: String,
    snapshot: Snapshot,
    source: Source,
    /// Unpacked bytes that were read so far.
    offset: u64,
}

enum Source {
    Plain(Counted),
    Gzip(Box<MultiGzDecoder<BufReader<Counted>>>),
}

/// Reads a file up to the size that it had when it was opened, and counts.
struct Counted {
    file: File,
    read: u64,
    size: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.size - self.read).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let count = self.file.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        self.read += count as u64;
        Ok(count)
    }
}

impl ByteStream {
    pub(crate) fn open(path: &str, gzip: bool) -> Result<Self> {
        let snapshot = Snapshot::of(path)?;
        let file = File::open(path).map_err(|fault| explain("opening", path, fault))?;
        let counted = Counted { file, read: 0, size: snapshot.size };
        let source = if gzip {
            Source::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, counted))))
        } else {
            Source::Plain(counted)
        };
        Ok(Self { path: path.to_owned(), snapshot, source, offset: 0 })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.snapshot
    }

    /// Bytes of the file itself that were read so far.
    pub(crate) fn raw_offset(&self) -> u64 {
        match &self.source {
            Source::Plain(counted) => counted.read,
            Source::Gzip(decoder) => decoder.get_ref().get_ref().read,
        }
    }

    /// Read some bytes; 0 is the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = match &mut self.source {
            Source::Plain(counted) => counted.read(buffer),
            // An empty file is no gzip, and an empty one all the same.
            Source::Gzip(_) if self.snapshot.size == 0 => Ok(0),
            Source::Gzip(decoder) => decoder.read(buffer),
        };
        match read {
            Ok(0) if !buffer.is_empty() && self.raw_offset() < self.snapshot.size => Err(self.cut()),
            Ok(count) => {
                self.offset += count as u64;
                Ok(count)
            }
            Err(fault) => Err(self.unreadable(fault)),
        }
    }

    /// Go on at this offset of the unpacked bytes.
    pub(crate) fn skip_to(&mut self, offset: u64) -> Result<()> {
        if let Source::Plain(counted) = &mut self.source {
            let offset = offset.min(counted.size);
            let sought = counted.file.seek(SeekFrom::Start(offset));
            sought.map_err(|fault| explain("reading", &self.path, fault))?;
            (counted.read, self.offset) = (offset, offset);
            return Ok(());
        }
        if offset < self.offset {
            return Err(Error::bug(format!("`{}` cannot be unpacked backwards", self.path)));
        }
        let mut buffer = vec![0; READ_BYTES];
        while self.offset < offset {
            let wanted = usize::try_from(offset - self.offset).unwrap_or(usize::MAX).min(buffer.len());
            if self.read(buffer.get_mut(..wanted).unwrap_or_default())? == 0 {
                let message = format!("`{}` ends before byte {offset} of its unpacked content", self.path);
                return Err(Error::data(message));
            }
        }
        Ok(())
    }

    /// The file ended before its size.
    fn cut(&self) -> Error {
        self.snapshot.changed(&self.path, self.raw_offset())
    }

    fn unreadable(&self, fault: std::io::Error) -> Error {
        let is_gzip = matches!(self.source, Source::Gzip(_));
        match fault.kind() {
            ErrorKind::UnexpectedEof if self.raw_offset() < self.snapshot.size => self.cut(),
            ErrorKind::UnexpectedEof => {
                let offset = self.offset;
                Error::data(format!(
                    "`{}` is cut off: its gzip data ends after {offset} unpacked bytes",
                    self.path
                ))
            }
            ErrorKind::InvalidInput | ErrorKind::InvalidData if is_gzip => Error::data(format!(
                "`{}` is no sound gzip data after {} unpacked bytes: {fault}",
                self.path, self.offset
            )),
            _ => explain("reading", &self.path, fault),
        }
    }
}
