//! What happens to syncs and runs, as it happens: for those who look on. Ids, states and counts, and nothing else.
//!
//! Each thing is told after the commit that made it true. Nobody waits for a listener: what happened last is held in memory
//! for each organization that somebody listens to, listeners read it from there, and one that is too slow, or comes back too
//! late, is told that it has missed something. Then it reads the lists anew, which are what is true.

mod ring;

#[cfg(test)]
mod tests;

use crate::queue::Ending;
use crate::syncs::SyncState;
use ring::Ring;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What nobody has listened to for so long is held no more: long enough to come back from a lost connection.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// What happens, for whoever listens.
#[derive(Debug, Default)]
pub struct Live {
    rings: Mutex<HashMap<String, Ring>>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEvent {
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What.
    pub what: Happened,
}

/// What happened. Has no texts but ids and words of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A sync was made, or what it does was changed.
    SyncChanged {
        /// The sync.
        sync: String,
        /// Its revision now.
        revision: u64,
    },
    /// A sync was started, paused or stopped.
    SyncState {
        /// The sync.
        sync: String,
        /// How it is now.
        state: SyncState,
    },
    /// A sync was deleted.
    SyncDeleted {
        /// The sync.
        sync: String,
    },
    /// A run has come to wait, or waits anew.
    RunWaits {
        /// The run.
        run: String,
        /// Of which sync.
        sync: String,
        /// How often it was begun by now.
        attempts: u32,
    },
    /// A run was taken by somebody who executes it.
    RunBegan {
        /// The run.
        run: String,
        /// Of which sync.
        sync: String,
        /// How often it was begun by now.
        attempts: u32,
    },
    /// How far a run is. Of each run the latest of these is held.
    RunProgress {
        /// The run.
        run: String,
        /// Of which sync.
        sync: String,
        /// Its counts.
        counts: RunCounts,
    },
    /// A run has ended.
    RunEnded {
        /// The run.
        run: String,
        /// Of which sync.
        sync: String,
        /// In which words.
        outcome: Ending,
    },
}

/// What is counted of a run's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Rows that the source gave.
    pub read: u64,
    /// Rows that are durable at the destination.
    pub accepted: u64,
    /// Rows that someone rejected.
    pub rejected: u64,
    /// Rows that someone wished not to move.
    pub filtered: u64,
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// From here on everything is told. The first that each listener hears, unless it has missed something.
    Here,
    /// Something has happened that is not held any more: what was read before is to be read anew.
    Missed,
    /// This has happened.
    Event(LiveEvent),
}

/// Somebody who listens.
#[derive(Debug)]
pub struct Listener {
    live: Arc<Live>,
    organization: String,
    /// Up to where everything was heard; none: nothing was heard yet.
    at: Option<u64>,
    is_gap: bool,
    latest: watch::Receiver<u64>,
}

impl Live {
    /// Tells how far a run is. For whoever executes it; to be called a few times a second at most.
    pub fn progress(&self, organization: &str, at_ms: u64, (run, sync): (&str, &str), counts: RunCounts) {
        let what = Happened::RunProgress { run: run.to_owned(), sync: sync.to_owned(), counts };
        self.tell(organization, at_ms, what);
    }

    /// Listens to what happens in an organization from now on, or from behind what was heard last, as it was named then.
    #[must_use]
    pub fn listen(self: &Arc<Self>, organization: &str, after: Option<&str>) -> Listener {
        let mut rings = self.rings();
        rings.retain(|_, ring| !ring.is_left(KEPT));
        let ring = rings.entry(organization.to_owned()).or_default();
        let at = after.and_then(|after| ring.place_of(after));
        let is_gap = after.is_some() && at.is_none();
        let latest = ring.come();
        Listener { live: Arc::clone(self), organization: organization.to_owned(), at, is_gap, latest }
    }

    /// Ends everybody's listening to an organization: it is no more.
    pub fn end(&self, organization: &str) {
        self.rings().remove(organization);
    }

    /// Tells what has become true. Costs nothing where nobody listens.
    pub(crate) fn tell(&self, organization: &str, at_ms: u64, what: Happened) {
        let mut rings = self.rings();
        let Some(ring) = rings.get_mut(organization) else { return };
        if ring.is_left(KEPT) {
            rings.remove(organization);
        } else {
            ring.push(LiveEvent { at_ms, what });
        }
    }

    fn rings(&self) -> MutexGuard<'_, HashMap<String, Ring>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// What was heard since the last time, each with the name by which to listen on from behind it; waits until there is
    /// something. None: the organization is no more.
    pub async fn next(&mut self) -> Option<Vec<(String, Heard)>> {
        loop {
            self.latest.mark_unchanged();
            let heard = self.hear()?;
            if !heard.is_empty() {
                return Some(heard);
            }
            self.latest.changed().await.ok()?;
        }
    }

    fn hear(&mut self) -> Option<Vec<(String, Heard)>> {
        let live = Arc::clone(&self.live);
        let rings = live.rings();
        let ring = rings.get(&self.organization).filter(|ring| ring.is_heard_by(&self.latest))?;
        let now = ring.now();
        let jump = |heard| Some(vec![(ring.name(now), heard)]);
        let is_gap = std::mem::take(&mut self.is_gap);
        match self.at.replace(now) {
            None if is_gap => jump(Heard::Missed),
            None => jump(Heard::Here),
            Some(at) if !ring.holds_all_behind(at) => jump(Heard::Missed),
            Some(at) => {
                let behind = ring.behind(at).into_iter();
                Some(behind.map(|(name, event)| (name, Heard::Event(event))).collect())
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(ring) = self.live.rings().get_mut(&self.organization) {
            ring.go(&self.latest);
        }
    }
}
