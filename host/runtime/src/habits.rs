//! How long a component's calls usually take, by which a call begins among the short ones or among the long ones. Without it each
//! long call would keep a thread of short ones until the tick ends, or for as long as the host works for it at one piece, and a
//! connector that is called again and again would do that each time. What is learned from one configuration holds for that one
//! alone: whoever makes a component slow by what it asks of it does not move the calls of others to where the slow ones are.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A neighbour's run of a few rows takes a millisecond: this is what one that keeps the processor may delay it by and it hardly shows.
pub(crate) const LONG: Duration = Duration::from_micros(300);
/// After a long call, so many short ones have to follow before one begins among the short ones again: who is long each second time
/// is long.
const SHORT_ONES_AFTER_A_LONG_ONE: u8 = 8;
/// Of so many long calls is known that they are: of some 100 kB. Beyond them any one is forgotten.
const KNOWN_MAX: usize = 4_096;

/// Of one component, by its configuration and the calls of its contract.
#[derive(Default)]
pub(crate) struct Habits {
    keyed: RandomState,
    /// How many short calls have to follow, where it is any.
    owed: Mutex<BTreeMap<(Whose, &'static str), u8>>,
}

/// One configuration of a component. Two may be alike, which nobody can bring about: the key is random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whose(u64);

impl Habits {
    /// Those of the component with this configuration.
    pub(crate) fn whose(&self, config: &str) -> Whose {
        Whose(self.keyed.hash_one(config))
    }

    /// Whether this call is to begin among the long ones.
    pub(crate) fn are_long(&self, whose: Whose, call: &'static str) -> bool {
        self.owed().contains_key(&(whose, call))
    }

    /// A call has kept the processor for so long, in the guest and in the host.
    pub(crate) fn learn(&self, whose: Whose, call: &'static str, busy: Duration) {
        let mut all = self.owed();
        if busy >= LONG {
            all.insert((whose, call), SHORT_ONES_AFTER_A_LONG_ONE);
            if all.len() > KNOWN_MAX {
                // The first by a random key is as good as any.
                all.pop_first();
            }
        } else if let Some(owed) = all.get_mut(&(whose, call)) {
            *owed -= 1;
            if *owed == 0 {
                all.remove(&(whose, call));
            }
        }
    }

    fn owed(&self) -> MutexGuard<'_, BTreeMap<(Whose, &'static str), u8>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_long_begins_among_the_long_ones_until_it_was_short_often_enough() {
        let habits = Habits::default();
        let whose = habits.whose("{}");
        assert!(!habits.are_long(whose, "read"));
        habits.learn(whose, "read", LONG - Duration::from_micros(1));
        assert!(!habits.are_long(whose, "read"));
        habits.learn(whose, "read", LONG);
        for _ in 0..SHORT_ONES_AFTER_A_LONG_ONE {
            assert!(habits.are_long(whose, "read"));
            habits.learn(whose, "read", Duration::ZERO);
        }
        assert!(!habits.are_long(whose, "read"));
        habits.learn(whose, "read", LONG);
        habits.learn(whose, "read", Duration::ZERO);
        habits.learn(whose, "read", LONG);
        habits.learn(whose, "read", Duration::ZERO);
        assert!(habits.are_long(whose, "read"), "each second one is long");
        assert!(!habits.are_long(whose, "open"), "another call");
        assert!(!habits.are_long(habits.whose("{ }"), "read"), "another configuration");
    }

    #[test]
    fn of_many_configurations_so_many_long_calls_are_known() {
        let habits = Habits::default();
        for config in 0..=KNOWN_MAX {
            habits.learn(habits.whose(&config.to_string()), "read", LONG);
        }
        let is_known = |config: &usize| habits.are_long(habits.whose(&config.to_string()), "read");
        assert_eq!((0..=KNOWN_MAX).filter(is_known).count(), KNOWN_MAX);
    }
}
