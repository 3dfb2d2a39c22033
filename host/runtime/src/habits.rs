//! How long a component's calls usually take, by which a call begins among the short ones or among the long ones. Without it each
//! long call would keep a thread of short ones until the tick ends, or for as long as the host works for it at one piece, and a
//! connector that is called again and again would do that each time.

use crate::engine::TICK;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A call that keeps the processor for longer delays a neighbour by more than most runs of a few rows take.
const LONG: Duration = Duration::from_millis(1);
const _: () = assert!(LONG.as_nanos() < TICK.as_nanos(), "a call that is moved is a long one");
/// After a long call, so many short ones have to follow before one begins among the short ones again: who is long each second time
/// is long.
const SHORT_ONES_AFTER_A_LONG_ONE: u8 = 8;

/// Of one component, by the calls of its contract.
#[derive(Default)]
pub(crate) struct Habits(Mutex<BTreeMap<&'static str, u8>>);

impl Habits {
    /// Whether this call is to begin among the long ones.
    pub(crate) fn are_long(&self, call: &str) -> bool {
        self.owed().get(call).is_some_and(|owed| *owed > 0)
    }

    /// A call has kept the processor for so long, in the guest and in the host.
    pub(crate) fn learn(&self, call: &'static str, busy: Duration) {
        let mut owed = self.owed();
        let owed = owed.entry(call).or_default();
        *owed = if busy >= LONG { SHORT_ONES_AFTER_A_LONG_ONE } else { owed.saturating_sub(1) };
    }

    /// How many short ones have to follow.
    fn owed(&self) -> MutexGuard<'_, BTreeMap<&'static str, u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_long_begins_among_the_long_ones_until_it_was_short_often_enough() {
        let habits = Habits::default();
        assert!(!habits.are_long("read"));
        habits.learn("read", LONG - Duration::from_micros(1));
        assert!(!habits.are_long("read"));
        habits.learn("read", LONG);
        for _ in 0..SHORT_ONES_AFTER_A_LONG_ONE {
            assert!(habits.are_long("read"));
            habits.learn("read", Duration::ZERO);
        }
        assert!(!habits.are_long("read"));
        habits.learn("read", LONG);
        habits.learn("read", Duration::ZERO);
        habits.learn("read", LONG);
        habits.learn("read", Duration::ZERO);
        assert!(habits.are_long("read"), "each second one is long");
        assert!(!habits.are_long("open"), "another call");
    }
}
