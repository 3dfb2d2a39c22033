//! Looks over the commit journal at an opening: which segments there are, where the last one ends.

use super::error::OpenError;
use super::frame::Kind;
use super::journal::Place;
use super::segment::{self, End, Segment, Tail};

/// A segment that is there, and the first sequence that it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) number: u64,
    pub(super) first: u64,
}

/// What there is of the journal.
pub(super) struct Survey {
    /// All segments in their order; at least one.
    pub(super) segments: Vec<Known>,
    /// The number of the last one.
    pub(super) last: u64,
    /// Its end.
    pub(super) end: End,
}

impl Survey {
    /// Verifies the headers of all segments and every frame of the last one. The others are verified when they are needed.
    pub(super) fn of(place: &Place) -> Result<Self, OpenError> {
        let mut segments: Vec<Known> = Vec::new();
        for number in segment::list(&place.directory)? {
            let path = place.path(number);
            let header = segment::header(&path, number, &place.key)?;
            if let Some(before) = segments.last() {
                if before.number.checked_add(1) != Some(number) {
                    let missing = place.path(before.number.saturating_add(1));
                    return Err(OpenError::damaged(&missing, 0, "this segment of the journal is missing"));
                }
                if header.first < before.first {
                    return Err(OpenError::damaged(&path, 24, "the sequence falls"));
                }
            }
            segments.push(Known { number, first: header.first });
        }
        let last = segments.last().ok_or_else(|| {
            OpenError::damaged(&place.directory, 0, "the segments of the journal are missing")
        })?;
        let last = last.number;
        let end = Segment::read(place.path(last), last, &place.key)?.walk(&place.key, |_| Ok(()))?;
        if end.last == Some(Kind::Ended) {
            let missing = place.path(last.saturating_add(1));
            return Err(OpenError::damaged(&missing, 0, "this segment of the journal is missing"));
        }
        Ok(Self { segments, last, end })
    }

    /// Whether the last process has closed the database.
    pub(super) fn is_closed(&self) -> bool {
        self.end.last == Some(Kind::Closed) && self.end.tail == Tail::Clean
    }

    /// The first sequence that the journal still has.
    pub(super) fn first(&self) -> u64 {
        self.segments.first().map_or(1, |known| known.first)
    }

    /// The newest commit.
    pub(super) fn newest(&self) -> u64 {
        self.end.next.saturating_sub(1)
    }
}
