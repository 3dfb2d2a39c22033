//! Keeps sled from overwriting what is not replaced durably yet.
//!
//! sled moves pages to the end of its log and uses a segment again as soon as everything in it was replaced by something that is
//! *written*. A power cut then may leave neither the old page nor the new one. But sled learns that something is written by a
//! callback that it defers until no thread is pinned any more in the epoch in which it was written. So whoever writes stays
//! pinned from the first change after a sync to the end of the next sync, and sled frees no segment in between.

use ::sled::{CrossbeamGuard, crossbeam_pin};

/// How much sled may write before it is synced: what it may not use again until then.
const LOG_BYTES_MAX: i64 = 16 << 20;

/// Belongs to the thread that writes, and to one database.
#[derive(Default)]
pub(super) struct Fence {
    pin: Option<CrossbeamGuard>,
    written: i64,
}

impl Fence {
    /// Before anything is changed; sled's log is so long by now.
    pub(super) fn raise(&mut self, written: i64) {
        if self.pin.is_none() {
            self.pin = Some(crossbeam_pin());
            self.written = written;
        }
    }

    /// After a sync, when nothing was changed since it began.
    pub(super) fn lower(&mut self) {
        self.pin = None;
    }

    /// Whether something was changed since the last sync.
    pub(super) fn is_up(&self) -> bool {
        self.pin.is_some()
    }

    /// Whether so much was written that it is time for a sync.
    pub(super) fn is_due(&self, written: i64) -> bool {
        self.is_up() && written - self.written > LOG_BYTES_MAX
    }
}
