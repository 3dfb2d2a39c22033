//! The right to be the only run of a sync, within this process.
//!
//! Each call of a run has a share of its seat, so that it is free after the last of them. Storage's lease guards against
//! other processes, and the sync's record against what outlives both.

use crate::kept::Keeping;
use crate::lease::HeldLease;
use crate::settings::Retention;
use crate::superseded::OpenErrors;
use pipeline::records::{Error, RunTicket};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use storage::Lease;

/// One sync that is about to run, runs, or has calls of its run under way.
pub(crate) struct Seat {
    pub(crate) sync: String,
    /// Set once the run has begun.
    begun: OnceLock<Begun>,
    /// By source stream: where the open row errors are that the run was told the keys of.
    open: Mutex<HashMap<String, Arc<OpenErrors>>>,
    /// By unit: what is kept for its next commit.
    kept: Mutex<HashMap<String, Keeping>>,
    lease: OnceLock<HeldLease>,
}

#[derive(Debug)]
struct Begun {
    run: u64,
    retention: Retention,
}

#[derive(Default)]
struct Place {
    /// Whether anybody still has a share.
    taken: Weak<Seat>,
    /// The share of the run itself, until it gives it back.
    run: Option<Arc<Seat>>,
}

/// The seats of all syncs of an organization.
#[derive(Default)]
pub(crate) struct Seats {
    places: Mutex<HashMap<String, Place>>,
}

impl Seats {
    fn places(&self) -> MutexGuard<'_, HashMap<String, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the sync's seat; none while somebody has it. It is free again when the share is dropped, unless it was
    /// handed to a run meanwhile.
    pub(crate) fn take(&self, sync: &str) -> Option<Arc<Seat>> {
        let mut places = self.places();
        let place = places.entry(sync.to_owned()).or_default();
        if place.taken.strong_count() > 0 {
            return None;
        }
        let seat = Arc::new(Seat {
            sync: sync.into(),
            begun: OnceLock::new(),
            open: Mutex::default(),
            kept: Mutex::default(),
            lease: OnceLock::new(),
        });
        *place = Place { taken: Arc::downgrade(&seat), run: None };
        Some(seat)
    }

    /// The run keeps the seat until it gives it back.
    pub(crate) fn hand_to_run(&self, seat: &Arc<Seat>) {
        if let Some(place) = self.places().get_mut(&seat.sync) {
            place.run = Some(Arc::clone(seat));
        }
    }

    /// A share for a call of the run.
    pub(crate) fn of(&self, ticket: &RunTicket) -> Result<Arc<Seat>, Error> {
        let places = self.places();
        let seat = places.get(&ticket.sync).and_then(|place| place.run.as_ref());
        let seat = seat.filter(|seat| seat.run() == ticket.run);
        seat.map(Arc::clone).ok_or_else(|| Error::Fenced { sync: ticket.sync.clone(), run: ticket.run })
    }

    /// The run gives its share back.
    pub(crate) fn give_back(&self, ticket: &RunTicket) {
        let mut places = self.places();
        if let Some(place) = places.get_mut(&ticket.sync)
            && place.run.as_ref().is_some_and(|seat| seat.run() == ticket.run)
        {
            // Dropped after the lock is given back: the last share may have more to do than free memory.
            let share = place.run.take();
            drop(places);
            drop(share);
        }
    }

    /// Whether the sync runs here.
    pub(crate) fn is_taken(&self, sync: &str) -> bool {
        self.places().get(sync).is_some_and(|place| place.taken.strong_count() > 0)
    }
}

impl Seat {
    /// The run has its number. Once a seat.
    pub(crate) fn begin(&self, run: u64, retention: Retention) {
        let _once = self.begun.set(Begun { run, retention });
    }

    /// Keeps the lease until the last share of the seat is gone. Once a seat.
    pub(crate) fn hold(&self, lease: HeldLease) {
        let _once = self.lease.set(lease);
    }

    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.lease.get().map(HeldLease::lease)
    }

    /// The run; 0 before it has begun.
    pub(crate) fn run(&self) -> u64 {
        self.begun.get().map_or(0, |begun| begun.run)
    }

    pub(crate) fn retention(&self) -> Retention {
        self.begun.get().map(|begun| begun.retention.clone()).unwrap_or_default()
    }

    pub(crate) fn fenced(&self) -> Error {
        Error::Fenced { sync: self.sync.clone(), run: self.run() }
    }

    pub(crate) fn open_errors(&self) -> MutexGuard<'_, HashMap<String, Arc<OpenErrors>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keeping(&self) -> MutexGuard<'_, HashMap<String, Keeping>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that rows are kept for the next commit of the unit. Answers what is kept for another one, which will not be
    /// made any more.
    pub(crate) fn keep(&self, unit: &str, token: &str, segment: u32) -> Option<Keeping> {
        let mut units = self.keeping();
        let keeping = units.entry(unit.to_owned()).or_default();
        let given_up = (keeping.token != token).then(|| std::mem::take(keeping));
        token.clone_into(&mut keeping.token);
        keeping.segments.push(segment);
        given_up.filter(|given_up| !given_up.segments.is_empty())
    }

    /// The segments that are kept for this commit; from now on the commit knows them.
    pub(crate) fn kept_for(&self, unit: &str, token: &str) -> Vec<u32> {
        let units = self.keeping();
        let keeping = units.get(unit).filter(|keeping| keeping.token == token);
        keeping.map(|keeping| keeping.segments.clone()).unwrap_or_default()
    }

    /// The commit is settled, and with it what was kept for it.
    pub(crate) fn forget_kept(&self, unit: &str) {
        self.keeping().remove(unit);
    }

    /// What the history says of the run beside its report.
    pub(crate) fn notes(&self) -> Vec<String> {
        let left_out = |(stream, open): (&String, &Arc<OpenErrors>)| {
            (open.left_out > 0).then(|| {
                format!(
                    "stream `{stream}` has more open row errors than are looked for: the oldest {} were left out",
                    open.left_out
                )
            })
        };
        let mut notes: Vec<String> = self.open_errors().iter().filter_map(left_out).collect();
        notes.sort();
        notes
    }
}
