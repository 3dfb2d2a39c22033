//! Tells whether the beginning of a file is still what it was.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use cofferdam_sdk::Result;
use serde::{Deserialize, Serialize};

use super::explain;

/// Bytes looked at, at the beginning and before the end.
const SAMPLE_BYTES: u64 = 4096;

/// Sums over the first and the last bytes of the first `length` bytes of a file. Time and size tell most changes; this
/// tells a file that grew from one that was written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) length: u64,
    head: u32,
    tail: u32,
}

impl Fingerprint {
    pub(crate) fn of(path: &str, length: u64) -> Result<Self> {
        let failed = |fault| explain("reading", path, fault);
        let mut file = File::open(path).map_err(failed)?;
        let sample = length.min(SAMPLE_BYTES);
        let head = sum(&mut file, 0, sample).map_err(failed)?;
        let tail =
            if length > sample { sum(&mut file, length - sample, sample).map_err(failed)? } else { head };
        Ok(Self { length, head, tail })
    }

    /// Whether the file still begins with these bytes.
    pub(crate) fn still_holds(&self, path: &str) -> Result<bool> {
        Ok(Self::of(path, self.length)? == *self)
    }
}

fn sum(file: &mut File, start: u64, length: u64) -> std::io::Result<u32> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(crc32fast::hash(&bytes))
}
