//! One database of sled: one tree, one writer. It says as of which commit it is; of later ones it has a part while they are being
//! applied.

use std::fs::File;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ::sled::{Config, Db, IVec, Mode};

use super::codec::Reader;
use super::durable::Durable;
use super::fence::Fence;
use super::leaf::{self, Slots, Unreadable};
use super::stored::{self, COUNTS_KEY, FORMAT, Head};
use crate::engine::{Entry, KEY_BYTES_MAX, Scan};

/// sled's default. At each opening it reads the last segment twice and writes the rest of it: larger ones make short processes
/// slow (8 MiB: 20 ms of processor time).
pub(super) const SEGMENT_BYTES: usize = 512 << 10;
/// What an answer of a scan has before it ends early.
pub(super) const ANSWER_BYTES: usize = 4 << 20;
/// A database that this process has just closed is unlocked by one of sled's threads, a moment later.
const UNLOCK_WAIT: Duration = Duration::from_secs(5);
/// What sled says when its file is locked; it has no error of its own for that.
const LOCKED: &str = "could not acquire lock";

/// What is in a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// The newest commit.
    pub(super) sequence: u64,
    /// Keys and values in bytes.
    pub(super) live_bytes: u64,
    /// How many there are.
    pub(super) entries: u64,
}

/// What a scan has found.
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    bytes: usize,
    /// There may be more: the answer was long enough.
    pub(super) is_cut: bool,
}

/// One database of sled.
pub(super) struct Database {
    pub(super) number: u64,
    path: PathBuf,
    db: Db,
    /// sled's own `flush` does not sync on Linux, so the file is opened a second time.
    file: File,
    durable: Durable,
}

/// What sled said, or how it panicked.
#[derive(Debug)]
pub(super) struct Fault(pub(super) String);

impl Fault {
    /// It is not broken but open: a snapshot of this process still reads it.
    pub(super) fn is_lock(&self) -> bool {
        self.0.contains(LOCKED)
    }
}

