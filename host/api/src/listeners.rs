//! How many listen at once: each keeps a connection, for as long as they like.

use crate::fault::Fault;
use crate::options::Limits;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Those who listen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_caller: HashMap<String, usize>,
}

/// A place among those who listen, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    of: Listeners,
    caller: String,
}

impl Listeners {
    pub(crate) fn take(&self, caller: &str, limits: &Limits) -> Result<Place, Fault> {
        let mut counts = self.counts();
        let of_caller = counts.by_caller.get(caller).copied().unwrap_or(0);
        if of_caller >= limits.listeners_per_caller_max || counts.all >= limits.listeners_max {
            return Err(Fault::TooManyListeners { limit: limits.listeners_per_caller_max });
        }
        counts.all += 1;
        counts.by_caller.insert(caller.to_owned(), of_caller + 1);
        Ok(Place { of: self.clone(), caller: caller.to_owned() })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        counts.all = counts.all.saturating_sub(1);
        match counts.by_caller.get_mut(&self.caller) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.by_caller.remove(&self.caller)),
        }
    }
}
