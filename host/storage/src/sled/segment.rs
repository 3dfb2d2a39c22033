//! Reads one segment of the journal and tells a torn tail from damage.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::OpenError;
use super::frame::{FORMAT, Frame, HeaderFault, Kind, Mac, SEGMENT_HEADER_BYTES, SegmentHeader};

/// A segment in memory, with its header verified.
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) header: SegmentHeader,
    bytes: Vec<u8>,
}

/// What was found behind the last good frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing but room.
    Clean,
    /// An append that a power cut tore: it was never acknowledged.
    Torn,
}

/// Where a segment ends.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// Behind the last good frame.
    pub(super) offset: usize,
    /// The length of the file.
    pub(super) length: usize,
    pub(super) tail: Tail,
    /// The chain for what is appended here or in the next segment.
    pub(super) chain: Mac,
    /// The sequence of the next commit.
    pub(super) next: u64,
    /// What the last frame says; none when there is none.
    pub(super) last: Option<Kind>,
}

/// The file name of a segment; names sort as numbers do.
pub(super) fn name(number: u64) -> String {
    format!("{number:016}")
}

/// The numbers of the segments in a directory, ascending. Other names are left alone: a segment that was being made.
pub(super) fn list(directory: &Path) -> Result<Vec<u64>, OpenError> {
    let failed = || OpenError::file("list", directory);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed())? {
        let found = entry.map_err(failed())?.file_name();
        let number = found.to_str().filter(|name| name.len() == 16).and_then(|name| name.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads and verifies the header of a segment only.
pub(super) fn header(path: &Path, number: u64, key: &Mac) -> Result<SegmentHeader, OpenError> {
    let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
    let file = File::open(path).map_err(OpenError::file("open", path))?;
    file.take(SEGMENT_HEADER_BYTES as u64).read_to_end(&mut bytes).map_err(OpenError::file("read", path))?;
    decode_header(path, number, key, &bytes)
}

fn decode_header(path: &Path, number: u64, key: &Mac, bytes: &[u8]) -> Result<SegmentHeader, OpenError> {
    let header = SegmentHeader::decode(bytes, key).map_err(|fault| match fault {
        HeaderFault::Bytes => OpenError::damaged(path, 0, "this is not the beginning of a segment"),
        HeaderFault::Format(found) => OpenError::NewerFormat { path: path.to_owned(), found, known: FORMAT },
        HeaderFault::Mac => {
            OpenError::damaged(path, 64, "the MAC of the header does not fit, or the key is another one")
        }
    })?;
    if header.number == number {
        Ok(header)
    } else {
        Err(OpenError::damaged(path, 16, format!("the file is segment {}", header.number)))
    }
}

impl Segment {
    pub(super) fn read(path: PathBuf, number: u64, key: &Mac) -> Result<Self, OpenError> {
        let bytes = fs::read(&path).map_err(OpenError::file("read", &path))?;
        let header = decode_header(&path, number, key, &bytes)?;
        Ok(Self { path, header, bytes })
    }

    /// Goes through all frames, each of them verified, and judges what is behind them.
    pub(super) fn walk<'a>(
        &'a self,
        key: &Mac,
        visit: impl FnMut(&Frame<'a>) -> Result<(), OpenError>,
    ) -> Result<End, OpenError> {
        let mut end = self.walk_until(key, u64::MAX, visit)?;
        end.tail = self.judge_tail(&end)?;
        Ok(end)
    }

    /// Goes through the frames up to this commit, each of them verified. What is behind is not looked at: it may just be written.
    pub(super) fn walk_until<'a>(
        &'a self,
        key: &Mac,
        until: u64,
        mut visit: impl FnMut(&Frame<'a>) -> Result<(), OpenError>,
    ) -> Result<End, OpenError> {
        let mut end = End {
            offset: SEGMENT_HEADER_BYTES,
            length: self.bytes.len(),
            tail: Tail::Clean,
            chain: self.header.chain,
            next: self.header.first,
            last: None,
        };
        while end.next <= until
            && let Some(frame) = self.bytes.get(end.offset..).and_then(Frame::decode)
        {
            self.judge(&frame, &end, key)?;
            visit(&frame)?;
            end.offset += frame.byte_count();
            end.next = frame.next();
            end.last = Some(frame.kind);
            if frame.kind == Kind::Ended {
                break;
            }
            end.chain = frame.mac;
        }
        Ok(end)
    }

    fn judge(&self, frame: &Frame<'_>, end: &End, key: &Mac) -> Result<(), OpenError> {
        let damaged = |problem: &str| Err(OpenError::damaged(&self.path, end.offset, problem));
        if !frame.fits(key, self.header.number, &end.chain) {
            return damaged(
                "the MAC of an entry does not fit: it was changed, moved, or one before it is missing",
            );
        }
        let expected = if frame.kind == Kind::Batches { end.next } else { end.next.saturating_sub(1) };
        if frame.first != expected {
            return damaged("an entry has another sequence than the one before it lets expect");
        }
        Ok(())
    }

    /// A power cut tears the last append only, so whole frames behind a bad one are damage. Frames lie at multiples of 8.
    fn judge_tail(&self, end: &End) -> Result<Tail, OpenError> {
        let rest = self.bytes.get(end.offset..).unwrap_or_default();
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(Tail::Clean);
        }
        if end.last == Some(Kind::Ended) {
            return Err(OpenError::damaged(
                &self.path,
                end.offset,
                "there are bytes behind the end of the segment",
            ));
        }
        let mut offset = 8;
        while let Some(bytes) = rest.get(offset..) {
            if Frame::decode(bytes).is_some_and(|frame| frame.next() >= end.next) {
                return Err(OpenError::damaged(
                    &self.path,
                    end.offset,
                    "an entry is broken, and entries follow it",
                ));
            }
            offset += 8;
        }
        Ok(Tail::Torn)
    }
}
