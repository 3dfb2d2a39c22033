//! Scrubs what comes in pieces.

use bytes::Bytes;
use zeroize::{Zeroize, Zeroizing};

use crate::hit::{Hit, Place};
use crate::scrubber::{Scrubber, blank};
use crate::watch::Watch;

/// Scrubs what comes in pieces, however a secret is cut: as many bytes leave as came, and nothing is held back but what a
/// secret could begin with, and as much again behind what could begin a long one. What is found is counted by the watch, whose secrets of the moment are looked for.
pub struct Stream {
    watch: Watch,
    scrubber: Scrubber,
    /// What had been added to the watch when this was made of it.
    additions: u64,
    place: Place,
    held: Zeroizing<Vec<u8>>,
    /// So many of the held bytes, the last ones, came since they were searched.
    unsearched: usize,
    searched: usize,
    /// So many of the held bytes belong to a secret that was found.
    blank_ahead: usize,
    hits: u64,
}

/// So many bytes are quickly searched again with each piece.
const HELD_BYTES_FEW: usize = 256;

impl Stream {
    pub(crate) fn new(watch: Watch, place: Place) -> Self {
        let additions = watch.additions();
        let scrubber = watch.at(place);
        Self {
            watch,
            scrubber,
            additions,
            place,
            held: Zeroizing::default(),
            unsearched: 0,
            searched: 0,
            blank_ahead: 0,
            hits: 0,
        }
    }

    /// Takes a piece and gives what can leave now, which may be nothing.
    #[must_use]
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        self.look_again();
        if self.held.is_empty() {
            if self.scrubber.is_empty() {
                return piece;
            }
            self.searched += piece.len();
            let (hits, leaves) = self.scrubber.hits_and_held_from(&piece);
            return self.release(&piece, hits, leaves).unwrap_or_else(|| piece.slice(..leaves));
        }
        let whole = self.behind_held(&piece);
        if self.waits(whole.len()) {
            self.unsearched += piece.len();
            self.held = whole;
            return Bytes::new();
        }
        self.searched += whole.len();
        let (hits, leaves) = self.scrubber.hits_and_held_from(&whole);
        self.release(&whole, hits, leaves).unwrap_or_else(|| without_held(whole, leaves))
    }

    /// Takes the last piece and gives all that is left, as [`Self::push`] and [`Self::finish`] would in two parts: nothing is
    /// held back where nothing more comes.
    #[must_use]
    pub fn last(&mut self, piece: Bytes) -> Bytes {
        self.look_again();
        if self.held.is_empty() {
            let (hits, leaves) = (self.scrubber.hits(&piece), piece.len());
            return self.release(&piece, hits, leaves).unwrap_or(piece);
        }
        let whole = self.behind_held(&piece);
        let (hits, leaves) = (self.scrubber.hits(&whole), whole.len());
        self.release(&whole, hits, leaves).unwrap_or_else(|| without_held(whole, leaves))
    }

    /// The end: gives what was held back.
    #[must_use]
    pub fn finish(&mut self) -> Bytes {
        if self.held.is_empty() {
            return Bytes::new();
        }
        let held = std::mem::take(&mut self.held);
        let (hits, leaves) = (self.scrubber.hits(&held), held.len());
        self.release(&held, hits, leaves).unwrap_or_else(|| without_held(held, leaves))
    }

    /// How many secrets were found so far.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits
    }

    /// How many bytes are held back.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// The most bytes that are held back.
    #[must_use]
    pub fn held_max(&self) -> usize {
        2 * self.scrubber.held_max()
    }

    /// How many bytes were searched so far, those that were held back more than once.
    #[must_use]
    pub fn searched_bytes(&self) -> usize {
        self.searched
    }

    /// Whether less has come since the last search than was held back by it. Pieces may be of one byte each, and to search all
    /// again with each of them would take the square of what it should.
    fn waits(&self, bytes: usize) -> bool {
        let before = self.held.len() - self.unsearched;
        before > HELD_BYTES_FEW && bytes < 2 * before
    }

    /// Tokens are refreshed while a response is read.
    fn look_again(&mut self) {
        let additions = self.watch.additions();
        if additions != self.additions {
            (self.additions, self.scrubber) = (additions, self.watch.at(self.place));
        }
    }

    fn behind_held(&self, piece: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut whole = Zeroizing::new(Vec::with_capacity(self.held.len() + piece.len()));
        whole.extend_from_slice(&self.held);
        whole.extend_from_slice(piece);
        whole
    }

    /// Lets the first `leaves` bytes go and holds back the others; what begins there will be found again. None: what leaves does
    /// so as it came.
    fn release(&mut self, whole: &[u8], mut hits: Vec<Hit>, leaves: usize) -> Option<Bytes> {
        hits.retain(|hit| hit.range.start < leaves);
        let blank_to = hits.iter().map(|hit| hit.range.end).fold(self.blank_ahead, usize::max);
        self.held = Zeroizing::new(whole.get(leaves..).unwrap_or_default().to_vec());
        self.unsearched = 0;
        let before = std::mem::replace(&mut self.blank_ahead, blank_to.saturating_sub(leaves));
        if hits.is_empty() && before == 0 {
            return None;
        }
        self.watch.count(self.place, &hits);
        self.hits += hits.len() as u64;
        let mut out = whole.get(..leaves).unwrap_or_default().to_vec();
        blank(&mut out, 0..before);
        hits.into_iter().for_each(|hit| blank(&mut out, hit.range));
        Some(Bytes::from(out))
    }
}

/// What leaves as it came. What is held back is wiped here, as it may begin a secret; what leaves does not.
fn without_held(mut whole: Zeroizing<Vec<u8>>, leaves: usize) -> Bytes {
    whole.get_mut(leaves..).unwrap_or_default().zeroize();
    whole.truncate(leaves);
    Bytes::from(std::mem::take(&mut *whole))
}
