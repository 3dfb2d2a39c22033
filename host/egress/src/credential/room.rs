//! The memory for bodies that are kept, shared by all requests of one client.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts bytes up to a limit. They order nothing, so relaxed access is enough.
pub(crate) struct Room {
    taken: AtomicU64,
    bytes_max: u64,
}

impl Room {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { taken: AtomicU64::new(0), bytes_max }
    }

    /// Would so many bytes fit in now?
    pub(crate) fn has(&self, bytes: u64) -> bool {
        self.with(self.taken.load(Ordering::Relaxed), bytes).is_some()
    }

    /// Takes room for so many bytes; says whether there was.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let more = |taken| self.with(taken, bytes);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn with(&self, taken: u64, bytes: u64) -> Option<u64> {
        taken.checked_add(bytes).filter(|all| *all <= self.bytes_max)
    }
}
