//! How much of sled's log is durable, and how everything behind it is taken away before sled opens its file.
//!
//! sled believes that what it has written is on the disk, and its segments say so: each names the place in the log up to which
//! everything is "stable". After a power cut a later segment may be there and an earlier one not, in whatever order the kernel
//! wrote them; sled trusts the later one, and reads a log with a hole in it. What it finds then is broken, or worse, not. So each
//! sync notes in a file of its own where the log ended, and opening cuts the log off there. What is lost that way is in the
//! journal. What was durable was not overwritten since: see [`Fence`](super::fence::Fence).
//!
//! ```text
//! block n (4 KiB each, n = 0 or 1)   order u64 | end of the log i64 | CRC-32 of both
//! ```
//! The newer block counts; one that is torn is not there, and was not relied on yet.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::codec::Reader;

const NAME: &str = "durable";
const BLOCK_BYTES: u64 = 4096;
const NOTE_BYTES: usize = 20;
/// sled: `crc u32 | place in the log, of this segment, every bit of its 63 inverted i64 | the same of what is stable i64`.
const SEGMENT_HEADER_BYTES: usize = 20;

/// The file of one database.
pub(super) struct Durable {
    file: File,
    /// Of the newest note.
    order: AtomicU64,
}

impl Durable {
    /// The file in the directory of a database, which is made when it is missing.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(directory.join(NAME))?;
        let order = newest(&file)?.map_or(0, |(order, _)| order);
        Ok(Self { file, order: order.into() })
    }

    /// Notes, durably, that the log is durable up to here. To be called after the sync and before anything is overwritten.
    pub(super) fn note(&self, log_end: i64) -> io::Result<()> {
        let order = self.order.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let mut note = [order.to_le_bytes(), log_end.to_le_bytes()].concat();
        note.extend_from_slice(&crc32fast::hash(&note).to_le_bytes());
        self.file.write_all_at(&note, order % 2 * BLOCK_BYTES)?;
        self.file.sync_data()
    }
}

/// Cuts the log of a database off behind what is durable. Nobody has the database open. The log needs no sync: as long as
/// nothing is noted after it, the next opening does the same again.
pub(super) fn cut(directory: &Path, segment_bytes: usize) -> io::Result<()> {
    let noted = match File::open(directory.join(NAME)) {
        Ok(file) => newest(&file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let (Some((_, log_end)), Ok(segment)) = (noted, i64::try_from(segment_bytes)) else { return Ok(()) };
    forget_snapshots(directory, log_end)?;
    let file = OpenOptions::new().read(true).write(true).open(directory.join("db"))?;
    let length = file.metadata()?.len();
    for offset in (0..length).step_by(segment_bytes) {
        let Some(start) = log_place(&file, offset)?.filter(|start| start % segment == 0) else { continue };
        let kept = log_end.saturating_sub(start).clamp(0, segment);
        let from = offset.saturating_add(u64::try_from(kept).unwrap_or_default());
        let until = offset.saturating_add(u64::try_from(segment_bytes).unwrap_or_default()).min(length);
        if kept == 0 {
            file.write_all_at(&[0; SEGMENT_HEADER_BYTES], offset)?;
        } else if from < until {
            let zeros = vec![0; usize::try_from(until - from).unwrap_or_default()];
            file.write_all_at(&zeros, from)?;
        }
    }
    Ok(())
}

/// At each opening sled writes down which page is where as of some place in the log, which is the file's name. One from behind
/// the cut is of a log that is no more. It must not come back either, when another log has come to that place.
fn forget_snapshots(directory: &Path, log_end: i64) -> io::Result<()> {
    let mut is_changed = false;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(place) = name.to_str().and_then(|name| name.strip_prefix("snap.")) else { continue };
        // What is no number was not finished.
        if i64::from_str_radix(place, 16).ok().is_none_or(|place| place > log_end) {
            fs::remove_file(entry.path())?;
            is_changed = true;
        }
    }
    if is_changed { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Where in the log the segment at this offset begins; none where there is no whole header of one.
fn log_place(file: &File, offset: u64) -> io::Result<Option<i64>> {
    let mut header = [0; SEGMENT_HEADER_BYTES];
    match file.read_exact_at(&mut header, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut reader = Reader::new(&header);
    let _crc: Option<[u8; 4]> = reader.array();
    let place = reader.array().map(|inverted| i64::from_le_bytes(inverted) ^ i64::MAX);
    Ok(place.filter(|place| (0..i64::MAX).contains(place)))
}

/// Order and place of the newest whole note.
fn newest(file: &File) -> io::Result<Option<(u64, i64)>> {
    let mut newest = None;
    for block in 0..2 {
        let mut note = [0; NOTE_BYTES];
        match file.read_exact_at(&mut note, block * BLOCK_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
            read => read?,
        }
        newest = newest.max(parse(&note));
    }
    Ok(newest)
}

fn parse(note: &[u8; NOTE_BYTES]) -> Option<(u64, i64)> {
    let mut reader = Reader::new(note);
    let (order, log_end) = (reader.array()?, reader.array()?);
    let is_whole = u32::from_le_bytes(reader.array()?) == crc32fast::hash(&[order, log_end].concat());
    let order = u64::from_le_bytes(order);
    (is_whole && order > 0).then(|| (order, i64::from_le_bytes(log_end)))
}

#[cfg(test)]
mod tests;