impl From<::sled::Error> for Fault {
    fn from(error: ::sled::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Unreadable> for Fault {
    fn from(_: Unreadable) -> Self {
        Self("an entry has a form that is not known".to_owned())
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// sled answers broken files with panics; they end here. It must not be used for writing after one.
fn guarded<T>(run: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Fault(text.unwrap_or("it panicked").to_owned()))
    })
}

impl Database {
    /// Opens a database, or makes an empty one.
    pub(super) fn open(path: &Path, number: u64, cache_bytes: u64) -> Result<Self, Fault> {
        guarded(|| {
            let config = Config::new()
                .path(path)
                .segment_size(SEGMENT_BYTES)
                .cache_capacity(cache_bytes)
                .mode(Mode::LowSpace)
                .flush_every_ms(None);
            let asked = Instant::now();
            let db = loop {
                match config.open() {
                    Err(::sled::Error::Io(error))
                        if error.to_string().contains(LOCKED) && asked.elapsed() < UNLOCK_WAIT =>
                    {
                        thread::sleep(Duration::from_millis(2));
                    }
                    opened => break opened?,
                }
            };
            let (file, durable) = (File::open(path.join("db"))?, Durable::open(path)?);
            Ok(Self { number, path: path.to_owned(), db, file, durable })
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn counts(&self) -> Result<Counts, Fault> {
        guarded(|| {
            let Some(bytes) = self.db.get(COUNTS_KEY)? else { return Ok(Counts::default()) };
            let mut reader = Reader::new(&bytes);
            let mut read = || {
                let [_format] = reader.array().filter(|format| *format == [FORMAT])?;
                let sequence = u64::from_be_bytes(reader.array()?);
                let live_bytes = u64::from_be_bytes(reader.array()?);
                let entries = u64::from_be_bytes(reader.array()?);
                reader.is_empty().then_some(Counts { sequence, live_bytes, entries })
            };
            read().ok_or_else(|| Fault("its counts are broken, or of a format that is not ours".to_owned()))
        })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        if key.len() > KEY_BYTES_MAX {
            return Ok(None);
        }
        guarded(|| self.read(key))
    }

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let mut before = None;
        loop {
            let Some((_, leaf)) = self.leaf_of(key)? else { return Ok(None) };
            let Some(found) = leaf::find(&leaf, key)? else { return Ok(None) };
            let (sequence, parts) = match found.head {
                Head::Short(value) => return Ok(Some(value.to_vec())),
                Head::Long { sequence, parts, .. } => (sequence, parts),
            };
            if let Some(value) = self.read_parts(key, sequence, parts)? {
                return Ok(Some(value));
            }
            // The same head again: nobody has overwritten the value meanwhile, so its parts are really missing.
            if before == Some(sequence) {
                return Err(Fault(format!("a part of a value of commit {sequence} is missing")));
            }
            before = Some(sequence);
        }
    }

    /// The leaf that has the entry of a key if there is one, behind where it lies. sled looks for it in one step, in which no
    /// leaf is cut: that is done in one step too.
    fn leaf_of(&self, key: &[u8]) -> Result<Option<(IVec, IVec)>, Fault> {
        let up_to_it = stored::leaf_key(&[])..=stored::leaf_key(key);
        Ok(self.db.range(up_to_it).next_back().transpose()?)
    }

    /// None: the value was overwritten or deleted meanwhile.
    fn read_parts(&self, key: &[u8], sequence: u64, parts: u8) -> Result<Option<Vec<u8>>, Fault> {
        let mut value = Vec::new();
        for number in 0..parts {
            let found = self.db.get(stored::part_key(key, number))?;
            match found.as_deref().and_then(|found| stored::part(found, sequence)) {
                Some(part) => value.extend_from_slice(part),
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    pub(super) fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        self.scan_until(scan, None).map(|page| page.entries)
    }

    /// A scan that goes no further than this key.
    pub(super) fn scan_until(&self, scan: &Scan, until: Option<&[u8]>) -> Result<Page, Fault> {
        let mut start = match &scan.after {
            Some(after) if *after >= scan.prefix => Bound::Excluded(after.clone()),
            _ => Bound::Included(scan.prefix.clone()),
        };
        guarded(|| {
            let mut page = Page { entries: Vec::new(), bytes: 0, is_cut: false };
            for found in self.leaves_from(&start)? {
                let (_, leaf) = found?;
                for slot in Slots::of(&leaf) {
                    let slot = slot?;
                    // Of a leaf that is cut meanwhile what was moved is found twice.
                    if !RangeBounds::<[u8]>::contains(
                        &(start.as_ref().map(Vec::as_slice), Bound::Unbounded),
                        slot.key,
                    ) {
                        continue;
                    }
                    if !slot.key.starts_with(&scan.prefix) || until.is_some_and(|until| slot.key > until) {
                        return Ok(page);
                    }
                    if page.entries.len() >= scan.limit || page.bytes >= ANSWER_BYTES {
                        page.is_cut = true;
                        return Ok(page);
                    }
                    let value = match slot.head {
                        Head::Short(value) => Some(value.to_vec()),
                        Head::Long { .. } => self.read(slot.key)?,
                    };
                    start = Bound::Excluded(slot.key.to_vec());
                    // One that was deleted since the head was found is not there.
                    let Some(value) = value else { continue };
                    page.bytes += slot.key.len() + value.len();
                    page.entries.push((slot.key.to_vec(), value));
                }
            }
            Ok(page)
        })
    }

    /// The leaves from the one on that has the first key behind this bound.
    fn leaves_from(&self, start: &Bound<Vec<u8>>) -> Result<::sled::Iter, Fault> {
        let key = match start {
            Bound::Included(key) | Bound::Excluded(key) => key.as_slice(),
            Bound::Unbounded => &[],
        };
        let first = self.leaf_of(key)?.map_or_else(|| IVec::from(stored::leaf_key(&[])), |(at, _)| at);
        Ok(self.db.range(first..IVec::from(&stored::parts_start())))
    }

    /// How far sled has written its log. Rises with whatever it writes, also when it only moves pages.
    fn written(&self) -> i64 {
        self.db.context.pagecache.log.stable_offset()
    }

    /// Makes everything that was applied durable. Only the thread that applies may call it.
    pub(super) fn sync(&self, fence: &mut Fence) -> Result<(), Fault> {
        guarded(|| {
            self.flush()?;
            // What sled calls stable is the last byte that it has written.
            let log_end = self.written().saturating_add(1);
            self.file.sync_data()?;
            self.durable.note(log_end)?;
            fence.lower();
            Ok(())
        })
    }

    /// Lets sled write what it has in memory. That is no sync.
    pub(super) fn flush(&self) -> Result<(), Fault> {
        self.db.flush()?;
        Ok(())
    }

    /// Syncs when so much was written since the last time that it is time for it.
    pub(super) fn sync_when_due(&self, fence: &mut Fence) -> Result<(), Fault> {
        if fence.is_due(self.written()) { self.sync(fence) } else { Ok(()) }
    }

    /// Whether it is time for a sync by what was written.
    pub(super) fn is_sync_due(&self, fence: &Fence) -> bool {
        fence.is_due(self.written())
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |found| found.len())
    }

    /// Reads every entry, so that every page in use is checked, looks whether each is where it is looked for, and counts.
    pub(super) fn verify(&self) -> Result<(), Fault> {
        let counts = self.counts()?;
        let mut found = Counts { sequence: counts.sequence, ..Counts::default() };
        let mut parts = 0;
        let mut last: Option<Vec<u8>> = None;
        guarded(|| {
            for leaf in self.leaves_from(&Bound::Unbounded)? {
                let (at, leaf) = leaf?;
                let bound = stored::bound_of(&at);
                let mut is_ordered = last.as_ref().is_none_or(|last| last.as_slice() < bound);
                for slot in Slots::of(&leaf) {
                    let slot = slot?;
                    let is_behind = last.as_ref().is_none_or(|last| last.as_slice() < slot.key);
                    is_ordered &= slot.key >= bound && is_behind;
                    last = Some(slot.key.to_vec());
                    found.entries += 1;
                    found.live_bytes += size(slot.key, slot.head.value_bytes());
                    parts += u64::from(slot.head.parts());
                }
                if !is_ordered {
                    return Err(Fault("an entry is in the place of another".to_owned()));
                }
            }
            for part in self.db.range(stored::parts_start().to_vec()..) {
                part?;
                parts = parts.wrapping_sub(1);
            }
            Ok(())
        })?;
        if found != counts {
            return Err(Fault(format!(
                "it has {} entries and should have {}",
                found.entries, counts.entries
            )));
        }
        if parts == 0 { Ok(()) } else { Err(Fault("the parts of its values are not complete".to_owned())) }
    }

    /// Closes the database. sled panics when it cannot write any more; by then nothing depends on it.
    pub(super) fn close(self) -> Result<(), Fault> {
        guarded(|| {
            drop(self);
            Ok(())
        })
    }
}

fn size(key: &[u8], value_bytes: u64) -> u64 {
    u64::try_from(key.len()).unwrap_or(u64::MAX).saturating_add(value_bytes)
}

mod apply;
#[cfg(test)]
mod tests;
