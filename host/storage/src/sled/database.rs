//! One database of sled: one tree, one writer. It says as of which commit it is; of later ones it has a part while they are being
//! applied.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ::sled::{Batch, Config, Db, Mode};

use super::codec::Reader;
use super::durable::Durable;
use super::fence::Fence;
use super::stored::{self, COUNTS_KEY, Head};
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

/// A key and what it gets; none: it is deleted.
pub(super) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

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
                let sequence = u64::from_be_bytes(reader.array()?);
                let live_bytes = u64::from_be_bytes(reader.array()?);
                Some(Counts { sequence, live_bytes, entries: u64::from_be_bytes(reader.array()?) })
            };
            read().ok_or_else(|| Fault("its counts are broken".to_owned()))
        })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        if key.len() > KEY_BYTES_MAX {
            return Ok(None);
        }
        guarded(|| self.read(key))
    }

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let head_key = stored::head_key(key);
        let mut before = None;
        loop {
            let Some(head) = self.db.get(&head_key)? else { return Ok(None) };
            let (sequence, parts) = match decode(&head)? {
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
        let start = match &scan.after {
            Some(after) if *after >= scan.prefix => Bound::Excluded(stored::head_key(after)),
            _ => Bound::Included(stored::head_key(&scan.prefix)),
        };
        let end = match until {
            Some(until) => Bound::Included(stored::head_key(until)),
            None => Bound::Excluded(stored::parts_start().to_vec()),
        };
        guarded(|| {
            let mut page = Page { entries: Vec::new(), bytes: 0, is_cut: false };
            for found in self.db.range((start, end)) {
                if page.entries.len() >= scan.limit || page.bytes >= ANSWER_BYTES {
                    page.is_cut = true;
                    break;
                }
                let (head_key, head) = found?;
                let key = stored::key_of(&head_key);
                if !key.starts_with(&scan.prefix) {
                    break;
                }
                let value = match decode(&head)? {
                    Head::Short(value) => Some(value.to_vec()),
                    Head::Long { .. } => self.read(key)?,
                };
                // One that was deleted since the head was found is not there.
                let Some(value) = value else { continue };
                page.bytes += key.len() + value.len();
                page.entries.push((key.to_vec(), value));
            }
            Ok(page)
        })
    }

    /// Makes changes of different keys true, one after the other, and then says that it is as of this commit. Whoever reads
    /// meanwhile finds some of them: readers look into the overlay before. What a crash leaves is what was there at the last
    /// sync, of which none is in between. Answers with what is in the database then.
    pub(super) fn apply<'a>(
        &self,
        fence: &mut Fence,
        sequence: u64,
        before: Counts,
        changes: impl Iterator<Item = Change<'a>>,
    ) -> Result<Counts, Fault> {
        guarded(|| {
            fence.raise(self.written());
            let mut counts = Counts { sequence, ..before };
            for (key, value) in changes {
                self.change(&mut counts, key, value)?;
            }
            let numbers = [counts.sequence, counts.live_bytes, counts.entries];
            self.db.insert(COUNTS_KEY, numbers.map(u64::to_be_bytes).concat())?;
            Ok(counts)
        })
    }

    /// sled looks a key up to change it, and answers with what was there: only values in parts need more than that.
    fn change(&self, counts: &mut Counts, key: &[u8], value: Option<&[u8]>) -> Result<(), Fault> {
        let head_key = stored::head_key(key);
        let mut new_parts = 0;
        let old = match value.map(|value| stored::encode(counts.sequence, value)) {
            None => self.db.remove(head_key)?,
            Some((head, parts)) if parts.is_empty() => self.db.insert(head_key, head)?,
            Some((head, parts)) => {
                let old = self.db.get(&head_key)?;
                // At once, or a reader might find this head, and never its parts.
                let mut batch = Batch::default();
                batch.insert(head_key, head);
                for part in parts {
                    batch.insert(stored::part_key(key, new_parts), part);
                    new_parts += 1;
                }
                self.db.apply_batch(batch)?;
                old
            }
        };
        if let Some(value) = value {
            counts.live_bytes += size(key, u64::try_from(value.len()).unwrap_or(u64::MAX));
            counts.entries += 1;
        }
        let Some(old) = old else { return Ok(()) };
        let old = decode(&old)?;
        counts.live_bytes = counts.live_bytes.saturating_sub(size(key, old.value_bytes()));
        counts.entries = counts.entries.saturating_sub(1);
        for number in new_parts..old.parts() {
            self.db.remove(stored::part_key(key, number))?;
        }
        Ok(())
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

    /// Reads every entry, so that every page in use is checked, and counts.
    pub(super) fn verify(&self) -> Result<(), Fault> {
        let counts = self.counts()?;
        let mut found = Counts { sequence: counts.sequence, ..Counts::default() };
        let mut parts = 0;
        guarded(|| {
            for entry in self.db.range(stored::head_key(&[])..stored::parts_start().to_vec()) {
                let (head_key, head) = entry?;
                let head = decode(&head)?;
                found.entries += 1;
                found.live_bytes += size(stored::key_of(&head_key), head.value_bytes());
                parts += u64::from(head.parts());
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

fn decode(head: &[u8]) -> Result<Head<'_>, Fault> {
    Head::decode(head).ok_or_else(|| Fault("an entry has a form that is not known".to_owned()))
}

fn size(key: &[u8], value_bytes: u64) -> u64 {
    u64::try_from(key.len()).unwrap_or(u64::MAX).saturating_add(value_bytes)
}

#[cfg(test)]
mod tests;
