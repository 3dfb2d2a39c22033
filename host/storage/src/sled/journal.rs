//! Appends to the commit journal: one write and one sync for each group of commits.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Disk;
use super::error::OpenError;
use super::frame::{self, FRAME_HEADER_BYTES, Kind, Mac, SEGMENT_HEADER_BYTES, SegmentHeader};
use super::segment::{self, End};

/// A segment that is longer is ended: small enough that reading one is quick, large enough that few are made.
const SEGMENT_BYTES_MAX: usize = 16 << 20;
/// At opening the last segment is read whole: one that is longer is ended then, so that short processes stay quick.
const SEGMENT_BYTES_REOPENED_MAX: usize = 1 << 20;
/// Zeros are written ahead, so that a sync need not write a new length: in steps as large as what is there, from 64 KiB for a
/// short process to 1 MiB. Measured on ext4 in a virtual machine: 5 to 25 % less time for a sync.
const ROOM_BYTES: (usize, usize) = (64 << 10, 1 << 20);
/// Below this nothing is written any more where a data directory is: the database behind the journal needs room for its own log, 16 MiB between two syncs
/// and what is still to come of commits that were acknowledged.
pub const FREE_BYTES_MIN: u64 = 48 << 20;

/// The segment that is appended to.
pub(super) struct Journal {
    directory: PathBuf,
    key: Mac,
    disk: Arc<dyn Disk>,
    file: File,
    number: u64,
    chain: Mac,
    next: u64,
    offset: usize,
    length: usize,
    buffer: Vec<u8>,
}

/// Why nothing was appended.
#[derive(Debug)]
pub(super) enum AppendError {
    /// Nothing was changed, and the next append may succeed.
    Refused(io::Error),
    /// What is on disk is unknown.
    Broken(io::Error),
}

/// Where a journal lies, and under which key.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) key: Mac,
    pub(super) disk: Arc<dyn Disk>,
}

impl Place {
    pub(super) fn path(&self, number: u64) -> PathBuf {
        self.directory.join(segment::name(number))
    }

    /// What its segments take. One that goes meanwhile takes nothing.
    pub(super) fn bytes(&self) -> u64 {
        let Ok(entries) = fs::read_dir(&self.directory) else { return 0 };
        entries.filter_map(|entry| entry.ok()?.metadata().ok()).map(|found| found.len()).sum()
    }

    /// Makes a segment that is whole at once, or not there. Answers with its open file.
    pub(super) fn create(&self, header: &SegmentHeader) -> io::Result<File> {
        let path = self.path(header.number);
        let temporary = path.with_extension("new");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&temporary)?;
        self.disk.write(&file, &header.encode(&self.key), 0)?;
        self.disk.sync(&file)?;
        fs::rename(&temporary, &path)?;
        self.disk.sync_directory(&self.directory)?;
        Ok(file)
    }
}

impl Journal {
    /// Goes on behind the end of the last segment; what was torn there is cut off.
    pub(super) fn resume(place: &Place, number: u64, end: &End) -> Result<Self, OpenError> {
        let path = place.path(number);
        let file =
            OpenOptions::new().read(true).write(true).open(&path).map_err(OpenError::file("open", &path))?;
        let mut journal = Self {
            directory: place.directory.clone(),
            key: place.key,
            disk: Arc::clone(&place.disk),
            file,
            number,
            chain: end.chain,
            next: end.next,
            offset: end.offset,
            length: end.length,
            buffer: Vec::new(),
        };
        if end.tail == segment::Tail::Torn {
            journal.cut().map_err(OpenError::file("cut the end of", &path))?;
            journal.disk.sync(&journal.file).map_err(OpenError::file("sync", &path))?;
        }
        if end.offset > SEGMENT_BYTES_REOPENED_MAX {
            journal.roll().map_err(|error| OpenError::file("extend", &path)(error.into_source()))?;
        }
        Ok(journal)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The sequence that the next batch gets.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Refuses when the disk is nearly full.
    pub(super) fn check_room(&self) -> Result<(), AppendError> {
        let free = self.disk.free_bytes(&self.directory).map_err(AppendError::Refused)?;
        if free < FREE_BYTES_MIN {
            Err(AppendError::Refused(io::ErrorKind::StorageFull.into()))
        } else {
            Ok(())
        }
    }

    /// Appends batches as one frame and syncs. A new segment is begun first when this one is long enough.
    pub(super) fn append(
        &mut self,
        batches: u32,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), AppendError> {
        self.check_room()?;
        if self.offset > SEGMENT_BYTES_MAX {
            self.roll()?;
        }
        let first = self.next;
        self.write(Kind::Batches, batches, first, encode)?;
        self.next = first.saturating_add(u64::from(batches));
        Ok(())
    }

    /// Notes an event and syncs.
    pub(super) fn note(&mut self, kind: Kind) -> Result<(), AppendError> {
        let last = self.next.saturating_sub(1);
        self.write(kind, 0, last, |_| ())
    }

    fn write(
        &mut self,
        kind: Kind,
        batches: u32,
        first: u64,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), AppendError> {
        self.buffer.clear();
        self.buffer.resize(FRAME_HEADER_BYTES, 0);
        encode(&mut self.buffer);
        let says = (kind, batches, first);
        let chain = frame::seal(&mut self.buffer, says, &self.key, self.number, &self.chain);
        let end = self.offset + self.buffer.len();
        if end > self.length {
            let (least, most) = ROOM_BYTES;
            let room = self.offset.clamp(least, most);
            self.buffer.resize(self.buffer.len() + room, 0);
        }
        let offset = u64::try_from(self.offset).unwrap_or(u64::MAX);
        if let Err(error) = self.disk.write(&self.file, &self.buffer, offset) {
            return Err(match self.cut() {
                Ok(()) => AppendError::Refused(error),
                Err(_) => AppendError::Broken(error),
            });
        }
        self.length = self.length.max(self.offset + self.buffer.len());
        self.disk.sync(&self.file).map_err(AppendError::Broken)?;
        self.offset = end;
        self.chain = chain;
        Ok(())
    }

    /// Ends the segment and begins the next one. The next is durable before this one says that it is there.
    fn roll(&mut self) -> Result<(), AppendError> {
        let place = Place { directory: self.directory.clone(), key: self.key, disk: Arc::clone(&self.disk) };
        let number = self.number.saturating_add(1);
        let header = SegmentHeader { number, first: self.next, chain: self.chain };
        // When there is no room nothing is lost: the same is tried again before anything else is appended.
        let file = place.create(&header).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => AppendError::Refused(error),
            _ => AppendError::Broken(error),
        })?;
        let chain = self.chain;
        self.note(Kind::Ended)?;
        self.cut().map_err(AppendError::Broken)?;
        self.file = file;
        self.number = number;
        self.chain = chain;
        self.offset = SEGMENT_HEADER_BYTES;
        self.length = SEGMENT_HEADER_BYTES;
        Ok(())
    }

    /// Takes away what is behind the last frame.
    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(u64::try_from(self.offset).unwrap_or(u64::MAX))?;
        self.length = self.offset;
        Ok(())
    }
}

impl AppendError {
    pub(super) fn into_source(self) -> io::Error {
        match self {
            Self::Refused(source) | Self::Broken(source) => source,
        }
    }
}

/// Removes a segment; one that is not there is fine.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
