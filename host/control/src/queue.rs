//! The queue of runs: who waits, whose turn it is, who executes what, and what becomes of runs whose process has died.
//!
//! # Fair
//!
//! Each organization of which runs wait has a *turn*. The lowest is served, and gets a later one by that: so each gets one run
//! for one of every other, however many wait. One that comes anew has its turn now; one that had as many runs under way as
//! it may has lost nothing and gained nothing.
//!
//! # Once
//!
//! A run is taken under a lease of its sync. Everything that its holder says afterwards is fenced by it, so who was away for
//! too long changes nothing any more, and learns so. A run whose lease has ended is taken over by the next who asks. A sync's
//! head names its run, so it has one at a time.
//!
//! # Taken over
//!
//! That a process has died says nothing of the runs that it had: what they let others do is done in workers, whose deaths are
//! failures of the run. So a takeover is no attempt, and none is given up for it. A run that is taken over again and again and
//! commits nothing in between may be what ends the processes all the same: it waits, longer each time, so that the others
//! come to their end meanwhile.

mod backoff;
mod cancel;
mod enqueue;
mod finish;
mod lane;
mod list;
mod load;
mod record;
mod take;

pub use finish::RunOutcome;
pub use list::{ActiveRun, ActiveState};
pub use load::Load;
pub use record::{Cause, Ending, Order, Taken, Wish};
pub use take::Taking;

pub(crate) use lane::turn_of;

use crate::organizations::Organizations;
use crate::syncs::Syncs;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::{Mutex, Notify, watch};

/// How much is done at once, and how often anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueOptions {
    /// Runs of one organization that are under way at one time.
    pub running_max: u32,
    /// How often a run is tried, the first time included.
    pub attempts_max: u32,
    /// How often a run that commits nothing in between is taken over at once. After that it waits before.
    pub takeovers_at_once: u32,
    /// For how long a run is held by whoever says nothing.
    pub lease_ms: u64,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self { running_max: 4, attempts_max: 5, takeovers_at_once: 3, lease_ms: 60_000 }
    }
}

/// The runs of every organization of a region that wait or are under way.
pub struct Queue {
    pub(crate) syncs: Arc<Syncs>,
    options: QueueOptions,
    /// Takers of one process come one after the other, instead of failing at the same run.
    taking: Mutex<()>,
    /// The latest turn that was served.
    turn: AtomicU64,
    /// When leases of others are to be looked at again.
    look_ms: AtomicU64,
    changed: Notify,
}

impl Queue {
    /// The queue of these syncs.
    #[must_use]
    pub fn new(syncs: Arc<Syncs>, options: QueueOptions) -> Self {
        Self {
            syncs,
            options,
            taking: Mutex::default(),
            turn: AtomicU64::new(0),
            look_ms: AtomicU64::new(0),
            changed: Notify::new(),
        }
    }

    /// Waits until there may be something to take that was not there before. For one who found nothing.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whose runs they are.
    #[must_use]
    pub fn syncs(&self) -> Arc<Syncs> {
        Arc::clone(&self.syncs)
    }

    /// Rises whenever something may be wished of a run that is under way: its holder renews it then, and learns so at once.
    #[must_use]
    pub fn wishes(&self) -> watch::Receiver<u64> {
        self.syncs.wishes.subscribe()
    }

    fn organizations(&self) -> &Organizations {
        &self.syncs.organizations
    }
}
