//! The memory for bodies that are kept, shared by all requests of one client, and within it by all clients of the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Limit;

/// Counts bytes up to a limit. They order nothing, so relaxed access is enough.
pub(crate) struct Room {
    taken: AtomicU64,
    bytes_max: u64,
    limit: Limit,
    /// In which this one is.
    within: Option<Arc<Room>>,
}

impl Room {
    /// For all clients of the process.
    pub(crate) fn of_process(bytes_max: u64) -> Arc<Self> {
        let (taken, limit) = (AtomicU64::new(0), Limit::AllKeptBodiesBytes);
        Arc::new(Self { taken, bytes_max, limit, within: None })
    }

    /// For one client, within the room of its process.
    pub(crate) fn of_client(bytes_max: u64, process: Arc<Self>) -> Arc<Self> {
        let (taken, limit) = (AtomicU64::new(0), Limit::KeptBodiesBytes);
        Arc::new(Self { taken, bytes_max, limit, within: Some(process) })
    }

    /// What the limit allows; none: it is no limit of this room.
    pub(crate) fn allowed(&self, limit: Limit) -> Option<u64> {
        if limit == self.limit {
            return Some(self.bytes_max);
        }
        self.within.as_ref().and_then(|within| within.allowed(limit))
    }

    /// Would so many bytes fit in now?
    pub(crate) fn has(&self, bytes: u64) -> bool {
        self.with(self.taken.load(Ordering::Relaxed), bytes).is_some()
            && self.within.as_ref().is_none_or(|within| within.has(bytes))
    }

    /// Takes room for so many bytes, or says for the sake of which limit there is none.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), Limit> {
        let more = |taken| self.with(taken, bytes);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map_err(|_full| self.limit)?;
        if let Some(Err(limit)) = self.within.as_ref().map(|within| within.take(bytes)) {
            self.taken.fetch_sub(bytes, Ordering::Relaxed);
            return Err(limit);
        }
        Ok(())
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(within) = &self.within {
            within.give_back(bytes);
        }
    }

    fn with(&self, taken: u64, bytes: u64) -> Option<u64> {
        taken.checked_add(bytes).filter(|all| *all <= self.bytes_max)
    }
}
