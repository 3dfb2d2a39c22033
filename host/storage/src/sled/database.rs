//! One database of sled: one tree, one writer. What is in it is always the state at one sequence.
//!
//! Keys of the engine lie behind the byte 1. The byte 0 alone is the key of [`Counts`], written in the same batch as the
//! changes that it counts: so a database says itself which commits are in it, whatever a power cut left of it.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ::sled::{Batch, Config, Db, IVec, Mode};

use super::codec::Reader;
use crate::engine::{Entry, KEY_BYTES_MAX, Scan};

/// sled overwrites a segment when what replaced it is written, synced or not. It does so two segments later at the earliest, so
/// whoever syncs once a segment never has it overwrite the only durable copy. Large, because pages over a quarter of it go to
/// files of their own, which sled does not sync: 17 entries of a page are at most 1.1 MiB.
pub(super) const SEGMENT_BYTES: usize = 8 << 20;
/// What an answer of a scan has before it ends early.
const ANSWER_BYTES: usize = 4 << 20;
/// A database that this process has just closed is unlocked by one of sled's threads, a moment later.
const UNLOCK_WAIT: Duration = Duration::from_secs(5);
/// What sled says when its file is locked; it has no error of its own for that.
const LOCKED: &str = "could not acquire lock";
const COUNTS_KEY: &[u8] = &[0];
const SPACE: u8 = 1;

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

/// A key and what it gets; none: it is deleted.
pub(super) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// One database of sled.
pub(super) struct Database {
    pub(super) number: u64,
    path: PathBuf,
    db: Db,
    /// sled's own `flush` does not sync on Linux, so the file is opened a second time.
    file: File,
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
            Ok(Self { number, path: path.to_owned(), db, file: File::open(path.join("db"))? })
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

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, Fault> {
        if key.len() > KEY_BYTES_MAX {
            return Ok(None);
        }
        guarded(|| Ok(self.db.get(inner(key))?))
    }

    pub(super) fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        let start = match &scan.after {
            Some(after) if *after >= scan.prefix => Bound::Excluded(inner(after)),
            _ => Bound::Included(inner(&scan.prefix)),
        };
        guarded(|| {
            let mut bytes = 0;
            let mut entries = Vec::new();
            if scan.limit == 0 {
                return Ok(entries);
            }
            for found in self.db.range((start, Bound::Unbounded)) {
                let (key, value) = found?;
                let key = key.get(1..).unwrap_or_default();
                if !key.starts_with(&scan.prefix) {
                    break;
                }
                bytes += key.len() + value.len();
                entries.push((key.to_vec(), value.to_vec()));
                if entries.len() >= scan.limit || bytes >= ANSWER_BYTES {
                    break;
                }
            }
            Ok(entries)
        })
    }

    /// Makes changes of different keys visible at once, as of this sequence. Answers with what is in the database then.
    pub(super) fn apply<'a>(
        &self,
        sequence: u64,
        before: Counts,
        changes: impl Iterator<Item = Change<'a>>,
    ) -> Result<Counts, Fault> {
        guarded(|| {
            let mut counts = Counts { sequence, ..before };
            let mut batch = Batch::default();
            for (key, value) in changes {
                let stored = inner(key);
                if let Some(old) = self.db.get(&stored)? {
                    counts.live_bytes = counts.live_bytes.saturating_sub(size(key, &old));
                    counts.entries = counts.entries.saturating_sub(1);
                }
                if let Some(value) = value {
                    counts.live_bytes += size(key, value);
                    counts.entries += 1;
                    batch.insert(stored, value);
                } else {
                    batch.remove(stored);
                }
            }
            let numbers = [counts.sequence, counts.live_bytes, counts.entries];
            batch.insert(COUNTS_KEY, numbers.map(u64::to_be_bytes).concat());
            self.db.apply_batch(batch)?;
            Ok(counts)
        })
    }

    /// How far sled has written its log. Rises with whatever it writes, also when it only moves pages.
    pub(super) fn written(&self) -> i64 {
        self.db.context.pagecache.log.stable_offset()
    }

    /// Makes everything that was applied before the call durable.
    pub(super) fn sync(&self) -> Result<(), Fault> {
        guarded(|| {
            self.db.flush()?;
            Ok(self.file.sync_data()?)
        })
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |found| found.len())
    }

    /// Reads every entry, so that every page in use is checked. Answers with what was found.
    pub(super) fn verify(&self) -> Result<Counts, Fault> {
        let counts = self.counts()?;
        let mut found = Counts { sequence: counts.sequence, ..Counts::default() };
        guarded(|| {
            for entry in self.db.range([SPACE].as_slice()..) {
                let (key, value) = entry?;
                found.entries += 1;
                found.live_bytes += size(key.get(1..).unwrap_or_default(), &value);
            }
            Ok(())
        })?;
        if found == counts {
            Ok(found)
        } else {
            Err(Fault(format!("it has {} entries and should have {}", found.entries, counts.entries)))
        }
    }

    /// Closes the database. sled panics when it cannot write any more; by then nothing depends on it.
    pub(super) fn close(self) -> Result<(), Fault> {
        guarded(|| {
            drop(self);
            Ok(())
        })
    }
}

fn inner(key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + key.len());
    bytes.push(SPACE);
    bytes.extend_from_slice(key);
    bytes
}

fn size(key: &[u8], value: &[u8]) -> u64 {
    u64::try_from(key.len() + value.len()).unwrap_or(u64::MAX)
}
