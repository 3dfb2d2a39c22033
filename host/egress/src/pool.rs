//! Connections kept for the next request to the same scheme, host and port. One pool belongs to one client.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::lease::{Lease, Sender};
use crate::target::Origin;

/// Connections kept by one client, over all servers: a guest that visits ten thousand hosts keeps few.
const KEPT_MAX: usize = 64;
/// Servers close idle connections after 60 s or more, mostly; closing first avoids the race.
const IDLE_MAX: Duration = Duration::from_secs(50);

/// Connections that wait for their next request.
#[derive(Default)]
pub(crate) struct Pool {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Oldest first.
    kept: VecDeque<(Instant, Lease)>,
    is_closed: bool,
}

impl Inner {
    /// One HTTP/2 connection carries all requests to its origin.
    fn has_two(&self, origin: &Origin) -> bool {
        self.kept.iter().any(|(_, lease)| lease.origin == *origin && matches!(lease.sender, Sender::Two(_)))
    }
}

impl Pool {
    /// A kept connection to this origin, the one used last first.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Lease> {
        let mut pool = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut pool.kept;
        let now = Instant::now();
        // An HTTP/2 connection stays in its place while it is used, so its age is that of its making: it is
        // exempt, and the server or its own end closes it.
        kept.retain(|(since, lease)| {
            lease.is_open()
                && (now.duration_since(*since) < IDLE_MAX || matches!(lease.sender, Sender::Two(_)))
        });
        let index = kept.iter().rposition(|(_, lease)| lease.origin == *origin)?;
        if let Some(shared) = kept.get(index).and_then(|(_, lease)| lease.share()) {
            return Some(shared);
        }
        kept.remove(index).map(|(_, lease)| lease)
    }

    /// Keeps a connection that has finished its response, or an HTTP/2 connection that was just made.
    pub(crate) fn keep(&self, mut lease: Lease) {
        if !lease.is_open() {
            return;
        }
        lease.reused = true;
        let mut pool = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.is_closed || (matches!(lease.sender, Sender::Two(_)) && pool.has_two(&lease.origin)) {
            return;
        }
        if pool.kept.len() >= KEPT_MAX {
            pool.kept.pop_front();
        }
        pool.kept.push_back((Instant::now(), lease));
    }

    /// Closes what is kept and keeps nothing more.
    pub(crate) fn close(&self) {
        let mut pool = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        pool.is_closed = true;
        pool.kept.clear();
    }
}
