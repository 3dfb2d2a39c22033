//! Counts the workers of this process, whichever crew they are of: they are the machine's, as memory is.

use std::sync::atomic::{AtomicU64, Ordering};

static STARTED: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);

/// The workers of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// That are there.
    pub alive: u64,
    /// That were started.
    pub started: u64,
    /// That ended before they were to.
    pub lost: u64,
}

/// The workers of this process until now.
#[must_use]
pub fn tally() -> Tally {
    let ended = ENDED.load(Ordering::Relaxed);
    let started = STARTED.load(Ordering::Relaxed);
    Tally { alive: started.saturating_sub(ended), started, lost: LOST.load(Ordering::Relaxed) }
}

/// One that is there. Dropping it counts its end.
pub(super) struct Counted(());

impl Counted {
    pub(super) fn start() -> Self {
        STARTED.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ENDED.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn lost() {
    LOST.fetch_add(1, Ordering::Relaxed);
}
